/**
 * Owns walking the books of a tenant in bounded steps: many small customers at once, or a stretch
 * of a large one's journal. Each step is a transaction of its own, so none is long.
 */
import type { DataSource } from "typeorm";
import { readTransaction } from "../database/read.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import { formatInstant, type Instant } from "../money/time.ts";
import { Parameters, selectRows } from "./statement.ts";

/** One step comes to about so many transfers and objects, unless who walks says else. */
export const SPAN_ROWS = 20_000n;
const CUSTOMERS_MAX = 1_000;

/** A customer's head as the walk met it. */
export interface WalkedCustomer {
  readonly customerId: CustomerId;
  readonly sequence: bigint;
  /** Grants, charges, invoices and lines that were ever created. */
  readonly objectCount: bigint;
  readonly nextDueAt: Instant | null;
}

interface HeadRow {
  readonly customer_id: CustomerId;
  readonly sequence: bigint;
  readonly object_count: bigint;
  readonly next_due_at: Instant | null;
}

interface WalkedRow extends HeadRow {
  readonly number: bigint;
}

export interface Walk {
  readonly tenantId: TenantId;
  /** Null walks all customers. */
  readonly customerId: CustomerId | null;
  /** Leaves out customers created later; null leaves out none. */
  readonly createdUntil: Instant | null;
  /** What the customers of a group may come to together. */
  readonly groupRows?: bigint;
}

/**
 * The customers in the order of their creation, in groups that come to one step together. A group
 * of one may be larger than that.
 */
export async function* walkCustomers(
  reads: DataSource,
  walk: Walk,
): AsyncGenerator<readonly WalkedCustomer[], void, undefined> {
  let after = 0n;
  for (;;) {
    const rows = await selectCustomers(reads, walk, after);
    const { groupRows = SPAN_ROWS } = walk;
    for (const group of groupsOf(rows.map(walkedOf), groupRows)) yield group;
    const last = rows.at(-1);
    if (last === undefined || rows.length < CUSTOMERS_MAX) return;
    after = last.number;
  }
}

/** The heads of customers as they are now. */
export async function readHeads(
  reads: DataSource,
  tenantId: TenantId,
  customerIds: readonly CustomerId[],
): Promise<readonly WalkedCustomer[]> {
  const text = `SELECT h.customer_id, h.sequence, h.object_count, h.next_due_at
    FROM customer_head h WHERE h.customer_id = ANY($1::uuid[])`;
  const rows = await readTransaction(reads, tenantId, (manager) =>
    selectRows<HeadRow>(manager, text, [customerIds]),
  );
  return rows.map(walkedOf);
}

/** The stretches of a journal, of which each is one step. */
export function stretchesOf(sequence: bigint): { readonly from: bigint; readonly to: bigint }[] {
  const stretches: { from: bigint; to: bigint }[] = [];
  for (let from = 1n; from <= sequence; from += SPAN_ROWS) {
    stretches.push({ from, to: from + SPAN_ROWS - 1n });
  }
  return stretches;
}

function selectCustomers(
  reads: DataSource,
  { tenantId, customerId, createdUntil }: Walk,
  after: bigint,
): Promise<WalkedRow[]> {
  const parameters = new Parameters();
  const conditions = [
    `c.tenant_id = ${parameters.add(tenantId)}`,
    `c.number > ${parameters.add(after)}`,
  ];
  if (customerId !== null) conditions.push(`c.customer_id = ${parameters.add(customerId)}`);
  if (createdUntil !== null) {
    conditions.push(`c.created_at <= ${parameters.add(formatInstant(createdUntil))}`);
  }
  const text = `SELECT c.number, c.customer_id, h.sequence, h.object_count, h.next_due_at
    FROM customer c JOIN customer_head h ON h.customer_id = c.customer_id
    WHERE ${conditions.join(" AND ")} ORDER BY c.number LIMIT ${CUSTOMERS_MAX}`;
  return readTransaction(reads, tenantId, (manager) =>
    selectRows<WalkedRow>(manager, text, parameters.values),
  );
}

function walkedOf(row: HeadRow): WalkedCustomer {
  return {
    customerId: row.customer_id,
    sequence: row.sequence,
    objectCount: row.object_count,
    nextDueAt: row.next_due_at,
  };
}

function* groupsOf(
  customers: readonly WalkedCustomer[],
  groupRows: bigint,
): Generator<readonly WalkedCustomer[]> {
  let group: WalkedCustomer[] = [];
  let rows = 0n;
  for (const customer of customers) {
    const own = customer.sequence + customer.objectCount;
    if (group.length > 0 && rows + own > groupRows) {
      yield group;
      group = [];
      rows = 0n;
    }
    group.push(customer);
    rows += own;
  }
  if (group.length > 0) yield group;
}
