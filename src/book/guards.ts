/**
 * Owns the refusals that several verbs share: what a request names must exist, and what it asks
 * for must be representable (M1, M2).
 */
import { refuse } from "../errors.ts";
import { CHARGE_DRAWS_MAX, type DrawPlan } from "../ledger/draw-order.ts";
import type { ChargeId, GrantId, InvoiceId } from "../ledger/ids.ts";
import type { Lot } from "../ledger/lot.ts";
import {
  AMOUNT_LIMIT,
  type Amount,
  fitsScale,
  formatAmount,
  WHOLE_AMOUNT_MAX,
} from "../money/amount.ts";
import { type Currency, type CurrencyCode, creditDecimals } from "../money/currency.ts";
import type { Book } from "./book.ts";
import type { Charge, Invoice } from "./nouns.ts";

/** Asks a customer's book, or the tenant's registry. */
export function getCurrency(known: Pick<Book, "findCurrency">, code: CurrencyCode): Currency {
  const currency = known.findCurrency(code);
  if (currency !== undefined) return currency;
  throw refuse("CURRENCY_NOT_FOUND", `there is no currency ${code}`, { currency: code });
}

export function getGrant(book: Book, id: GrantId): Lot {
  const lot = book.findGrant(id);
  if (lot !== undefined) return lot;
  const facts = { credit_grant_id: id };
  throw refuse("CREDIT_GRANT_NOT_FOUND", "there is no such credit grant", facts);
}

export function getCharge(book: Book, id: ChargeId): Charge {
  const charge = book.findCharge(id);
  if (charge !== undefined) return charge;
  throw refuse("CHARGE_NOT_FOUND", "there is no such charge", { charge_id: id });
}

export function getInvoice(book: Book, id: InvoiceId): Invoice {
  const invoice = book.findInvoice(id);
  if (invoice !== undefined) return invoice;
  throw refuse("INVOICE_NOT_FOUND", "there is no such invoice", { invoice_id: id });
}

/** Refuses an amount that its currency cannot represent (M2). */
export function checkScale(currency: Currency, amount: Amount, field: string): void {
  const decimals = creditDecimals(currency);
  if (fitsScale(amount, decimals)) return;
  const facts = { currency: currency.code, decimals: String(decimals) };
  const message = `${currency.code} has at most ${decimals} decimals`;
  throw refuse("AMOUNT_TOO_FINE", message, facts, field);
}

/** Refuses an issue of credit that the currency or the customer's sum cannot hold (M1, M2). */
export function checkIssue(book: Book, currency: Currency, amount: Amount): void {
  checkScale(currency, amount, "amount");
  const { issued } = book.balance(currency.code);
  if (issued + amount < AMOUNT_LIMIT) return;
  const facts = { currency: currency.code, issued: formatAmount(issued) };
  const message = "the sum of all credit ever issued must stay below 10^24";
  throw refuse("AMOUNT_OUT_OF_RANGE", message, facts, "amount");
}

/** Refuses money that only a currency of ISO 4217 can be asked for in (D3, I2). */
export function checkInvoiceable(currency: Currency, field: string): void {
  if (currency.iso) return;
  const message = `${currency.code} is not an ISO 4217 currency`;
  throw refuse("CURRENCY_NOT_INVOICEABLE", message, { currency: currency.code }, field);
}

/** Refuses a draw that has more parts than one request may have. */
export function checkDraws(plan: DrawPlan): void {
  if (!plan.cut) return;
  const message = `it would draw from more than ${CHARGE_DRAWS_MAX} grants; divide it into several`;
  throw refuse("TOO_MANY_DRAWS", message, { draws_max: String(CHARGE_DRAWS_MAX) });
}

/** Refuses what credit does not cover, naming what was asked for and what is there (D3). */
export function checkCovered(shortage: {
  readonly required: Amount;
  readonly available: Amount;
  readonly currency: CurrencyCode;
  /** What it was for: other credit may be limited to other features. */
  readonly featureKey?: string | null;
}): void {
  const { required, currency, featureKey } = shortage;
  if (shortage.available >= required) return;
  const available = formatAmount(shortage.available);
  const facts = { required: formatAmount(required), available, currency };
  const use = featureKey ? ` for ${featureKey}` : "";
  throw refuse("INSUFFICIENT_CREDITS", `only ${available} ${currency} is available${use}`, facts);
}

/** Refuses what the draft of its currency has no room for. */
export function checkDraftRoom(
  book: Book,
  currency: CurrencyCode,
  change: Amount,
  field: "amount" | "quantity",
): void {
  if (change === 0n) return;
  const subtotal = book.findDraft(currency)?.subtotal ?? 0n;
  checkSubtotal({ currency, subtotal }, change, field);
}

/**
 * Refuses to change an invoice by more than it has room for: it, too, comes to less than 10^24 in
 * either direction, rounded as well, so that its amounts can be written and read like any other
 * (M1, I3).
 */
export function checkSubtotal(
  { currency, subtotal }: Pick<Invoice, "currency" | "subtotal">,
  change: Amount,
  field?: "amount" | "quantity",
): void {
  const changed = subtotal + change;
  if (changed <= WHOLE_AMOUNT_MAX && changed >= -WHOLE_AMOUNT_MAX) return;
  const facts = { currency, subtotal: formatAmount(subtotal) };
  throw refuse("AMOUNT_OUT_OF_RANGE", "the draft invoice must stay within 10^24", facts, field);
}
