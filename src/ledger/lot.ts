/**
 * Owns the lot: the part of a credit grant that the ledger moves. What only describes the grant
 * (name, purchase terms, metadata) stands beside it in `book/nouns.ts`.
 */
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import type { GrantId } from "./ids.ts";

export type FundingMethod = "PROMOTIONAL" | "INVOICE" | "EXTERNAL";
export type GrantStatus = "PENDING" | "ACTIVE" | "EXHAUSTED" | "EXPIRED" | "VOIDED";
export type SettlementStatus = "PENDING" | "AUTHORIZED" | "SETTLED" | "FAILED";
export type Availability = "ON_CREATION" | "ON_AUTHORIZATION" | "ON_SETTLEMENT";

export interface Lot {
  readonly id: GrantId;
  /** The creation sequence among the customer's objects. */
  readonly number: bigint;
  readonly currency: CurrencyCode;
  readonly amount: Amount;
  readonly fundingMethod: FundingMethod;
  /** Null for promotional credit, which nobody pays for. */
  readonly availability: Availability | null;
  readonly features: readonly string[];
  readonly priority: number;
  readonly expiresAfter: string | null;

  status: GrantStatus;
  /** Null for promotional credit. */
  settlementStatus: SettlementStatus | null;
  /** What was asked for until the credit is available, then the moment it became so (G2). */
  effectiveAt: Instant;
  expiresAt: Instant | null;
  /** What has not been consumed or ended; includes `held`; 0 until the credit is available. */
  remaining: Amount;
  held: Amount;
  /** Consumed while the grant was not paid for: stands in `accrued` until payment settles. */
  accrued: Amount;
  /** Taken out by adjustments while the grant was not paid for; ends in breakage when it is. */
  adjustedUnpaid: Amount;
  /** The sequence of the first movement; null until the credit is available. */
  firstSequence: bigint | null;
  voidedAt: Instant | null;
  voidReason: string | null;
}

/** What can be drawn, voided or adjusted: what no open charge holds. */
export function freeOf(lot: Lot): Amount {
  return lot.remaining - lot.held;
}

/** Whether nobody has to pay for this credit any more, so that using it is earning it (L5). */
export function isPaid(lot: Lot): boolean {
  return lot.settlementStatus === null || lot.settlementStatus === "SETTLED";
}

/** Whether only time keeps a pending grant from becoming available. */
export function isFunded(lot: Pick<Lot, "availability" | "settlementStatus">): boolean {
  switch (lot.availability) {
    case null:
    case "ON_CREATION":
      return true;
    case "ON_AUTHORIZATION":
      return lot.settlementStatus === "AUTHORIZED" || lot.settlementStatus === "SETTLED";
    case "ON_SETTLEMENT":
      return lot.settlementStatus === "SETTLED";
  }
}

/** Whether credit limited to these features may pay for a charge of that feature (G7). */
export function allowsFeature(features: readonly string[], featureKey: string | null): boolean {
  if (features.length === 0) return true;
  return featureKey !== null && features.includes(featureKey);
}
