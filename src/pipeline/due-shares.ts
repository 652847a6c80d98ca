/**
 * Owns how much of what has fallen due one transaction books: of one customer, and of several who
 * share it. All of it is bounded, because a transaction that is too long holds up everyone.
 */
import type { DueBounds } from "../charge/book-due.ts";

/** Charges of a customer that have timed out, as many as are looked at in one transaction. */
export interface CutCharges<Row> {
  readonly rows: readonly Row[];
  /** Whether there are more than these. */
  readonly more: boolean;
  /** How many grants they hold. */
  readonly draws: number;
}

/** Together the customers of a transaction book no more than one alone may. */
export function shareOf({ eventsMax, transfersMax }: DueBounds, customers: number): DueBounds {
  return {
    eventsMax: Math.ceil(eventsMax / customers),
    transfersMax: Math.ceil(transfersMax / customers),
  };
}

/**
 * The first charge, and as many behind it as can be booked with it: each grant that is released may
 * end at once, which makes two transfers. `limit` rows were asked for; so many say that there may
 * be more.
 */
export function cutCharges<Row extends { readonly draw_credit_grant_ids: readonly string[] }>(
  rows: readonly Row[],
  limit: number,
  { transfersMax }: DueBounds,
): CutCharges<Row> {
  let draws = 0;
  let count = 0;
  for (const row of rows) {
    const own = row.draw_credit_grant_ids.length;
    if (count > 0 && 2 * (draws + own) > transfersMax) break;
    draws += own;
    count += 1;
  }
  const more = count < rows.length || rows.length === limit;
  return { rows: rows.slice(0, count), more, draws };
}

/**
 * Leaves out customers when the holds of all are too many to be released together. Those with the
 * most come first, so that none of them waits for others again and again.
 */
export function divide<Customer>(
  due: readonly Customer[],
  drawsOf: (customer: Customer) => number,
  { transfersMax }: DueBounds,
): { readonly booked: readonly Customer[]; readonly left: readonly Customer[] } {
  const booked: Customer[] = [];
  const left: Customer[] = [];
  let draws = 0;
  for (const customer of due.toSorted((one, other) => drawsOf(other) - drawsOf(one))) {
    const own = drawsOf(customer);
    if (own > 0 && draws > 0 && draws + own > transfersMax) {
      left.push(customer);
    } else {
      draws += own;
      booked.push(customer);
    }
  }
  return { booked, left };
}
