/**
 * Owns how a read of one customer begins: it reads the head, sees to it that everything due is
 * booked (M6), waits for a writer where the answer has to be final (B2), and only then answers, in
 * one snapshot.
 */
import type { DataSource, EntityManager } from "typeorm";
import { customerNotFound } from "../customer/customer-not-found.ts";
import { setTenant, withConnection } from "../database/connection.ts";
import { readTransaction } from "../database/read.ts";
import { databaseFailure, databaseUnavailable } from "../database/sql-state.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import { bookingMoment, type Instant, instant, MICROSECONDS_PER_SECOND } from "../money/time.ts";
import { selectRows } from "./statement.ts";

/** Books what is due for a customer, and resolves when it is committed. */
export type BookDue = (tenantId: TenantId, customerId: CustomerId) => Promise<void>;

export interface CustomerName {
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
}

/** The customer's head as a read sees it. */
export interface Head {
  /** The sequence of the newest transfer; 0 when there is none. */
  readonly sequence: bigint;
  /** The database's clock at the read. */
  readonly clock: Instant;
  /** The moment of the read: the later of clock and last booking, as writes have it (L3). */
  readonly now: Instant;
  readonly nextDueAt: Instant | null;
}

/** While something keeps falling due, a read that has booked so often answers with what it has. */
export const DUE_ROUNDS_MAX = 8;

/** No transaction that writes lives so long, so nothing older can still be added to. */
const WRITER_LIFETIME_S_MAX = 600n;

const HEAD = `SELECT h.sequence, h.last_booked_at, h.next_due_at, ledger_clock() AS clock
  FROM customer_head h WHERE h.customer_id = $1 AND h.tenant_id = $2`;

const FIND_UNWRITTEN = `SELECT h.customer_id FROM customer_head h
  WHERE h.customer_id = ANY($1::uuid[]) FOR SHARE SKIP LOCKED`;
const WAIT_FOR_WRITER =
  "SELECT FROM customer_head h WHERE h.customer_id = ANY($1::uuid[]) FOR SHARE";

interface HeadRow {
  readonly sequence: bigint;
  readonly last_booked_at: Instant | null;
  readonly next_due_at: Instant | null;
  readonly clock: Instant;
}

export class CustomerReads {
  readonly #reads: DataSource;
  readonly #bookDue: BookDue;

  constructor(parts: { readonly reads: DataSource; readonly bookDue: BookDue }) {
    this.#reads = parts.reads;
    this.#bookDue = parts.bookDue;
  }

  /**
   * Answers from one snapshot of a customer that has nothing due. With `finalAt`, a moment in the
   * past, nothing at or before it can be added any more once the snapshot is taken.
   */
  read<Answer>(
    customer: CustomerName,
    work: (manager: EntityManager, head: Head) => Promise<Answer>,
    finalAt: Instant | null = null,
  ): Promise<Answer> {
    return this.readAhead(customer, { ahead: async () => undefined, work, finalAt });
  }

  /**
   * The same, with one statement that is sent together with the one that reads the head. When
   * something has to be booked first, what it found is dropped, and `work` does without.
   */
  async readAhead<Ahead, Answer>(
    customer: CustomerName,
    way: {
      readonly ahead: (manager: EntityManager) => Promise<Ahead>;
      readonly work: (
        manager: EntityManager,
        head: Head,
        ahead: Ahead | undefined,
      ) => Promise<Answer>;
      readonly finalAt: Instant | null;
    },
  ): Promise<Answer> {
    const { tenantId, customerId } = customer;
    const { finalAt } = way;
    let isFinal = finalAt === null;
    for (let round = 0; ; round += 1) {
      const outcome = await readTransaction(this.#reads, tenantId, async (manager) => {
        const [head, ahead] = await Promise.all([
          getHead(manager, customer),
          round === 0 ? way.ahead(manager) : undefined,
        ]);
        if (isDue(head) && round < DUE_ROUNDS_MAX) return { kind: "due" } as const;
        if (!isFinal && finalAt !== null && mayBeBeingWritten(finalAt, head.clock)) {
          return { kind: "waits" } as const;
        }
        return { kind: "answered", answer: await way.work(manager, head, ahead) } as const;
      });
      if (outcome.kind === "answered") return outcome.answer;
      if (outcome.kind === "due") {
        await this.#bookDue(tenantId, customerId);
      } else {
        await waitForWriters(this.#reads, tenantId, [customerId]);
        isFinal = true;
      }
    }
  }
}

/**
 * Waits until the writers that hold the customers now, if any, have ended. Whoever comes after them
 * reads a clock that is later than any moment that was past before this call. One customer is
 * waited for at a time, so that no other's commands wait behind it.
 */
export async function waitForWriters(
  reads: DataSource,
  tenantId: TenantId,
  customerIds: readonly CustomerId[],
): Promise<void> {
  const unwritten = new Set(await lockHeads(reads, tenantId, FIND_UNWRITTEN, customerIds));
  for (const customerId of customerIds) {
    if (unwritten.has(customerId)) continue;
    await lockHeads(reads, tenantId, WAIT_FOR_WRITER, [customerId]);
  }
}

/** Locks heads in a transaction that ends at once, and answers whose they were. */
async function lockHeads(
  reads: DataSource,
  tenantId: TenantId,
  lock: string,
  customerIds: readonly CustomerId[],
): Promise<readonly CustomerId[]> {
  try {
    return await withConnection(reads, async ({ client }) => {
      await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED; ${setTenant(tenantId)}`);
      const { rows } = await client.query<{ customer_id: CustomerId }>(lock, [customerIds]);
      await client.query("COMMIT");
      return rows.map((row) => row.customer_id);
    });
  } catch (error) {
    const failure = databaseFailure(error);
    throw failure === "bug" || failure === "data" ? error : databaseUnavailable(error);
  }
}

async function getHead(manager: EntityManager, customer: CustomerName): Promise<Head> {
  const { tenantId, customerId } = customer;
  const [row] = await selectRows<HeadRow>(manager, HEAD, [customerId, tenantId]);
  if (row === undefined) throw customerNotFound(customerId);
  return headOf(row);
}

export function headOf(row: HeadRow): Head {
  const { sequence, clock, last_booked_at: lastBookedAt, next_due_at: nextDueAt } = row;
  const now = bookingMoment(clock, lastBookedAt);
  return { sequence, clock, now, nextDueAt };
}

/** Whether something has fallen due that is not booked yet, or may have. */
export function isDue({ nextDueAt, now }: Pick<Head, "nextDueAt" | "now">): boolean {
  return nextDueAt !== null && nextDueAt <= now;
}

/** Whether a transaction that has begun may still book something at or before a past moment. */
export function mayBeBeingWritten(moment: Instant, clock: Instant): boolean {
  const oldest = instant(clock - WRITER_LIFETIME_S_MAX * MICROSECONDS_PER_SECOND);
  return moment < clock && moment >= oldest;
}
