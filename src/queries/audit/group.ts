/**
 * Owns the audit of one group of customers: their journals are replayed, and then, in one snapshot,
 * everything that is kept beside the journal is compared with the replay. A large journal is
 * replayed in stretches before, because its rows never change.
 */
import type { DataSource, EntityManager } from "typeorm";
import { readTransaction } from "../../database/read.ts";
import { assert } from "../../errors.ts";
import { type CustomerId, FIRST_ID, type TenantId } from "../../ledger/ids.ts";
import type { Instant } from "../../money/time.ts";
import { SPAN_ROWS, stretchesOf, type WalkedCustomer } from "../customer-spans.ts";
import { selectRows } from "../statement.ts";
import { type Audited, pageRowsOf, startAudit } from "./audited.ts";
import { checkCharges } from "./charges.ts";
import type { AuditedBalance, AuditedHead, OpenCharge } from "./compare.ts";
import type { Finding } from "./finding.ts";
import type { AuditedGrant } from "./grants.ts";
import { checkInvoices } from "./invoices.ts";
import { readLines } from "./journal-text.ts";
import { checkRules } from "./rules.ts";
import * as statements from "./statements.ts";

export interface GroupAudit {
  readonly reads: DataSource;
  readonly tenantId: TenantId;
  readonly customers: readonly WalkedCustomer[];
  readonly signal: AbortSignal;
  /** Told now and then how many more transfers have been replayed. */
  readonly onReplayed: (transfers: number) => void;
}

export async function auditGroup(audit: GroupAudit): Promise<readonly Finding[]> {
  const { reads, tenantId, customers, signal } = audit;
  const audited = new Map(
    customers.map(({ customerId }) => [customerId, startAudit(customerId)] as const),
  );
  const [only] = audited.values();
  const large = customers.length === 1 && (customers[0]?.sequence ?? 0n) > SPAN_ROWS;
  if (large && only !== undefined) await replayStretches(audit, only);
  await readTransaction(reads, tenantId, async (manager) => {
    await replayRest(manager, audit, audited);
    signal.throwIfAborted();
    await compareKept(manager, audited, signal);
  });
  return [...audited.values()].flatMap(({ findings }) => findings.list);
}

/** While one stretch is replayed the next one is on its way. */
async function replayStretches(audit: GroupAudit, { customerId, replay }: Audited): Promise<void> {
  const { reads, tenantId, customers, signal, onReplayed } = audit;
  const read = (stretch: { readonly from: bigint; readonly to: bigint } | undefined) => {
    if (stretch === undefined) return undefined;
    const rows = readTransaction(reads, tenantId, (manager) =>
      readJournal(manager, [customerId], stretch.from - 1n, stretch.to),
    );
    // It is awaited one stretch later, and by then may long have failed.
    rows.catch(() => undefined);
    return rows;
  };
  const stretches = stretchesOf(customers[0]?.sequence ?? 0n);
  let next = read(stretches[0]);
  for (let index = 0; next !== undefined; index += 1) {
    const texts = await next;
    signal.throwIfAborted();
    next = read(stretches[index + 1]);
    for (const { lines } of texts) for (const row of readLines(lines)) replay.apply(row);
    onReplayed(countRows(texts));
  }
}

/** Replays what the snapshot has and was not replayed before: for small customers, everything. */
async function replayRest(
  manager: EntityManager,
  { customers, signal, onReplayed }: GroupAudit,
  audited: ReadonlyMap<CustomerId, Audited>,
): Promise<void> {
  const ids = [...audited.keys()];
  const [only] = audited.values();
  assert(only !== undefined, "a group has customers");
  const step = customers.length === 1 ? SPAN_ROWS : LAST_SEQUENCE;
  for (;;) {
    signal.throwIfAborted();
    const after = customers.length === 1 ? BigInt(only.replay.sequence) : 0n;
    const texts = await readJournal(manager, ids, after, after + step);
    for (const { customer_id: customerId, lines } of texts) {
      const replay = audited.get(customerId)?.replay;
      for (const row of readLines(lines)) replay?.apply(row);
    }
    onReplayed(countRows(texts));
    if (customers.length > 1 || texts.length === 0) return;
  }
}

function countRows(texts: readonly JournalText[]): number {
  return Number(texts.reduce((sum, { rows }) => sum + rows, 0n));
}

const LAST_SEQUENCE = 2n ** 63n - 1n;

interface JournalText {
  readonly customer_id: CustomerId;
  readonly rows: bigint;
  readonly lines: string;
}

function readJournal(
  manager: EntityManager,
  ids: readonly CustomerId[],
  after: bigint,
  to: bigint,
): Promise<JournalText[]> {
  return selectRows<JournalText>(manager, statements.READ_JOURNAL, [ids, after, to]);
}

type Of<Row> = Row & { readonly customer_id: CustomerId };

async function compareKept(
  manager: EntityManager,
  audited: ReadonlyMap<CustomerId, Audited>,
  signal: AbortSignal,
): Promise<void> {
  const ids = [...audited.keys()];
  const restricted = await compareGrants(manager, audited, signal);
  const open = await selectRows<Of<OpenCharge>>(manager, statements.READ_OPEN_CHARGES, [ids]);
  for (const row of open) audited.get(row.customer_id)?.comparison().openCharge(row);
  const charges = await checkCharges(manager, audited, signal);
  signal.throwIfAborted();
  const { issued, overdrawn } = await checkInvoices(manager, audited);
  const having = (what: "manual" | "invoiced") =>
    ids.filter((customerId) => charges.get(customerId)?.[what] === true);
  const concerned = {
    eventful: new Set(ids.filter((id) => audited.get(id)?.replay.onlyConsumed === false)),
    manual: new Set(having("manual")),
    invoiced: new Set([...having("invoiced"), ...overdrawn]),
    restricted,
  };
  await checkRules(manager, audited, concerned, signal);

  const rows = await selectRows<Of<AuditedBalance>>(manager, statements.READ_BALANCES, [ids]);
  const balances = Map.groupBy(rows, (row) => row.customer_id);
  const heads = await selectRows<Of<AuditedHead>>(manager, statements.READ_HEADS, [ids]);
  for (const head of heads) {
    const comparison = audited.get(head.customer_id)?.comparison();
    const own = balances.get(head.customer_id) ?? [];
    for (const balance of own) comparison?.balance(balance);
    comparison?.head(head, own, issued.get(head.customer_id) ?? 0n);
  }
}

/** Returns the customers that have credit for some features only. */
async function compareGrants(
  manager: EntityManager,
  audited: ReadonlyMap<CustomerId, Audited>,
  signal: AbortSignal,
): Promise<ReadonlySet<CustomerId>> {
  const restricted = new Set<CustomerId>();
  const ids = [...audited.keys()];
  const [moment] = await selectRows<{ readonly now: Instant }>(manager, statements.READ_CLOCK, []);
  assert(moment !== undefined, "the database has a clock");
  const limit = pageRowsOf(ids);
  let after: string = FIRST_ID;
  for (;;) {
    signal.throwIfAborted();
    const values = [ids, after, limit];
    const rows = await selectRows<Of<AuditedGrant>>(manager, statements.READ_GRANTS, values);
    for (const row of rows) {
      audited.get(row.customer_id)?.comparison().grant(row, moment.now);
      if (row.features.length > 0) restricted.add(row.customer_id);
    }
    const last = rows.at(-1);
    if (last === undefined || limit === null || rows.length < limit) return restricted;
    after = last.credit_grant_id;
  }
}
