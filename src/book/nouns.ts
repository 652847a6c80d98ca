/**
 * Owns the nouns that a customer's book holds beside its journal: the describing part of grants,
 * charges, invoices and their lines. Their verbs stand in the folders of the same names.
 */
import type { ChargeId, CustomerId, GrantId, InvoiceId, InvoiceLineId } from "../ledger/ids.ts";
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import type { Price } from "../pricing/price.ts";

export type Metadata = Readonly<Record<string, string>>;

/** What was agreed for a grant that is paid for (G4): the price in money of its credit. */
export interface PurchaseTerms {
  readonly currency: CurrencyCode;
  readonly perUnitCost: Amount;
  /** Credit amount × cost per unit, rounded once to the minor unit. */
  readonly amount: Amount;
}

/** The part of a credit grant that never changes and that the ledger does not move. */
export interface GrantTerms {
  readonly name: string;
  readonly description: string;
  readonly metadata: Metadata;
  readonly purchase: PurchaseTerms | null;
  readonly invoiceId: InvoiceId | null;
  readonly createdAt: Instant;
}

export type SettlementMode = "CREDIT_THEN_INVOICE" | "CREDIT_ONLY";
export type ChargeStatus = "OPEN" | "SETTLED" | "CANCELED";
export type Capture = "AUTOMATIC" | "MANUAL";

/** What a charge holds or has consumed of one grant, in the order taken. */
export interface Allocation {
  readonly grantId: GrantId;
  readonly amount: Amount;
  /** What corrections gave back of it. */
  readonly returned: Amount;
}

export interface Charge {
  readonly id: ChargeId;
  readonly number: bigint;
  readonly currency: CurrencyCode;
  readonly featureKey: string | null;
  readonly settlementMode: SettlementMode;
  readonly capture: Capture;
  readonly rateCardKey: string | null;
  readonly rateCardVersion: number | null;
  readonly estimatedAmount: Amount;
  readonly holdExpiresAt: Instant | null;
  readonly createdAt: Instant;
  readonly description: string;
  readonly metadata: Metadata;

  status: ChargeStatus;
  /** The estimate while the charge is open, then what it settled for. */
  amount: Amount;
  quantity: Amount | null;
  /** Holds while open; consumption once settled; empty once canceled. */
  allocations: readonly Allocation[];
  /** The part that credit did not cover, as settled. */
  invoicedAmount: Amount;
  /** What corrections took back of the invoiced part. */
  correctedInvoiced: Amount;
  invoiceId: InvoiceId | null;
  invoiceLineId: InvoiceLineId | null;
  /** The sequence of its first CONSUMED transfer; the others follow it without a gap. */
  firstConsumedSequence: bigint | null;
  settledAt: Instant | null;
  canceledAt: Instant | null;
}

/** What an open charge holds of credit. */
export function creditsHeld(charge: Charge): Amount {
  return charge.status === "OPEN" ? sumAllocated(charge) : 0n;
}

/** What a settled charge consumed of credit, as settled. */
export function creditsApplied(charge: Charge): Amount {
  return charge.status === "SETTLED" ? sumAllocated(charge) : 0n;
}

function sumAllocated(charge: Charge): Amount {
  return charge.allocations.reduce((sum, allocation) => sum + allocation.amount, 0n);
}

/** What corrections have taken back of a charge so far, of credit and of invoice lines. */
export function correctedAmount(charge: Charge): Amount {
  return charge.allocations.reduce(
    (sum, allocation) => sum + allocation.returned,
    charge.correctedInvoiced,
  );
}

export type InvoiceKind = "PURCHASE" | "OVERAGE";
export type InvoiceStatus = "DRAFT" | "OPEN" | "AUTHORIZED" | "PAID" | "PAYMENT_FAILED" | "VOID";

export interface Invoice {
  readonly id: InvoiceId;
  readonly number: bigint;
  readonly kind: InvoiceKind;
  readonly currency: CurrencyCode;
  /** The grant that a purchase invoice sells. */
  readonly grantId: GrantId | null;
  readonly createdAt: Instant;

  status: InvoiceStatus;
  /** The customer's invoice count at issue; null while the invoice is a draft. */
  issueNumber: bigint | null;
  /** The exact sum of the lines; the total is this rounded once to the minor unit (M3). */
  subtotal: Amount;
  lineCount: number;
  /** How many of the lines are credit lines. */
  creditLineCount: number;
  issuedAt: Instant | null;
  paidAt: Instant | null;
  voidedAt: Instant | null;
}

export interface InvoiceLine {
  readonly id: InvoiceLineId;
  readonly invoiceId: InvoiceId;
  readonly description: string;
  readonly chargeId: ChargeId | null;
  readonly grantId: GrantId | null;
  /** On a credit line: the issued invoice whose line it gives back (D7). */
  readonly creditedInvoiceId: InvoiceId | null;
  /** Negative on a credit line. */
  amount: Amount;
}

/** One version of a rate card. Versions never change but for being archived (D1). */
export interface RateCard {
  readonly key: string;
  readonly version: number;
  readonly name: string;
  readonly featureKey: string;
  readonly currency: CurrencyCode;
  readonly settlementMode: SettlementMode;
  readonly price: Price;
  readonly minimumAmount: Amount | null;
  readonly maximumAmount: Amount | null;
  readonly createdAt: Instant;
  readonly archivedAt: Instant | null;
}

/** Who holds credit, as the tenant describes them. */
export interface CustomerProfile {
  readonly id: CustomerId;
  readonly key: string;
  readonly createdAt: Instant;
  name: string;
  metadata: Metadata;
}
