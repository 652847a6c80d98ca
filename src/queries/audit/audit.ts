/**
 * Owns an audit from beginning to end: which customers are audited, how far it has come, what was
 * found. A few groups are under way at once, so that the database reads while this process adds up.
 */
import type { DataSource } from "typeorm";
import { customerNotFound } from "../../customer/customer-not-found.ts";
import type { CustomerId, TenantId } from "../../ledger/ids.ts";
import { type WalkedCustomer, walkCustomers } from "../customer-spans.ts";
import type { Finding } from "./finding.ts";
import { auditGroup } from "./group.ts";
import { findStrays } from "./strays.ts";

const GROUPS_AT_ONCE = 2;
/** Some twenty statements check a group: the more rows it has, the less they weigh. */
const GROUP_ROWS = 80_000n;
const PROGRESS_INTERVAL_MS = 1_000;

export interface AuditCounts {
  readonly customers: number;
  readonly transfers: number;
}

export type AuditEvent =
  | { readonly kind: "finding"; readonly finding: Finding }
  | ({ readonly kind: "progress" } & AuditCounts)
  | ({ readonly kind: "summary"; readonly findings: number } & AuditCounts);

export interface AuditAsk {
  readonly tenantId: TenantId;
  /** Null audits all customers of the tenant. */
  readonly customerId: CustomerId | null;
}

/** Sends what it finds as it finds it, now and then how far it has come, and last a summary. */
export async function* audit(
  reads: DataSource,
  { tenantId, customerId }: AuditAsk,
  signal: AbortSignal,
): AsyncGenerator<AuditEvent, void, undefined> {
  const counts = { customers: 0, transfers: 0, findings: 0 };
  const progress = (): AuditEvent => ({
    kind: "progress",
    customers: counts.customers,
    transfers: counts.transfers,
  });
  const start = async (customers: readonly WalkedCustomer[]) => {
    const onReplayed = (transfers: number) => {
      counts.transfers += transfers;
    };
    const findings = await auditGroup({ reads, tenantId, customers, signal, onReplayed });
    counts.customers += customers.length;
    return findings;
  };
  const underWay: Promise<readonly Finding[]>[] = [];
  async function* finishFirst(): AsyncGenerator<AuditEvent, void, undefined> {
    const [first] = underWay;
    if (first === undefined) return;
    while (!(await settlesWithin(first, PROGRESS_INTERVAL_MS))) yield progress();
    const found = await first;
    underWay.splice(0, 1);
    for (const finding of found) {
      counts.findings += 1;
      yield { kind: "finding", finding };
    }
  }

  const walk = { tenantId, customerId, createdUntil: null, groupRows: GROUP_ROWS };
  try {
    for await (const group of walkCustomers(reads, walk)) {
      signal.throwIfAborted();
      const running = start(group);
      // It is awaited in its turn, and by then may long have failed.
      running.catch(() => undefined);
      underWay.push(running);
      if (underWay.length === GROUPS_AT_ONCE) yield* finishFirst();
    }
    while (underWay.length > 0) yield* finishFirst();
  } finally {
    // An audit that was given up is under way for as long as one of its statements is.
    await Promise.allSettled(underWay);
  }
  for (const finding of customerId === null ? await findStrays(reads, tenantId) : []) {
    counts.findings += 1;
    yield { kind: "finding", finding };
  }
  if (customerId !== null && counts.customers === 0) throw customerNotFound(customerId);
  const { customers, transfers, findings } = counts;
  yield { kind: "summary", customers, transfers, findings };
}

async function settlesWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
