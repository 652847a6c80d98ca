/**
 * Owns the booking of what has fallen due: hold timeouts, expiries and activations, in time order,
 * each dated at its own moment (L3, M6). Booking one event can make another due, so it is a loop.
 */
import type { Book, DueList } from "../book/book.ts";
import type { Charge } from "../book/nouns.ts";
import { assert } from "../errors.ts";
import { makeAvailable } from "../grant/payment.ts";
import { compareDue, type Due, nextDueOfLot } from "../ledger/due.ts";
import type { Lot } from "../ledger/lot.ts";
import { expireLot } from "../ledger/postings.ts";
import { earlierOf, type Instant } from "../money/time.ts";
import { cancelOpenCharge } from "./release-holds.ts";

/**
 * One transaction books at most so many due events, or so many transfers, of one customer. An event
 * that has more than that by itself is booked alone.
 */
export interface DueBounds {
  readonly eventsMax: number;
  readonly transfersMax: number;
}

export const DUE_BOUNDS: DueBounds = { eventsMax: 1_000, transfersMax: 5_000 };

/**
 * Books everything due at or before `until` as far as it is loaded and the bounds allow. Returns
 * whether all of it is booked; `book.nextDueAt` then is the next moment at which something is due,
 * or an earlier one where a list was cut.
 */
export function bookDue(
  book: Book,
  list: DueList,
  until: Instant,
  bounds: DueBounds = DUE_BOUNDS,
): boolean {
  const queue = new DueQueue(list);
  const transfersMax = book.journal.posted.length + bounds.transfersMax;
  for (let events = 0; events < bounds.eventsMax; events += 1) {
    const next = queue.first();
    if (next === null || next.due.at > until) break;
    const isFirst = events === 0;
    if (!isFirst && book.journal.posted.length + transfersMaxOf(next) > transfersMax) break;
    queue.takeFirst();
    book.journal.dated(next.due.at, () => bookOne(book, next));
    if (next.lot !== null) queue.add(next.lot);
  }
  book.nextDueAt = earlierOf(queue.nextAt, list.nextDueAt);
  return book.nextDueAt === null || book.nextDueAt > until;
}

type DueItem =
  | { readonly due: Due; readonly lot: Lot; readonly charge: null }
  | { readonly due: Due; readonly lot: null; readonly charge: Charge };

function bookOne(book: Book, item: DueItem): void {
  if (item.charge !== null) {
    cancelOpenCharge(book, item.charge);
  } else if (item.due.kind === "activation") {
    makeAvailable(book, item.lot);
  } else {
    expireLot(book.journal, item.lot);
  }
}

/** At most so many transfers: funded and expired at once, or each hold released and then ended. */
function transfersMaxOf({ charge }: DueItem): number {
  return charge === null ? 2 : 2 * charge.allocations.length;
}

/** What is due, soonest first. Where a loaded list was cut, nothing after its end may be booked. */
class DueQueue {
  /** A binary heap: none is due before its parent, which stands at half its place. */
  readonly #items: DueItem[] = [];
  /** The last loaded item of a list that was cut: what comes after it is not known to be next. */
  readonly #horizon: Due | null;

  constructor(list: DueList) {
    const lots = list.lots.flatMap((lot) => lotItem(lot));
    const charges = list.charges.map((charge) => chargeItem(charge));
    for (const item of [...lots, ...charges]) this.#push(item);
    const ends = [
      ...(list.moreLots ? [lots.at(-1)?.due] : []),
      ...(list.moreCharges ? [charges.at(-1)?.due] : []),
    ].filter((due) => due !== undefined);
    this.#horizon = ends.sort(compareDue)[0] ?? null;
  }

  /** When the next item is due, at the earliest: what a list was cut before may follow at once. */
  get nextAt(): Instant | null {
    return earlierOf(this.#items[0]?.due.at ?? null, this.#horizon?.at ?? null);
  }

  /** The next item that may be booked; null where the list was cut before it. */
  first(): DueItem | null {
    const item = this.#items[0];
    if (item === undefined) return null;
    const beyond = this.#horizon !== null && compareDue(item.due, this.#horizon) > 0;
    return beyond ? null : item;
  }

  takeFirst(): void {
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return;
    let index = 0;
    for (;;) {
      const child = this.#sooner(2 * index + 1, 2 * index + 2);
      const item = this.#items[child];
      if (item === undefined || compareDue(last.due, item.due) <= 0) break;
      this.#items[index] = item;
      index = child;
    }
    this.#items[index] = last;
  }

  /** Puts a lot in its place again when booking it made it due once more. */
  add(lot: Lot): void {
    for (const item of lotItem(lot)) this.#push(item);
  }

  #push(item: DueItem): void {
    let index = this.#items.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#items[parent];
      if (above === undefined || compareDue(above.due, item.due) <= 0) break;
      this.#items[index] = above;
      index = parent;
    }
    this.#items[index] = item;
  }

  /** Which of two neighbours is due first; the left one where there is no right one. */
  #sooner(left: number, right: number): number {
    const [one, other] = [this.#items[left], this.#items[right]];
    return one && other && compareDue(other.due, one.due) < 0 ? right : left;
  }
}

function lotItem(lot: Lot): readonly DueItem[] {
  const due = nextDueOfLot(lot);
  return due === null ? [] : [{ due, lot, charge: null }];
}

function chargeItem(charge: Charge): DueItem {
  assert(charge.status === "OPEN" && charge.holdExpiresAt !== null, "open charges time out");
  const due: Due = { at: charge.holdExpiresAt, kind: "hold_timeout", number: charge.number };
  return { due, lot: null, charge };
}
