/**
 * Owns the service that the model is compared with: the real handlers, pipeline and queries over a
 * database of their own whose clock stands where the test puts it. Calls go in as the guard lets
 * them in, and come back as the JSON that a caller would see.
 */
import {
  create,
  type DescMethod,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageInitShape,
  toJson,
} from "@bufbuild/protobuf";
import { implementContract } from "../../src/implementation.ts";
import type { TenantId } from "../../src/ledger/ids.ts";
import { failureOf } from "../../src/rpc/failure.ts";
import { requireValid } from "../../src/rpc/validation.ts";
import { openLedger } from "../pipeline/ledger.ts";

/** What a call came to: the messages of its answer, or what it was refused with. */
export type Outcome = { readonly answers: readonly JsonValue[] } | { readonly refused: JsonValue };

/** The streams that never end by themselves answer once; then the caller goes away. */
export interface Subject {
  /** Calls one of the replicas. */
  call(method: DescMethod, json: JsonObject, replica?: number): Promise<Outcome>;
  /** Puts the ledger's clock to a moment in microseconds since 1970. */
  setClock(moment: bigint): Promise<void>;
  /** Begins again with a tenant that has nothing. */
  newTenant(): Promise<void>;
  close(): Promise<void>;
}

const STANDING_CLOCK = `
  CREATE TABLE standing_clock (moment timestamptz NOT NULL);
  INSERT INTO standing_clock VALUES ('2027-01-01');
  GRANT SELECT ON standing_clock TO PUBLIC;
  CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT moment FROM public.standing_clock'`;

export async function openSubject(replicas = 1): Promise<Subject> {
  const ledger = await openLedger();
  const { superuser, connections } = ledger;
  await superuser.query(STANDING_CLOCK);
  const others = await Promise.all(Array.from({ length: replicas - 1 }, () => ledger.replica()));
  const methods = [ledger, ...others].map(({ pipeline }) =>
    implementContract({ connections, pipeline }).flatMap((each) => each.methods),
  );
  let tenants = 0;
  const tenant = () => `01900000-0000-7000-8000-1${String(tenants).padStart(11, "0")}` as TenantId;

  async function answer(
    method: DescMethod,
    json: JsonObject,
    replica: number,
  ): Promise<readonly JsonValue[]> {
    const handler = methods[replica % replicas]?.find((each) => each.method === method)?.handler;
    const request = fromJson(method.input, json);
    requireValid(method.input, request);
    const leaving = new AbortController();
    const noteBug = (error: unknown) => {
      throw error;
    };
    const call = { tenantId: tenant(), customerId: null, signal: leaving.signal, noteBug };
    const show = (message: MessageInitShape<typeof method.output>) =>
      toJson(method.output, create(method.output, message));
    if (handler?.kind === "unary") return [show(await handler.handle(request, call))];
    if (handler?.kind !== "server_streaming") throw new Error(`no call asks for ${method.name}`);
    const shown: JsonValue[] = [];
    for await (const message of handler.handle(request, call)) {
      shown.push(show(message));
      if (method.name === "WatchBalance") break;
    }
    leaving.abort();
    return shown;
  }

  return {
    async call(method, json, replica = 0) {
      try {
        return { answers: await answer(method, json, replica) };
      } catch (error) {
        const { code, reason, facts, fieldViolations } = failureOf(error);
        if (reason === "INTERNAL") throw error;
        return {
          refused: { code, reason, facts, fields: fieldViolations.map(({ field }) => field) },
        };
      }
    },
    async setClock(moment) {
      await superuser.query(
        "UPDATE standing_clock SET moment = to_timestamp($1::bigint / 1000000) + ($1::bigint % 1000000) * interval '1 microsecond'",
        [String(moment)],
      );
    },
    async newTenant() {
      tenants += 1;
      await superuser.query(
        "INSERT INTO tenant (tenant_id, name, created_at) VALUES ($1, 'one run', now())",
        [tenant()],
      );
    },
    async close() {
      for (const { pipeline, close } of others) {
        await pipeline.idle();
        await close();
      }
      await ledger.close();
    },
  };
}
