/** Owns manual adjustments (G8): credit given, or taken where it is free, with a reason. */
import { type Book, EVERY_FEATURE } from "../book/book.ts";
import {
  checkCovered,
  checkDraws,
  checkIssue,
  checkScale,
  getCurrency,
  getGrant,
} from "../book/guards.ts";
import type { GrantTerms, Metadata } from "../book/nouns.ts";
import { refuse } from "../errors.ts";
import { planDraws } from "../ledger/draw-order.ts";
import type { GrantId } from "../ledger/ids.ts";
import type { Lot } from "../ledger/lot.ts";
import { adjustOutOfLot, fundLot } from "../ledger/postings.ts";
import type { Transfer } from "../ledger/transfer.ts";
import type { Amount } from "../money/amount.ts";
import type { Currency, CurrencyCode } from "../money/currency.ts";
import type { CreditGrantResult } from "./create-credit-grant.ts";

/** The place in the draw order of credit given by hand (G8). */
export const ADJUSTMENT_PRIORITY = 10;

export interface AdjustCredits {
  readonly currency: CurrencyCode;
  /** Positive gives, negative takes; never zero. */
  readonly amount: Amount;
  readonly reason: string;
  readonly grantId: GrantId | null;
  readonly metadata: Metadata;
}

export interface AdjustCreditsResult {
  readonly transfers: readonly Transfer[];
  /** The grant that a positive adjustment created. */
  readonly grant: CreditGrantResult | null;
  readonly reason: string;
  readonly metadata: Metadata;
}

export function adjustCredits(book: Book, command: AdjustCredits): AdjustCreditsResult {
  const named = command.grantId === null ? null : getGrant(book, command.grantId);
  const currency = getCurrency(book, command.currency);
  return command.amount > 0n
    ? giveCredit(book, currency, command)
    : takeCredit(book, { currency, named }, command);
}

function giveCredit(book: Book, currency: Currency, command: AdjustCredits): AdjustCreditsResult {
  const { amount, reason, metadata } = command;
  checkIssue(book, currency, amount);

  const { id, number } = book.nextIdentity<GrantId>();
  const lot: Lot = {
    id,
    number,
    currency: currency.code,
    amount,
    fundingMethod: "PROMOTIONAL",
    availability: null,
    features: [],
    priority: ADJUSTMENT_PRIORITY,
    expiresAfter: null,
    status: "PENDING",
    settlementStatus: null,
    effectiveAt: book.now,
    expiresAt: null,
    remaining: 0n,
    held: 0n,
    accrued: 0n,
    adjustedUnpaid: 0n,
    firstSequence: null,
    voidedAt: null,
    voidReason: null,
  };
  const terms: GrantTerms = {
    name: "",
    description: reason,
    metadata,
    purchase: null,
    invoiceId: null,
    createdAt: book.now,
  };
  book.issue(currency.code, amount);
  book.addGrant(lot, terms);
  const transfers = book.withNote({ description: reason, metadata }, () => {
    fundLot(book.journal, lot, "ADJUSTED");
  });
  return { transfers, grant: { lot, terms }, reason, metadata };
}

function takeCredit(
  book: Book,
  { currency, named }: { readonly currency: Currency; readonly named: Lot | null },
  command: AdjustCredits,
): AdjustCreditsResult {
  const { reason, metadata } = command;
  const amount = -command.amount;
  if (named !== null && named.currency !== currency.code) {
    const message = `the credit grant is in ${named.currency}`;
    throw refuse("INVALID_REQUEST", message, {}, "currency");
  }
  checkScale(currency, amount, "amount");
  if (named !== null && named.status !== "ACTIVE") {
    const facts = { credit_grant_id: named.id, status: named.status };
    throw refuse("CREDIT_GRANT_NOT_ACTIVE", `the credit grant is ${named.status}`, facts);
  }
  const lots = named === null ? book.openLots(currency.code, EVERY_FEATURE) : [named];
  const plan = planDraws(lots, amount);
  checkDraws(plan);
  checkCovered({ required: amount, available: plan.covered, currency: currency.code });

  const transfers = book.withNote({ description: reason, metadata }, () => {
    for (const draw of plan.draws) adjustOutOfLot(book.journal, draw.lot, draw.amount);
  });
  return { transfers, grant: null, reason, metadata };
}
