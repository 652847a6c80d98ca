/**
 * Owns storing what the verbs of a batch have posted: set-based statements, what charges write in
 * one of them, sent together, and every row count checked before anyone may commit.
 */
import type { Book } from "../book/book.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { Instant } from "../money/time.ts";
import type { BatchBook } from "./batch-book.ts";
import type { Places } from "./places.ts";
import type { Session } from "./session.ts";
import { type RowsToStore, rowsToStore, type TableWrite } from "./statement.ts";
import * as writes from "./writes.ts";

/** What a head was when it was locked. */
export interface HeadStart {
  readonly sequence: bigint;
  readonly lastBookedAt: Instant | null;
  readonly nextDueAt: Instant | null;
  readonly objectCount: bigint;
  readonly invoiceCount: bigint;
}

export function headOf(book: Book): HeadStart {
  return {
    sequence: book.journal.sequence,
    lastBookedAt: book.journal.lastBookedAt,
    nextDueAt: book.nextDueAt,
    objectCount: book.objectCount,
    invoiceCount: book.invoiceCount,
  };
}

const sameHead = (left: HeadStart, right: HeadStart) =>
  left.sequence === right.sequence &&
  left.lastBookedAt === right.lastBookedAt &&
  left.nextDueAt === right.nextDueAt &&
  left.objectCount === right.objectCount &&
  left.invoiceCount === right.invoiceCount;

/** What is stored: the books, and where what they loaded stands. */
interface Parts {
  readonly books: readonly { readonly batchBook: BatchBook; readonly start: HeadStart }[];
  readonly places: Places;
}

/** Gathers a table's rows from all books; nothing where no book has any. */
function gather<Row extends object>(
  { books, places }: Parts,
  write: TableWrite<Row>,
  rowsOf: (batchBook: BatchBook, start: HeadStart) => Iterable<Row>,
): readonly RowsToStore[] {
  const customers: CustomerId[] = [];
  const rows: Row[] = [];
  for (const { batchBook, start } of books) {
    for (const row of rowsOf(batchBook, start)) {
      customers.push(batchBook.book.customerId);
      rows.push(row);
    }
  }
  return rows.length === 0 ? [] : [rowsToStore(write, { customers, rows }, places)];
}

/** The members that are not among those: nearly always all of them, which costs nothing then. */
function without<Member>(all: ReadonlySet<Member>, those: ReadonlySet<Member>): Iterable<Member> {
  return those.size === 0 ? all : [...all].filter((member) => !those.has(member));
}

/** What nearly every charge writes, and nothing else writes more often. */
function gatherOfCharges(parts: Parts): readonly RowsToStore[] {
  return [
    ...gather(parts, writes.writeHeads, ({ book }, start) =>
      sameHead(headOf(book), start) ? [] : [book],
    ),
    ...gather(parts, writes.updateBalances, ({ book: { journal } }) =>
      without(journal.touchedBalances, journal.newBalances),
    ),
    ...gather(parts, writes.updateLots, ({ book }) => without(book.journal.touched, book.newLots)),
    ...gather(parts, writes.insertCharges, ({ book, chargeRequests }) =>
      [...book.newCharges].map((charge) => ({
        charge,
        request: chargeRequests.get(charge) ?? null,
      })),
    ),
    ...gather(parts, writes.insertTransfers, ({ book }) => book.journal.posted),
  ];
}

function gatherOfOthers(parts: Parts): readonly RowsToStore[] {
  return [
    ...gather(parts, writes.writeProfiles, ({ book }) =>
      book.profileChanged && book.profile !== null ? [book.profile] : [],
    ),
    ...gather(parts, writes.insertBalances, ({ book: { journal } }) =>
      [...journal.newBalances].filter((balance) => journal.touchedBalances.has(balance)),
    ),
    ...gather(parts, writes.insertGrants, ({ book }) =>
      [...book.newLots].map((lot) => ({ lot, terms: book.getTerms(lot.id) })),
    ),
    ...gather(parts, writes.updateCharges, ({ book }) => book.changedCharges),
    // A draft that was issued makes room for the next one first.
    ...gather(parts, writes.updateInvoices, ({ book }) => book.changedInvoices),
    ...gather(parts, writes.insertInvoices, ({ book }) => book.newInvoices),
    ...gather(parts, writes.deleteLines, ({ book }) => book.removedLines),
    ...gather(parts, writes.updateLines, ({ book }) => book.changedLines),
    ...gather(parts, writes.insertLines, ({ book }) => book.newLines),
    ...gather(parts, writes.insertNotes, ({ book }) => book.notes),
    ...gather(parts, writes.insertRequests, ({ requests }) => requests),
  ];
}

export async function flush(
  session: Session,
  books: Parts["books"],
  places: Places,
): Promise<void> {
  await session.begun;
  const parts = { books, places };
  const ofCharges = gatherOfCharges(parts);
  // What charges write is one message. The others are sent alone, because each mixture of tables is
  // a statement that every connection prepares.
  const sent = gatherOfOthers(parts).map((rows) => session.storeTogether([rows]));
  if (ofCharges.length > 0) sent.push(session.storeTogether(ofCharges));
  await Promise.all(sent);
}
