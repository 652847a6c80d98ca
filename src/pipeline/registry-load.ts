/**
 * Owns loading a tenant's registry: under the tenant's lock, and no more of it than the commands of
 * the batch look at, one statement for each kind of thing.
 */
import { assert } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import type { CurrencyCode } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import type { Registry, RegistryNeed } from "../registry/registry.ts";
import { loadAccess } from "./access-load.ts";
import * as statements from "./load-statements.ts";
import type { RegistryJob } from "./registry-batch.ts";
import type { FirstAnswer } from "./request-answers.ts";
import { type RateCardRow, rateCardOf } from "./rows.ts";
import type { Session } from "./session.ts";
import type { Statement } from "./statement.ts";

/** Waits for the tenant, for as long as the session's lock_timeout allows. */
const LOCK_TENANT: Statement = {
  name: "lock_tenant",
  text: "SELECT customer_count FROM tenant WHERE tenant_id = $1::uuid FOR NO KEY UPDATE",
};

/** Read after the lock was taken, in a statement of its own (L3). */
const READ_CLOCK: Statement = {
  name: "read_clock",
  text: "SELECT ledger_clock() AS now",
};

const LOAD_TENANT_REQUESTS: Statement = {
  name: "load_tenant_requests",
  text: `SELECT q.request_id, q.fingerprint, q.answer FROM tenant_request q
    WHERE q.tenant_id = $1::uuid AND q.request_id = ANY($2::text[])`,
};

const LOAD_TAKEN_KEYS: Statement = {
  name: "load_taken_keys",
  text: `SELECT k.key FROM customer_key k
    WHERE k.tenant_id = $1::uuid AND k.key = ANY($2::text[])`,
};

const COUNT_RATE_CARDS: Statement = {
  name: "count_rate_cards",
  text: `SELECT coalesce(max(r.number), 0) AS count FROM rate_card r
    WHERE r.tenant_id = $1::uuid`,
};

interface RequestRow {
  readonly request_id: string;
  readonly fingerprint: Buffer;
  readonly answer: Buffer;
}

interface CurrencyRow {
  readonly code: CurrencyCode;
  readonly name: string;
  readonly exponent: number;
}

/** Locks the tenant, and only then reads the clock. Undefined when there is no such tenant. */
export async function lockTenant(
  session: Session,
  tenantId: TenantId,
): Promise<{ readonly now: Instant; readonly customerCount: bigint } | undefined> {
  const [tenants, clocks] = await Promise.all([
    session.rows<{ customer_count: bigint }>(LOCK_TENANT, [tenantId]),
    session.rows<{ now: Instant }>(READ_CLOCK, []),
  ]);
  const customerCount = tenants[0]?.customer_count;
  const now = clocks[0]?.now;
  if (customerCount === undefined) return undefined;
  assert(now !== undefined, "the database has a clock");
  return { now, customerCount };
}

/** Finds what was answered to the request ids of the batch before (W1). */
export async function loadTenantAnswers(
  session: Session,
  tenantId: TenantId,
  jobs: readonly RegistryJob[],
): Promise<ReadonlyMap<string, FirstAnswer<Uint8Array>>> {
  const ids = new Set(jobs.map(({ write }) => write.request.id));
  const rows = await session.rows<RequestRow>(LOAD_TENANT_REQUESTS, [tenantId, [...ids]]);
  return new Map(
    rows.map(({ request_id, fingerprint, answer }) => [
      request_id,
      { fingerprint, stored: answer },
    ]),
  );
}

/** Loads what the commands look at; the answer puts it into a registry. */
export async function loadRegistered(
  session: Session,
  tenantId: TenantId,
  needs: readonly RegistryNeed[],
): Promise<(registry: Registry) => void> {
  const keys = new Set<string>();
  const codes = new Set<CurrencyCode>();
  const cards = new Set<string>();
  for (const need of needs) {
    if (need.kind === "customer_key") keys.add(need.key);
    else if (need.kind === "currency") codes.add(need.code);
    else if (need.kind === "rate_card") cards.add(need.key);
  }
  const load = async <Row extends object>(statement: Statement, names: ReadonlySet<string>) =>
    names.size === 0 ? [] : session.rows<Row>(statement, [tenantId, [...names]]);
  const [keyRows, currencyRows, cardRows, counts, access] = await Promise.all([
    load<{ key: string }>(LOAD_TAKEN_KEYS, keys),
    load<CurrencyRow>(statements.LOAD_CURRENCIES, codes),
    load<RateCardRow>(statements.LOAD_NEWEST_RATE_CARDS, cards),
    cards.size === 0 ? [] : session.rows<{ count: bigint }>(COUNT_RATE_CARDS, [tenantId]),
    loadAccess(session, tenantId, needs),
  ]);
  return (registry) => {
    for (const { key } of keyRows) registry.takenKeys.add(key);
    for (const row of currencyRows) registry.currencies.set(row.code, { ...row, iso: false });
    for (const row of cardRows) registry.rateCards.set(row.key, rateCardOf(row));
    registry.rateCardCount = counts[0]?.count ?? 0n;
    access(registry);
  };
}
