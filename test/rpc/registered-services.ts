/**
 * Owns the services of what a tenant registers, and of who may call, over a pipeline and a database
 * of their own, and how tests call them: as the guard does, so what is well formed reaches the
 * handler.
 */
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Refusal } from "../../src/errors.ts";
import type { TenantId } from "../../src/ledger/ids.ts";
import { AccessReads } from "../../src/queries/access-reads.ts";
import { TenantReads } from "../../src/queries/tenant-reads.ts";
import { makeAccessService } from "../../src/rpc/access-service.ts";
import { makeCurrencyService } from "../../src/rpc/currency-service.ts";
import { makeCustomerService } from "../../src/rpc/customer-service.ts";
import { makeRateCardService } from "../../src/rpc/rate-card-service.ts";
import { requireValid } from "../../src/rpc/validation.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";

export const OTHER_TENANT = "01900000-0000-7000-8000-0000000000ff" as TenantId;

export interface RegisteredServices {
  readonly ledger: TestLedger;
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    tenantId?: TenantId,
  ): Promise<MessageShape<O>>;
  close(): Promise<void>;
}

export async function openRegisteredServices(): Promise<RegisteredServices> {
  const ledger = await openLedger();
  const { superuser, pipeline, connections, close } = ledger;
  await superuser.query(
    "INSERT INTO tenant (tenant_id, name, created_at) VALUES ($1, 'other', clock_timestamp())",
    [OTHER_TENANT],
  );
  const parts = { pipeline, reads: new TenantReads(connections.reads) };
  const methods = [
    makeCustomerService(parts),
    makeCurrencyService(parts),
    makeRateCardService(parts),
    makeAccessService({ pipeline, reads: new AccessReads(connections.reads) }),
  ].flatMap((service) => service.methods);
  return {
    ledger,
    async call<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      request: MessageInitShape<I>,
      tenantId = TENANT,
    ) {
      const found = methods.find((each) => each.method === method);
      if (found?.handler.kind !== "unary") throw new Error(`${method.name} is not mounted`);
      const message = create(method.input, request);
      requireValid(method.input, message);
      const { signal } = new AbortController();
      const noteBug = (error: unknown) => {
        throw error;
      };
      const way = { tenantId, customerId: null, signal, noteBug };
      const answer = await found.handler.handle(message, way);
      return create(method.output, answer as MessageInitShape<O>);
    },
    close,
  };
}

/** The reason, the field and the facts of a refusal. */
export async function refusalOf(answering: Promise<unknown>): Promise<unknown> {
  try {
    return await answering;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [error.reason, error.fieldViolations[0]?.field ?? "", error.facts];
  }
}

let requests = 0;

/** A request of its own: nothing is a repetition unless a test says so. */
export function withId<Request extends object>(request: Request) {
  requests += 1;
  return { requestId: `request-${requests}`, ...request };
}
