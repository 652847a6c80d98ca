/**
 * Owns storing what the verbs of a batch have posted: one set-based statement for each table that
 * changed, sent together, and every row count checked before anyone may commit.
 */
import type { Book } from "../book/book.ts";
import type { BatchBook } from "./batch-book.ts";
import type { Session } from "./session.ts";
import type { Owned, TableWrite } from "./statement.ts";
import * as writes from "./writes.ts";

/** What a head was when it was locked. */
export type HeadStart = writes.HeadRow;

export function headOf(book: Book): writes.HeadRow {
  return {
    sequence: book.journal.sequence,
    lastBookedAt: book.journal.lastBookedAt,
    nextDueAt: book.nextDueAt,
    objectCount: book.objectCount,
    invoiceCount: book.invoiceCount,
  };
}

const sameHead = (left: writes.HeadRow, right: writes.HeadRow) =>
  left.sequence === right.sequence &&
  left.lastBookedAt === right.lastBookedAt &&
  left.nextDueAt === right.nextDueAt &&
  left.objectCount === right.objectCount &&
  left.invoiceCount === right.invoiceCount;

export async function flush(
  session: Session,
  parts: readonly { readonly batchBook: BatchBook; readonly start: writes.HeadRow }[],
): Promise<void> {
  const sent: Promise<void>[] = [];
  /** Gathers a table's rows from all books, and sends them when there are any. */
  const store = <Row>(
    write: TableWrite<Row>,
    rowsOf: (batchBook: BatchBook, start: writes.HeadRow) => Iterable<Row>,
  ) => {
    const rows: Owned<Row>[] = [];
    for (const { batchBook, start } of parts) {
      const { customerId } = batchBook.book;
      for (const row of rowsOf(batchBook, start)) rows.push({ customerId, row });
    }
    if (rows.length > 0) sent.push(session.store(write.statement, write.values(rows), rows.length));
  };
  await session.begun;

  store(writes.writeHeads, ({ book }, start) => {
    const head = headOf(book);
    return sameHead(head, start) ? [] : [head];
  });
  store(writes.writeProfiles, ({ book }) =>
    book.profileChanged && book.profile !== null ? [book.profile] : [],
  );
  store(writes.writeBalances, ({ book }) => book.journal.touchedBalances);
  store(writes.insertGrants, ({ book }) =>
    [...book.newLots].map((lot) => ({ lot, terms: book.getTerms(lot.id) })),
  );
  store(writes.updateLots, ({ book }) =>
    [...book.journal.touched].filter((lot) => !book.newLots.has(lot)),
  );
  store(writes.insertCharges, ({ book, chargeRequests }) =>
    [...book.newCharges].map((charge) => ({
      charge,
      request: chargeRequests.get(charge) ?? null,
    })),
  );
  store(writes.updateCharges, ({ book }) => book.changedCharges);
  // A draft that was issued makes room for the next one first.
  store(writes.updateInvoices, ({ book }) => book.changedInvoices);
  store(writes.insertInvoices, ({ book }) => book.newInvoices);
  store(writes.deleteLines, ({ book }) => book.removedLines);
  store(writes.updateLines, ({ book }) => book.changedLines);
  store(writes.insertLines, ({ book }) => book.newLines);
  store(writes.insertTransfers, ({ book }) => book.journal.posted);
  store(writes.insertNotes, ({ book }) => book.notes);
  store(writes.insertRequests, ({ requests }) => requests);
  await Promise.all(sent);
}
