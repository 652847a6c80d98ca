/**
 * Owns one transaction of the registry's lane: lock the tenant, load what the commands look at, run
 * them in arrival order, store what they added. Nobody is answered from here.
 */
import { customerNotFound } from "../customer/customer-not-found.ts";
import { assert, Refusal } from "../errors.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import { Registry } from "../registry/registry.ts";
import { tenantNotFound } from "../registry/tenant.ts";
import { findNamedCustomers } from "./access-load.ts";
import type { RegistryWrite } from "./job.ts";
import type { Outcome, Pending } from "./pending.ts";
import { loadRegistered, loadTenantAnswers, lockTenant } from "./registry-load.ts";
import { type StoredTenantRequest, storeRegistry } from "./registry-writes.ts";
import { RequestAnswers } from "./request-answers.ts";
import type { Session } from "./session.ts";

/** A command in the registry's lane. */
export type RegistryJob = Pending<RegistryWrite<unknown, unknown>>;

export interface RegistryBatch {
  readonly tenantId: TenantId;
  readonly jobs: readonly RegistryJob[];
  readonly random32: () => number;
}

/**
 * A refusal costs its neighbours nothing. Whatever else a command throws ends the transaction, and
 * the lane splits the batch down to that command: they share one registry, which may have changed.
 */
export async function runRegistryBatch(
  session: Session,
  { tenantId, jobs, random32 }: RegistryBatch,
): Promise<ReadonlyMap<RegistryJob, Outcome>> {
  const needs = jobs.flatMap(({ write }) => write.needs);
  const [tenant, firstAnswers, registered, customers] = await Promise.all([
    lockTenant(session, tenantId),
    loadTenantAnswers(session, tenantId, jobs),
    loadRegistered(session, tenantId, needs),
    findNamedCustomers(session, tenantId, jobs),
  ]);
  if (tenant === undefined) {
    return new Map(jobs.map((job) => [job, { kind: "failed", error: tenantNotFound(tenantId) }]));
  }
  const { now, customerCount } = tenant;
  const registry = new Registry({ now, customerCount, needs, random32 });
  registered(registry);
  const answers = new RequestAnswers<Uint8Array>();
  for (const [id, first] of firstAnswers) answers.know(id, first);

  const outcomes = new Map<RegistryJob, Outcome>();
  const requests: StoredTenantRequest[] = [];
  for (const job of jobs) {
    try {
      const answer = runOne(job, { registry, customers, answers, requests });
      outcomes.set(job, { kind: "answered", answer });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      outcomes.set(job, { kind: "failed", error });
    }
  }
  await storeRegistry(session, tenantId, { registry, requests, customerCount });
  assert(outcomes.size === jobs.length, "every command has come to something");
  return outcomes;
}

function runOne(
  { write }: RegistryJob,
  parts: {
    readonly registry: Registry;
    readonly customers: ReadonlySet<CustomerId>;
    readonly answers: RequestAnswers<Uint8Array>;
    readonly requests: StoredTenantRequest[];
  },
): unknown {
  const { registry, customers, answers, requests } = parts;
  const { request, customerId } = write;
  if (customerId !== undefined && !customers.has(customerId)) throw customerNotFound(customerId);
  const given = answers.find(request);
  if (given !== undefined) {
    return given.kind === "stored" ? write.decode(given.stored) : given.answer;
  }
  const answer = write.answer(write.verb(registry));
  answers.keep(request, answer);
  requests.push({ request, answer: write.encode(answer), createdAt: registry.now });
  return answer;
}
