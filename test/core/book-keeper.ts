/**
 * Owns a customer in memory: what the pipeline keeps in PostgreSQL, kept in maps. Each command gets
 * a book of its own that loads what it asks for, bit by bit, as the pipeline's does. So a verb that
 * posts before it has everything is found out, and so is one that forgets to say what it changed.
 */
import { expect } from "vitest";
import { Book, type MovementNote } from "../../src/book/book.ts";
import { NotLoaded } from "../../src/book/need.ts";
import type { Charge, GrantTerms, Invoice, InvoiceLine, RateCard } from "../../src/book/nouns.ts";
import { bookDue, DUE_BOUNDS, type DueBounds } from "../../src/charge/book-due.ts";
import { Refusal } from "../../src/errors.ts";
import type {
  ChargeId,
  CustomerId,
  GrantId,
  InvoiceId,
  InvoiceLineId,
} from "../../src/ledger/ids.ts";
import { type Balance, Journal } from "../../src/ledger/journal.ts";
import type { Lot } from "../../src/ledger/lot.ts";
import type { Transfer } from "../../src/ledger/transfer.ts";
import type { Currency, CurrencyCode } from "../../src/money/currency.ts";
import { type Instant, instant, parseInstant } from "../../src/money/time.ts";
import { checkBooks } from "./check-books.ts";
import { loadDue, loadNeed } from "./load-book.ts";
import { same } from "./same.ts";

/** When every in-memory customer begins. */
export const START = parseInstant("2026-01-01T00:00:00Z");

/** Everything that is kept of one customer, and the tenant's currencies and rate cards. */
export interface Kept {
  readonly transfers: Transfer[];
  readonly balances: Map<CurrencyCode, Balance>;
  readonly lots: Map<GrantId, Lot>;
  readonly terms: Map<GrantId, GrantTerms>;
  readonly charges: Map<ChargeId, Charge>;
  readonly invoices: Map<InvoiceId, Invoice>;
  readonly lines: Map<InvoiceLineId, InvoiceLine>;
  readonly notes: Map<bigint, MovementNote>;
  readonly currencies: Map<CurrencyCode, Currency>;
  readonly rateCards: RateCard[];
  /** The moment of the last booking or creation (L3). */
  lastBookedAt: Instant | null;
  objectCount: bigint;
  invoiceCount: bigint;
  nextDueAt: Instant | null;
}

/** How much is loaded at a time: small pages show what happens at their ends. */
export interface PageSizes {
  readonly shelf: number;
  readonly due: number;
}

type Row = Lot | Charge | Invoice | InvoiceLine;

export class BookKeeper {
  clock: Instant = START;
  readonly kept: Kept;
  /** How many books the last command took to have all that was due booked. */
  dueBooks = 0;
  /** How many transfers each book of due events had that did not finish them. */
  readonly dueTransfers: number[] = [];
  readonly #pages: PageSizes;
  readonly #bounds: DueBounds;
  /** The book of the commands between `begin` and `commit`. */
  #shared: Book | null = null;

  constructor(pages: PageSizes = { shelf: 2, due: 1_000 }, bounds: DueBounds = DUE_BOUNDS) {
    this.#pages = pages;
    this.#bounds = bounds;
    this.kept = {
      transfers: [],
      balances: new Map(),
      lots: new Map(),
      terms: new Map(),
      charges: new Map(),
      invoices: new Map(),
      lines: new Map(),
      notes: new Map(),
      currencies: new Map(),
      rateCards: [],
      lastBookedAt: null,
      objectCount: 0n,
      invoiceCount: 0n,
      nextDueAt: null,
    };
  }

  /** What the next command takes for now (L3). */
  get now(): Instant {
    return (this.#shared ?? this.#open()).now;
  }

  /** Books what is due, runs the verb, keeps what it posted, and checks the books. */
  run<Result>(verb: (book: Book) => Result): Result {
    const book = this.#shared ?? this.#openWithDueBooked();
    const pristine = new Map<object, object>();
    const before = stateOf(book);
    for (;;) {
      rememberRows(book, pristine);
      try {
        const result = verb(book);
        if (this.#shared === null) this.#keep(book);
        return result;
      } catch (error) {
        expectUntouched(book, before, pristine);
        if (error instanceof NotLoaded) {
          for (const need of error.needs) loadNeed(this.kept, book, need, this.#pages.shelf);
          continue;
        }
        if (error instanceof Refusal && this.#shared === null) this.#keep(book);
        throw error;
      }
    }
  }

  /** From here on commands share one book, as those of one customer in a batch do. */
  begin(): void {
    this.#shared ??= this.#openWithDueBooked();
  }

  /** Keeps what the commands since `begin` posted. */
  commit(): void {
    if (this.#shared !== null) this.#keep(this.#shared);
    this.#shared = null;
  }

  /** Books what is due, as a read does. */
  bookDue(): void {
    this.run(() => undefined);
  }

  #open(): Book {
    const { kept } = this;
    const balances = [...kept.balances].map(([code, row]) => [code, { ...row }] as const);
    const journal = new Journal({
      clock: this.clock,
      sequence: BigInt(kept.transfers.length),
      lastBookedAt: kept.lastBookedAt,
      balances: new Map(balances),
    });
    const { objectCount, invoiceCount, nextDueAt } = kept;
    const customerId = "customer" as CustomerId;
    const random32 = () => 0;
    return new Book({ customerId, journal, objectCount, invoiceCount, nextDueAt, random32 });
  }

  #openWithDueBooked(): Book {
    for (this.dueBooks = 1; ; this.dueBooks += 1) {
      const book = this.#open();
      if (book.nextDueAt === null || book.nextDueAt > book.now) return book;
      const list = loadDue(this.kept, book, this.#pages.due);
      if (bookDue(book, list, book.now, this.#bounds)) return book;
      this.dueTransfers.push(book.journal.posted.length);
      this.#keep(book);
      expect(this.dueBooks, "the due loop ends").toBeLessThan(10_000);
    }
  }

  /** Writes what the book says was changed, as the pipeline does, and nothing else. */
  #keep(book: Book): void {
    const { kept } = this;
    kept.transfers.push(...book.journal.posted);
    for (const row of book.journal.touchedBalances) kept.balances.set(row.currency, { ...row });
    for (const lot of [...book.journal.touched, ...book.newLots]) kept.lots.set(lot.id, { ...lot });
    for (const lot of book.newLots) kept.terms.set(lot.id, book.getTerms(lot.id));
    for (const row of [...book.newCharges, ...book.changedCharges]) {
      kept.charges.set(row.id, { ...row });
    }
    for (const row of [...book.newInvoices, ...book.changedInvoices]) {
      kept.invoices.set(row.id, { ...row });
    }
    for (const row of [...book.newLines, ...book.changedLines]) kept.lines.set(row.id, { ...row });
    for (const row of book.removedLines) kept.lines.delete(row.id);
    for (const note of book.notes) kept.notes.set(note.sequence, note);
    kept.lastBookedAt = book.journal.lastBookedAt;
    kept.objectCount = book.objectCount;
    kept.invoiceCount = book.invoiceCount;
    kept.nextDueAt = book.nextDueAt;
    expectAllKept(kept, book);
    checkBooks(kept, bookedUntil(book));
  }
}

/** Up to when all that was due is booked: now, unless more is due than one book may take. */
function bookedUntil({ nextDueAt, now }: Book): Instant {
  return nextDueAt !== null && nextDueAt <= now ? instant(nextDueAt - 1n) : now;
}

function rowsOf(book: Book): readonly Row[] {
  const maps = [book.lots, book.charges, book.invoices, book.lines];
  return maps.flatMap((map) => [...map.values()].filter((row) => row !== null));
}

function rememberRows(book: Book, pristine: Map<object, object>): void {
  for (const row of rowsOf(book)) if (!pristine.has(row)) pristine.set(row, { ...row });
}

/** All that a command can change of a book, beside the rows themselves. */
function stateOf(book: Book) {
  return {
    posted: book.journal.posted.length,
    sequence: book.journal.sequence,
    lastBookedAt: book.journal.lastBookedAt,
    balances: [...book.journal.balances.values()].filter(isUsed).map((row) => ({ ...row })),
    touched: [book.journal.touched.size, book.journal.touchedBalances.size],
    charges: [book.newCharges.size, book.changedCharges.size],
    invoices: [book.newInvoices.size, book.changedInvoices.size],
    lines: [book.newLines.size, book.changedLines.size, book.removedLines.size],
    newLots: book.newLots.size,
    notes: book.notes.length,
    counts: [book.objectCount, book.invoiceCount],
    nextDueAt: book.nextDueAt,
  };
}

/** A balance that was only looked at is not kept: its currency stays unused (B4). */
function isUsed({ issued }: Balance): boolean {
  return issued > 0n;
}

function expectUntouched(
  book: Book,
  before: ReturnType<typeof stateOf>,
  pristine: ReadonlyMap<object, object>,
): void {
  const claim = "a verb that is refused or lacks something leaves its book as it was";
  same(stateOf(book), before, claim);
  for (const row of rowsOf(book)) same<object | undefined>(row, pristine.get(row), claim);
}

function expectAllKept(kept: Kept, book: Book): void {
  const claim = "what a verb changed it has marked to be written";
  for (const row of book.journal.balances.values()) {
    if (isUsed(row)) same<Balance | undefined>(row, kept.balances.get(row.currency), claim);
  }
  const pairs = [
    [book.lots, kept.lots],
    [book.charges, kept.charges],
    [book.invoices, kept.invoices],
    [book.lines, kept.lines],
  ] as const;
  for (const [loaded, stored] of pairs) {
    const rows: ReadonlyMap<string, unknown> = stored;
    for (const [id, row] of loaded) same<unknown>(row ?? undefined, rows.get(id), claim);
  }
}
