/**
 * Owns what payment does to a grant, whether it comes through an invoice of this service or is
 * reported from elsewhere: both drive the same lot (G2, G5, G6, I2). Effects only.
 */

import type { Book } from "../book/book.ts";
import { assert } from "../errors.ts";
import { isFunded, isPaid, type Lot } from "../ledger/lot.ts";
import {
  authorizeLot,
  expireLot,
  forfeitPayment,
  fundLot,
  reverseAuthorizationOfLot,
  settleLot,
  voidLot,
} from "../ledger/postings.ts";

/**
 * Makes a pending grant's credit available when neither payment nor time keeps it from that. A
 * grant whose expiry has passed while it waited is funded and expired at the same moment (G2).
 */
export function makeAvailable(book: Book, lot: Lot): void {
  if (lot.status !== "PENDING" || !isFunded(lot)) return;
  if (lot.effectiveAt > book.journal.bookingAt) {
    book.expectDue(lot.effectiveAt);
    return;
  }
  fundLot(book.journal, lot);
  if (lot.expiresAt === null) return;
  if (lot.expiresAt <= book.journal.bookingAt) expireLot(book.journal, lot);
  else book.expectDue(lot.expiresAt);
}

export function authorizePayment(book: Book, lot: Lot): void {
  authorizeLot(book.journal, lot);
  makeAvailable(book, lot);
}

export function settlePayment(book: Book, lot: Lot): void {
  settleLot(book.journal, lot);
  makeAvailable(book, lot);
}

/** A payment attempt failed and may be tried again: credit stays as it is (I1). */
export function failPaymentAttempt(book: Book, lot: Lot): void {
  if (lot.settlementStatus === "AUTHORIZED") reverseAuthorizationOfLot(book.journal, lot);
}

/** Gives a grant's payment up for good; what was consumed stays owed (G6). */
export function giveUpPayment(book: Book, lot: Lot): void {
  assert(
    !isPaid(lot) && lot.settlementStatus !== "FAILED",
    "an unpaid grant's payment is given up",
  );
  if (lot.settlementStatus === "AUTHORIZED") reverseAuthorizationOfLot(book.journal, lot);
  lot.settlementStatus = "FAILED";
  book.journal.touch(lot);
}

/** Voids what a grant has left, whatever its state; an expired one stays expired (G6). */
export function voidCredit(book: Book, lot: Lot, reason: string | null): void {
  if (lot.status === "EXPIRED" || lot.status === "VOIDED") return;
  const paidInVain = lot.status === "PENDING" && lot.settlementStatus === "SETTLED";
  if (paidInVain) forfeitPayment(book.journal, lot, lot.amount);
  voidLot(book.journal, lot, reason);
}
