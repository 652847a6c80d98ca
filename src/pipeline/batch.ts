/**
 * Owns one transaction of a lane: lock the customers, load their books, book what is due, run the
 * commands in arrival order, store what they posted. Nobody is answered from here.
 */
import { Book } from "../book/book.ts";
import type { Need } from "../book/need.ts";
import { customerNotFound } from "../customer/customer-not-found.ts";
import { arrayOf } from "../database/array-parameter.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import { type Balance, Journal } from "../ledger/journal.ts";
import type { CurrencyCode } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import { BatchBook, type Job } from "./batch-book.ts";
import type { CurrencyCache } from "./currency-cache.ts";
import { flush, headOf } from "./flush.ts";
import { fetchNeeds, loadNeeds } from "./load.ts";
import type { LoadContext, LoadSource, Needs } from "./load-context.ts";
import { bookAllDue } from "./load-due.ts";
import { balancesByCustomer, readOpening } from "./opening.ts";
import type { Outcome } from "./pending.ts";
import { type Placed, Places } from "./places.ts";
import { loadFirstAnswers } from "./replay.ts";
import type { Session } from "./session.ts";
import type { Statement } from "./statement.ts";

const LOCK_COLUMNS = `ctid, customer_id, sequence, last_booked_at, next_due_at, object_count,
  invoice_count`;

/** Takes the customers that nobody else holds, in id order, and passes over the others. */
export const LOCK_FREE: Statement = {
  name: "lock_free_heads",
  text: `SELECT ${LOCK_COLUMNS} FROM customer_head WHERE customer_id = ANY($1::uuid[])
    ORDER BY customer_id FOR NO KEY UPDATE SKIP LOCKED`,
};

/** A customer that another process holds keeps the others of its lane waiting no longer. */
const LIMIT_LOCK_WAIT = {
  short: { name: "limit_lock_wait_short", text: "SET LOCAL lock_timeout = '25ms'" },
  long: { name: "limit_lock_wait_long", text: "SET LOCAL lock_timeout = '500ms'" },
} as const satisfies Record<string, Statement>;

export type LockWait = keyof typeof LIMIT_LOCK_WAIT;

/** Waits for the customers, for as long as the transaction's lock_timeout allows. */
const LOCK_WAITING: Statement = {
  name: "lock_heads",
  text: `SELECT ${LOCK_COLUMNS} FROM customer_head WHERE customer_id = ANY($1::uuid[])
    ORDER BY customer_id FOR NO KEY UPDATE`,
};

const FIND_HEADS: Statement = {
  name: "find_heads",
  text: "SELECT customer_id FROM customer_head WHERE customer_id = ANY($1::uuid[])",
};

export interface LockedRow {
  readonly customer_id: CustomerId;
  readonly sequence: bigint;
  readonly last_booked_at: Instant | null;
  readonly next_due_at: Instant | null;
  readonly object_count: bigint;
  readonly invoice_count: bigint;
}

export interface BatchResult {
  readonly outcomes: ReadonlyMap<Job, Outcome>;
  /** Commands whose customer another process holds. */
  readonly missed: readonly Job[];
  /** Commands that wait until the rest of what is due is booked. */
  readonly waiting: readonly Job[];
  /** Customers whom another process holds. */
  readonly held: ReadonlySet<CustomerId>;
  /** Those, and customers for whom more is due still. */
  readonly unfinished: ReadonlySet<CustomerId>;
  /** How far each customer that changed has come. */
  readonly sequences: ReadonlyMap<CustomerId, bigint>;
  /** How many transfers were booked because something had fallen due. */
  readonly dueTransfers: number;
}

export interface BatchRequest {
  readonly tenantId: TenantId;
  readonly jobs: readonly Job[];
  /** Customers without commands for whom only what is due is booked. */
  readonly dueOnly: readonly CustomerId[];
  /** How long to wait for customers that others hold; null passes over them. */
  readonly lockWait: LockWait | null;
}

export class BatchRunner {
  readonly #currencies: CurrencyCache;
  readonly #random32: () => number;

  constructor(needs: { readonly currencies: CurrencyCache; readonly random32: () => number }) {
    this.#currencies = needs.currencies;
    this.#random32 = needs.random32;
  }

  async run(session: Session, request: BatchRequest): Promise<BatchResult> {
    const jobsOf = groupByCustomer(request.jobs);
    const customers = [...new Set([...jobsOf.keys(), ...request.dueOnly])].sort();
    const { tenantId, lockWait } = request;
    if (lockWait !== null) await session.query(LIMIT_LOCK_WAIT[lockWait], []);
    const named = arrayOf("uuid", customers);
    const source: LoadSource = { session, tenantId, currencies: this.#currencies };
    const writes = request.jobs.map(({ write }) => write);
    const [heads, opening, keepFirstNeeds] = await Promise.all([
      session.rows<Placed<LockedRow>>(lockWait === null ? LOCK_FREE : LOCK_WAITING, [named]),
      readOpening(session, named, writes),
      fetchNeeds(source, firstNeeds(jobsOf)),
    ]);
    const firstAnswers = await loadFirstAnswers(session, opening.requests);

    const { clock } = opening;
    const places = new Places();
    const balancesOf = balancesByCustomer(opening, places);
    const parts = heads.map((head) => {
      const own = balancesOf.get(head.customer_id) ?? new Map();
      const book = openBook(head, { clock, balances: own, random32: this.#random32 });
      places.keep(book, head);
      const batchBook = new BatchBook(book, jobsOf.get(book.customerId) ?? []);
      for (const [id, first] of firstAnswers.get(book.customerId) ?? []) {
        batchBook.knowFirstAnswer(id, first);
      }
      return { batchBook, start: headOf(book) };
    });
    const context: LoadContext = {
      ...source,
      books: new Map(parts.map(({ batchBook }) => [batchBook.book.customerId, batchBook.book])),
      places,
    };
    keepFirstNeeds(context);
    const unfinished = await bookAllDue(context);
    const dueTransfers = parts.reduce(
      (sum, { batchBook }) => sum + batchBook.book.journal.posted.length,
      0,
    );
    const ready = parts.filter(({ batchBook }) => !unfinished.has(batchBook.book));
    await runAll(
      context,
      ready.map(({ batchBook }) => batchBook),
    );
    const sound = parts.filter(({ batchBook }) => !batchBook.broken);
    await flush(session, sound, places);

    const locked = new Set(heads.map((head) => head.customer_id));
    const unlocked = customers.filter((customer) => !locked.has(customer));
    const absent = await findAbsent(session, unlocked);
    const held = unlocked.filter((customer) => !absent.includes(customer));
    return {
      outcomes: new Map([
        ...parts.flatMap(({ batchBook }) => [...batchBook.outcomes]),
        ...absent.flatMap((customer) => (jobsOf.get(customer) ?? []).map(notFound)),
      ]),
      missed: held.flatMap((customer) => jobsOf.get(customer) ?? []),
      waiting: [...unfinished].flatMap((book) => jobsOf.get(book.customerId) ?? []),
      dueTransfers,
      held: new Set(held),
      unfinished: new Set([...held, ...[...unfinished].map((book) => book.customerId)]),
      sequences: new Map(
        sound
          .filter(({ batchBook, start }) => batchBook.book.journal.sequence !== start.sequence)
          .map(({ batchBook: { book } }) => [book.customerId, book.journal.sequence]),
      ),
    };
  }
}

function groupByCustomer(jobs: readonly Job[]): ReadonlyMap<CustomerId, readonly Job[]> {
  const groups = new Map<CustomerId, Job[]>();
  for (const job of jobs) {
    const same = groups.get(job.write.customerId);
    if (same === undefined) groups.set(job.write.customerId, [job]);
    else same.push(job);
  }
  return groups;
}

/** Makes a customer's book from its head and balances; everything else is loaded as needed. */
export function openBook(
  head: LockedRow,
  known: {
    readonly clock: Instant;
    readonly balances: Map<CurrencyCode, Balance>;
    readonly random32: () => number;
  },
): Book {
  return new Book({
    customerId: head.customer_id,
    journal: new Journal({
      clock: known.clock,
      sequence: head.sequence,
      lastBookedAt: head.last_booked_at,
      balances: known.balances,
    }),
    objectCount: head.object_count,
    invoiceCount: head.invoice_count,
    nextDueAt: head.next_due_at,
    random32: known.random32,
  });
}

/** What the commands of each customer will surely ask for. */
function firstNeeds(jobsOf: ReadonlyMap<CustomerId, readonly Job[]>): Needs {
  const needs = new Map<CustomerId, readonly Need[]>();
  for (const [customerId, jobs] of jobsOf) {
    needs.set(
      customerId,
      jobs.flatMap((job) => job.write.needs),
    );
  }
  return needs;
}

/** Runs every book's commands, loading what they turn out to need, until all are done. */
async function runAll(context: LoadContext, batchBooks: readonly BatchBook[]): Promise<void> {
  let pending = batchBooks;
  for (;;) {
    const needs = new Map<CustomerId, readonly Need[]>();
    for (const batchBook of pending) {
      const missing = batchBook.run();
      if (missing.length > 0) needs.set(batchBook.book.customerId, missing);
    }
    if (needs.size === 0) return;
    pending = pending.filter(({ book }) => needs.has(book.customerId));
    await loadNeeds(context, needs);
  }
}

async function findAbsent(
  session: Session,
  customers: readonly CustomerId[],
): Promise<readonly CustomerId[]> {
  if (customers.length === 0) return [];
  const named = arrayOf("uuid", customers);
  const rows = await session.rows<{ customer_id: CustomerId }>(FIND_HEADS, [named]);
  const existing = new Set(rows.map((row) => row.customer_id));
  return customers.filter((customer) => !existing.has(customer));
}

function notFound(job: Job): readonly [Job, Outcome] {
  return [job, { kind: "failed", error: customerNotFound(job.write.customerId) }];
}
