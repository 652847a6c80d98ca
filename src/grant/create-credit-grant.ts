/** Owns the issue of credit (G2, G3, G4, M1, M2, M5). */
import type { Book } from "../book/book.ts";
import { checkInvoiceable, checkIssue, getCurrency } from "../book/guards.ts";
import type { GrantTerms, Invoice, Metadata, PurchaseTerms } from "../book/nouns.ts";
import { refuse } from "../errors.ts";
import { addPurchaseInvoice } from "../invoice/purchase-invoice.ts";
import type { GrantId, InvoiceId } from "../ledger/ids.ts";
import type { Availability, FundingMethod, Lot } from "../ledger/lot.ts";
import { AMOUNT_LIMIT, type Amount, formatAmount } from "../money/amount.ts";
import type { Currency, CurrencyCode } from "../money/currency.ts";
import { addDuration, parseDuration } from "../money/duration.ts";
import { type Instant, LATEST_INSTANT, laterOf } from "../money/time.ts";
import { purchaseAmount } from "../pricing/purchase.ts";
import { makeAvailable } from "./payment.ts";

export interface CreateCreditGrant {
  readonly name: string;
  readonly description: string;
  readonly fundingMethod: FundingMethod;
  readonly currency: CurrencyCode;
  readonly amount: Amount;
  readonly priority: number;
  /** Null: at once. */
  readonly effectiveAt: Instant | null;
  readonly expiresAt: Instant | null;
  readonly expiresAfter: string | null;
  readonly features: readonly string[];
  readonly purchase: {
    readonly currency: CurrencyCode;
    readonly perUnitCost: Amount;
    readonly availability: Availability;
  } | null;
  readonly metadata: Metadata;
}

export interface CreditGrantResult {
  readonly lot: Lot;
  readonly terms: GrantTerms;
}

export function createCreditGrant(
  book: Book,
  command: CreateCreditGrant,
): CreditGrantResult & { readonly invoice: Invoice | null } {
  const currency = getCurrency(book, command.currency);
  const paidIn = command.purchase === null ? null : getCurrency(book, command.purchase.currency);
  if (paidIn !== null) checkInvoiceable(paidIn, "purchase.currency");
  checkIssue(book, currency, command.amount);
  const purchase = agreePurchase(command, paidIn);
  const effectiveAt = laterOf(command.effectiveAt ?? book.now, book.now);
  checkTimes(book, command, effectiveAt);

  const { id, number } = book.nextIdentity<GrantId>();
  const invoiceIdentity =
    command.fundingMethod === "INVOICE" ? book.nextIdentity<InvoiceId>() : null;
  const lot: Lot = {
    id,
    number,
    currency: currency.code,
    amount: command.amount,
    fundingMethod: command.fundingMethod,
    availability: command.purchase?.availability ?? null,
    features: command.features,
    priority: command.priority,
    expiresAfter: command.expiresAfter,
    status: "PENDING",
    settlementStatus: purchase === null ? null : "PENDING",
    effectiveAt,
    expiresAt: command.expiresAt,
    remaining: 0n,
    held: 0n,
    accrued: 0n,
    adjustedUnpaid: 0n,
    firstSequence: null,
    voidedAt: null,
    voidReason: null,
  };
  const terms: GrantTerms = {
    name: command.name,
    description: command.description,
    metadata: command.metadata,
    purchase,
    invoiceId: invoiceIdentity?.id ?? null,
    createdAt: book.now,
  };
  book.issue(currency.code, command.amount);
  book.addGrant(lot, terms);
  const invoice =
    invoiceIdentity === null || purchase === null
      ? null
      : addPurchaseInvoice(book, invoiceIdentity, { lot, terms, purchase });
  makeAvailable(book, lot);
  return { lot, terms, invoice };
}

/** The price of the credit in money; refuses one that no invoice can ask for (M1, M3). */
function agreePurchase(command: CreateCreditGrant, paidIn: Currency | null): PurchaseTerms | null {
  if (command.purchase === null || paidIn === null) return null;
  const { perUnitCost } = command.purchase;
  const { code, exponent } = paidIn;
  const amount = purchaseAmount(command.amount, perUnitCost, exponent);
  const field = "purchase.per_unit_cost";
  if (amount >= AMOUNT_LIMIT) {
    const message = "the purchase amount must stay below 10^24";
    throw refuse("AMOUNT_OUT_OF_RANGE", message, { currency: code }, field);
  }
  if (amount === 0n) {
    const facts = { amount: formatAmount(command.amount), currency: code };
    throw refuse("PURCHASE_ROUNDS_TO_ZERO", "the purchase amount rounds to zero", facts, field);
  }
  return { currency: code, perUnitCost, amount };
}

/** Times are judged by the database's clock (M5). */
function checkTimes(book: Book, command: CreateCreditGrant, effectiveAt: Instant): void {
  if (command.expiresAt !== null && command.expiresAt <= effectiveAt) {
    const what = command.expiresAt <= book.now ? "now" : "effective_at";
    throw refuse("TIME_NOT_IN_FUTURE", `expires_at must lie after ${what}`, {}, "expires_at");
  }
  if (command.expiresAfter === null) return;
  const duration = parseDuration(command.expiresAfter);
  if (duration !== undefined && addDuration(effectiveAt, duration) <= LATEST_INSTANT) return;
  const message = "the credit must expire before 9000-01-01";
  throw refuse("INVALID_REQUEST", message, {}, "expires_after");
}
