/** Owns the settling of an open charge for its final amount (D5, D9). */
import type { Book } from "../book/book.ts";
import {
  checkCovered,
  checkDraftRoom,
  checkDraws,
  checkScale,
  getCharge,
  getCurrency,
} from "../book/guards.ts";
import type { Allocation, Charge } from "../book/nouns.ts";
import { creditsHeld } from "../book/nouns.ts";
import { refuse } from "../errors.ts";
import { CHARGE_DRAWS_MAX, type Draw, planDraws } from "../ledger/draw-order.ts";
import type { ChargeId, GrantId } from "../ledger/ids.ts";
import { consumeFromLot, holdFromLot, releaseToLot } from "../ledger/postings.ts";
import { type Amount, minAmount } from "../money/amount.ts";
import { invoiceRest } from "./create-charge.ts";
import { chargeRefused, moveOfCharge } from "./moves.ts";
import { rateQuantity } from "./plan-charge.ts";
import { requireLots } from "./release-holds.ts";

export interface SettleCharge {
  readonly chargeId: ChargeId;
  /** The final amount of a charge by amount; null settles for the estimate. */
  readonly amount: Amount | null;
  /** The final quantity of a charge by rate card; null settles for the estimate. */
  readonly quantity: Amount | null;
}

export function settleCharge(book: Book, command: SettleCharge): Charge {
  const charge = getCharge(book, command.chargeId);
  const final = finalAmountOf(book, charge, command);
  if (moveOfCharge(charge, "settle") === "repeat_if_same") {
    if (final === charge.amount) return charge;
    throw chargeRefused("CHARGE_NOT_OPEN", charge);
  }
  requireLots(book, charge);
  const held = creditsHeld(charge);
  const missing = final > held ? final - held : 0n;
  const extra = planExtra(book, charge, missing);
  const available = held + extra.covered;
  if (charge.settlementMode === "CREDIT_ONLY") {
    const { currency, featureKey } = charge;
    checkCovered({ required: final, available, currency, featureKey });
  }
  const rest = final > available ? final - available : 0n;
  const field = charge.rateCardKey === null ? "amount" : "quantity";
  checkDraftRoom(book, charge.currency, rest, field);

  consumeHeld(book, charge, minAmount(final, held), extra.draws);
  charge.status = "SETTLED";
  charge.settledAt = book.now;
  charge.amount = final;
  charge.quantity = command.quantity ?? charge.quantity;
  book.chargeChanged(charge);
  invoiceRest(book, charge, rest);
  return charge;
}

/** The amount to settle for. A charge takes the kind of final figure that it was created by. */
function finalAmountOf(book: Book, charge: Charge, { amount, quantity }: SettleCharge): Amount {
  if (charge.rateCardKey === null || charge.rateCardVersion === null) {
    if (quantity !== null) {
      const message = "a charge by amount settles for an amount";
      throw refuse("INVALID_REQUEST", message, {}, "quantity");
    }
    if (amount === null) return charge.amount;
    checkScale(getCurrency(book, charge.currency), amount, "amount");
    return amount;
  }
  if (amount !== null) {
    const message = "a charge by rate card settles for a quantity";
    throw refuse("INVALID_REQUEST", message, {}, "amount");
  }
  if (quantity === null) return charge.amount;
  const card = book.getRateCardVersion(charge.rateCardKey, charge.rateCardVersion);
  return rateQuantity(card, getCurrency(book, charge.currency), quantity);
}

/** Draws for what the holds do not cover; with them the charge stays within its bound. */
function planExtra(book: Book, charge: Charge, missing: Amount) {
  const lots = missing === 0n ? [] : book.openLots(charge.currency, charge.featureKey);
  const heldFrom = new Set(charge.allocations.map((allocation) => allocation.grantId));
  const plan = planDraws(lots, missing);
  const grants = new Set(heldFrom);
  for (const { lot } of plan.draws) grants.add(lot.id);
  checkDraws(grants.size > CHARGE_DRAWS_MAX ? { ...plan, cut: true } : plan);
  return plan;
}

/**
 * Consumes holds in the order taken, then the extra draws, and releases what is left of the holds,
 * the last taken first. A draw from a grant that is held from already joins its hold first, so
 * that one grant has one CONSUMED movement (D2).
 */
function consumeHeld(book: Book, charge: Charge, amount: Amount, extra: readonly Draw[]): void {
  const { journal } = book;
  const joined = new Map<GrantId, Amount>();
  const heldFrom = new Set(charge.allocations.map((allocation) => allocation.grantId));
  for (const { lot, amount: more } of extra) {
    if (!heldFrom.has(lot.id)) continue;
    holdFromLot(journal, lot, more, charge.id);
    joined.set(lot.id, more);
  }

  const consumed: Allocation[] = [];
  const released: { grantId: GrantId; amount: Amount }[] = [];
  let missing = amount;
  const consume = (grantId: GrantId, part: Amount, from: "customer_held" | "customer_credit") => {
    const transfer = consumeFromLot(journal, book.getLot(grantId), part, from, charge.id);
    charge.firstConsumedSequence ??= transfer.sequence;
    consumed.push({ grantId, amount: part, returned: 0n });
  };
  for (const { grantId, amount: held } of charge.allocations) {
    const part = minAmount(held, missing);
    missing -= part;
    const whole = part + (joined.get(grantId) ?? 0n);
    if (whole > 0n) consume(grantId, whole, "customer_held");
    if (part < held) released.push({ grantId, amount: held - part });
  }
  for (const { lot, amount: part } of extra) {
    if (!heldFrom.has(lot.id)) consume(lot.id, part, "customer_credit");
  }
  for (const { grantId, amount: part } of released.toReversed()) {
    releaseToLot(journal, book.getLot(grantId), part, charge.id);
  }
  charge.allocations = consumed;
}
