/**
 * Owns what a charge would do: its amount by rate card or by word of the caller, the grants it
 * draws and the part that credit does not cover (D1, D2, D3). Decides, posts nothing, so that
 * creating a charge and previewing one cannot differ (D8).
 */
import type { Book } from "../book/book.ts";
import {
  checkCovered,
  checkDraws,
  checkInvoiceable,
  checkScale,
  getCurrency,
} from "../book/guards.ts";
import type { RateCard, SettlementMode } from "../book/nouns.ts";
import { refuse } from "../errors.ts";
import { type DrawPlan, planDraws } from "../ledger/draw-order.ts";
import type { Amount } from "../money/amount.ts";
import type { Currency, CurrencyCode } from "../money/currency.ts";
import { ratePrice } from "../pricing/price.ts";

/** What is charged: an amount of a currency, or a quantity at the newest price of a rate card. */
export type ChargeBasis =
  | {
      readonly by: "amount";
      readonly amount: Amount;
      readonly currency: CurrencyCode;
      readonly settlementMode: SettlementMode;
      readonly featureKey: string | null;
    }
  | { readonly by: "rate_card"; readonly rateCardKey: string; readonly quantity: Amount };

/** A basis with its price applied. */
export interface RatedCharge {
  readonly currency: Currency;
  readonly amount: Amount;
  readonly settlementMode: SettlementMode;
  readonly featureKey: string | null;
  readonly quantity: Amount | null;
  readonly rateCard: RateCard | null;
}

export function rateCharge(book: Book, basis: ChargeBasis): RatedCharge {
  if (basis.by === "amount") {
    const currency = getCurrency(book, basis.currency);
    const { amount, settlementMode, featureKey } = basis;
    if (settlementMode === "CREDIT_THEN_INVOICE") checkInvoiceable(currency, "currency");
    checkScale(currency, amount, "amount");
    return { currency, amount, settlementMode, featureKey, quantity: null, rateCard: null };
  }
  const rateCard = getRateCard(book, basis.rateCardKey);
  const currency = getCurrency(book, rateCard.currency);
  if (rateCard.archivedAt !== null) {
    const facts = { rate_card_key: rateCard.key, version: String(rateCard.version) };
    throw refuse("RATE_CARD_ARCHIVED", `the rate card ${rateCard.key} is archived`, facts);
  }
  const { quantity } = basis;
  const { settlementMode } = rateCard;
  const featureKey = rateCard.featureKey === "" ? null : rateCard.featureKey;
  const amount = rateQuantity(rateCard, currency, quantity);
  return { currency, amount, settlementMode, featureKey, quantity, rateCard };
}

function getRateCard(book: Book, key: string): RateCard {
  const rateCard = book.findNewestRateCard(key);
  if (rateCard !== undefined) return rateCard;
  throw refuse("RATE_CARD_NOT_FOUND", `there is no rate card ${key}`, { rate_card_key: key });
}

/** What a quantity costs at one version of a rate card, rounded once (M3). */
export function rateQuantity(card: RateCard, currency: Currency, quantity: Amount): Amount {
  const limits = { minimum: card.minimumAmount, maximum: card.maximumAmount };
  return ratePrice(card.price, quantity, limits, currency);
}

/** The draws of a charge from what is available now. */
export function planCharge(book: Book, rated: RatedCharge): DrawPlan {
  return planDraws(book.openLots(rated.currency.code, rated.featureKey), rated.amount);
}

/** Refuses a plan that its settlement mode does not allow (D3). */
export function checkPlan(plan: DrawPlan, rated: RatedCharge): void {
  checkDraws(plan);
  if (rated.settlementMode !== "CREDIT_ONLY") return;
  const { amount: required, currency, featureKey } = rated;
  checkCovered({ required, available: plan.covered, currency: currency.code, featureKey });
}
