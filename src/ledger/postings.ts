/**
 * Owns what each event does to a lot and its accounts (L5). Every function here has effects only:
 * the verbs have checked everything before they call.
 */
import { assert } from "../errors.ts";
import type { Amount } from "../money/amount.ts";
import { addDuration, parseDuration } from "../money/duration.ts";
import { earlierOf, LATEST_INSTANT } from "../money/time.ts";
import type { Account } from "./chart.ts";
import type { ChargeId } from "./ids.ts";
import type { Journal } from "./journal.ts";
import { freeOf, isPaid, type Lot } from "./lot.ts";
import type { Transfer } from "./transfer.ts";

/** Where used credit goes: earned, or accrued while nobody has paid for it yet. */
function usedAccount(lot: Lot): Account {
  return isPaid(lot) ? "earnings" : "accrued";
}

/** Where credit goes that is taken back from a lot unused: where a void would send it. */
function forfeitAccount(lot: Lot): Account {
  if (lot.fundingMethod === "PROMOTIONAL") return "promotion";
  return lot.settlementStatus === "SETTLED" ? "breakage" : "receivable_open";
}

/** Makes a pending lot's credit available, with its one FUNDED (or first ADJUSTED) movement. */
export function fundLot(journal: Journal, lot: Lot, event: "FUNDED" | "ADJUSTED" = "FUNDED"): void {
  assert(lot.status === "PENDING", "only a pending lot is funded, and once");
  const debit = lot.fundingMethod === "PROMOTIONAL" ? "promotion" : "receivable_open";
  const { amount } = lot;
  const transfer = journal.post({
    event,
    debit,
    credit: "customer_credit",
    amount,
    lot,
    chargeId: null,
  });
  lot.status = "ACTIVE";
  lot.firstSequence = transfer.sequence;
  lot.effectiveAt = transfer.bookedAt;
  if (lot.expiresAfter === null) return;
  const duration = parseDuration(lot.expiresAfter);
  assert(duration !== undefined, "a stored duration is well formed");
  lot.expiresAt = earlierOf(addDuration(lot.effectiveAt, duration), LATEST_INSTANT);
}

export function holdFromLot(
  journal: Journal,
  lot: Lot,
  amount: Amount,
  chargeId: ChargeId,
): Transfer {
  return journal.post({
    event: "HELD",
    debit: "customer_credit",
    credit: "customer_held",
    amount,
    lot,
    chargeId,
  });
}

/** Releases held credit; what belongs to a lot that has ended meanwhile ends at once (D6). */
export function releaseToLot(journal: Journal, lot: Lot, amount: Amount, chargeId: ChargeId): void {
  journal.post({
    event: "RELEASED",
    debit: "customer_held",
    credit: "customer_credit",
    amount,
    lot,
    chargeId,
  });
  endReturned(journal, lot, chargeId);
}

export function consumeFromLot(
  journal: Journal,
  lot: Lot,
  amount: Amount,
  from: "customer_credit" | "customer_held",
  chargeId: ChargeId,
): Transfer {
  const transfer = journal.post({
    event: "CONSUMED",
    debit: from,
    credit: usedAccount(lot),
    amount,
    lot,
    chargeId,
  });
  if (lot.status === "ACTIVE" && lot.remaining === 0n) lot.status = "EXHAUSTED";
  return transfer;
}

/** Gives consumed credit back to its lot; in a lot that has ended it ends again at once (D7). */
export function correctToLot(journal: Journal, lot: Lot, amount: Amount, chargeId: ChargeId): void {
  journal.post({
    event: "CORRECTED",
    debit: usedAccount(lot),
    credit: "customer_credit",
    amount,
    lot,
    chargeId,
  });
  if (lot.status === "EXHAUSTED") {
    const expired = lot.expiresAt !== null && lot.expiresAt <= journal.now;
    lot.status = expired ? "EXPIRED" : "ACTIVE";
  }
  endReturned(journal, lot, chargeId);
}

/** What comes back to an expired or voided lot leaves it again, for the charge's sake (D6). */
function endReturned(journal: Journal, lot: Lot, chargeId: ChargeId): void {
  if (lot.status === "EXPIRED") postExpiry(journal, lot, chargeId);
  if (lot.status === "VOIDED") postVoid(journal, lot, chargeId);
}

/** Expires a lot: what is free ends, what is held stays for its charge (M5, D6). */
export function expireLot(journal: Journal, lot: Lot): void {
  assert(lot.status === "ACTIVE", "only an active lot expires");
  lot.status = "EXPIRED";
  journal.touch(lot);
  postExpiry(journal, lot, null);
}

/** Voids a lot: what is free is forfeited, what is held stays for its charge (G6, D6). */
export function voidLot(journal: Journal, lot: Lot, reason: string | null): void {
  lot.status = "VOIDED";
  lot.voidedAt = journal.bookingAt;
  lot.voidReason = reason;
  journal.touch(lot);
  postVoid(journal, lot, null);
}

function postExpiry(journal: Journal, lot: Lot, chargeId: ChargeId | null): void {
  const amount = freeOf(lot);
  if (amount === 0n) return;
  const debit = "customer_credit";
  journal.post({ event: "EXPIRED", debit, credit: "breakage", amount, lot, chargeId });
}

function postVoid(journal: Journal, lot: Lot, chargeId: ChargeId | null): void {
  const amount = freeOf(lot);
  if (amount === 0n) return;
  const debit = "customer_credit";
  journal.post({ event: "VOIDED", debit, credit: forfeitAccount(lot), amount, lot, chargeId });
}

/** Takes credit out of a lot by hand, to where a void of it would go (G8). */
export function adjustOutOfLot(journal: Journal, lot: Lot, amount: Amount): Transfer {
  const transfer = journal.post({
    event: "ADJUSTED",
    debit: "customer_credit",
    credit: forfeitAccount(lot),
    amount,
    lot,
    chargeId: null,
  });
  if (!isPaid(lot)) lot.adjustedUnpaid += amount;
  if (lot.status === "ACTIVE" && lot.remaining === 0n) lot.status = "EXHAUSTED";
  return transfer;
}

/** Books that the payment of a lot was authorized, for its whole amount. */
export function authorizeLot(journal: Journal, lot: Lot): void {
  assert(lot.settlementStatus === "PENDING", "an authorization is booked once");
  journal.post({
    event: "PAYMENT_AUTHORIZED",
    debit: "receivable_authorized",
    credit: "receivable_open",
    amount: lot.amount,
    lot,
    chargeId: null,
  });
  lot.settlementStatus = "AUTHORIZED";
}

/** Books an authorization back: it failed, or the payment is given up. */
export function reverseAuthorizationOfLot(journal: Journal, lot: Lot): void {
  assert(lot.settlementStatus === "AUTHORIZED", "only an authorization is booked back");
  journal.post({
    event: "AUTHORIZATION_REVERSED",
    debit: "receivable_open",
    credit: "receivable_authorized",
    amount: lot.amount,
    lot,
    chargeId: null,
  });
  lot.settlementStatus = "PENDING";
}

/**
 * Books that the payment of a lot has settled: what was used is earned now, and what adjustments
 * took out while it was unpaid ends in breakage, because it has been paid for after all.
 */
export function settleLot(journal: Journal, lot: Lot): void {
  if (lot.settlementStatus === "PENDING") authorizeLot(journal, lot);
  assert(lot.settlementStatus === "AUTHORIZED", "a payment settles once");
  const post = { lot, chargeId: null };
  journal.post({
    ...post,
    event: "PAYMENT_SETTLED",
    debit: "settlement",
    credit: "receivable_authorized",
    amount: lot.amount,
  });
  lot.settlementStatus = "SETTLED";
  if (lot.accrued > 0n) {
    const amount = lot.accrued;
    journal.post({ ...post, event: "RECOGNIZED", debit: "accrued", credit: "earnings", amount });
  }
  if (lot.adjustedUnpaid === 0n) return;
  const amount = lot.adjustedUnpaid;
  lot.adjustedUnpaid = 0n;
  forfeitPayment(journal, lot, amount);
}

/** Books that paid credit will not become available: it ends in breakage without a movement. */
export function forfeitPayment(journal: Journal, lot: Lot, amount: Amount): void {
  journal.post({
    event: "FORFEITED",
    debit: "receivable_open",
    credit: "breakage",
    amount,
    lot,
    chargeId: null,
  });
}
