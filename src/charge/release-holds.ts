/** Owns giving up an open charge: every hold is released, the last taken first (D4, D5). */
import type { Book } from "../book/book.ts";
import type { Charge } from "../book/nouns.ts";
import { assert } from "../errors.ts";
import { releaseToLot } from "../ledger/postings.ts";

/** Cancels an open charge, by its owner or because its hold timed out. Effects only. */
export function cancelOpenCharge(book: Book, charge: Charge): void {
  assert(charge.status === "OPEN", "only an open charge is canceled");
  for (const { grantId, amount } of charge.allocations.toReversed()) {
    releaseToLot(book.journal, book.getLot(grantId), amount, charge.id);
  }
  charge.status = "CANCELED";
  charge.canceledAt = book.journal.bookingAt;
  charge.allocations = [];
  book.chargeChanged(charge);
}

/** Asks for the lots of a charge before anything is posted, so that all are loaded at once. */
export function requireLots(book: Book, charge: Charge): void {
  const ids = charge.allocations.map((allocation) => allocation.grantId);
  book.requireGrants(ids, false);
}
