/** Owns loading and booking what has fallen due for the customers of a batch (M6). */
import type { Book } from "../book/book.ts";
import type { Need } from "../book/need.ts";
import { bookDue, DUE_BOUNDS, type DueBounds } from "../charge/book-due.ts";
import { arrayOf } from "../database/array-parameter.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { Lot } from "../ledger/lot.ts";
import type { Instant } from "../money/time.ts";
import { type CutCharges, cutCharges, divide, shareOf } from "./due-shares.ts";
import { keepCharge, keepLot, loadNeeds } from "./load.ts";
import type { LoadContext } from "./load-context.ts";
import * as statements from "./load-statements.ts";
import type { Placed } from "./places.ts";
import type { ChargeRow, LotRow } from "./rows.ts";

interface NextDueRow {
  readonly customer_id: CustomerId;
  readonly next_due_at: Instant | null;
}

/**
 * Books what is due by each book's `now`, as far as one transaction may. Returns the books for
 * which more is due still: nothing else may happen to them in this transaction.
 */
export async function bookAllDue(
  context: LoadContext,
  bounds: DueBounds = DUE_BOUNDS,
): Promise<ReadonlySet<Book>> {
  const due = [...context.books.values()].filter(
    (book) => book.nextDueAt !== null && book.nextDueAt <= book.now,
  );
  if (due.length === 0) return new Set();
  const customers = arrayOf(
    "uuid",
    due.map((book) => book.customerId),
  );
  const untils = arrayOf(
    "timestamptz",
    due.map((book) => book.now),
  );
  const values = [customers, untils];
  const share = shareOf(bounds, due.length);
  const limit = share.eventsMax + 1;
  const { session } = context;
  const [lotRows, chargeRows, nextRows] = await Promise.all([
    session.rows<Placed<LotRow>>(statements.LOAD_DUE_LOTS, [...values, limit]),
    session.rows<Placed<ChargeRow>>(statements.LOAD_DUE_CHARGES, [...values, limit]),
    session.rows<NextDueRow>(statements.LOAD_NEXT_DUE, values),
  ]);
  const lots = group(lotRows);
  const charges = new Map(
    [...group(chargeRows)].map(([id, rows]) => [id, cutCharges(rows, limit, share)] as const),
  );
  const next = new Map(nextRows.map((row) => [row.customer_id, row.next_due_at]));
  const drawsOf = (book: Book) => charges.get(book.customerId)?.draws ?? 0;
  const { booked, left } = divide(due, drawsOf, bounds);
  await loadHeldLots(context, booked, charges);

  const unfinished = new Set<Book>(left);
  for (const book of booked) {
    const ownLots: readonly Lot[] = (lots.get(book.customerId) ?? []).map((row) =>
      keepLot(book, row, context.places),
    );
    const cut = charges.get(book.customerId);
    const ownCharges = (cut?.rows ?? []).map((row) => keepCharge(book, row, context.places));
    const list = {
      lots: ownLots,
      charges: ownCharges,
      moreLots: ownLots.length === limit,
      moreCharges: cut?.more ?? false,
      nextDueAt: next.get(book.customerId) ?? null,
    };
    if (!bookDue(book, list, book.now, share)) unfinished.add(book);
  }
  return unfinished;
}

/** A hold that times out is released to its lots, ended ones too. */
async function loadHeldLots(
  context: LoadContext,
  due: readonly Book[],
  charges: ReadonlyMap<CustomerId, CutCharges<ChargeRow>>,
): Promise<void> {
  const needs = new Map<CustomerId, Need[]>();
  for (const book of due) {
    const rows = charges.get(book.customerId)?.rows ?? [];
    const ids = new Set(rows.flatMap((row) => row.draw_credit_grant_ids));
    const list = [...ids].map((id): Need => ({ kind: "grant", id }));
    if (list.length > 0) needs.set(book.customerId, list);
  }
  await loadNeeds(context, needs);
}

function group<Row extends { readonly customer_id: CustomerId }>(
  rows: readonly Row[],
): ReadonlyMap<CustomerId, Row[]> {
  const groups = new Map<CustomerId, Row[]>();
  for (const row of rows) {
    const same = groups.get(row.customer_id);
    if (same === undefined) groups.set(row.customer_id, [row]);
    else same.push(row);
  }
  return groups;
}
