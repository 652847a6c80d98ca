/** Owns how stored rows become the nouns of a book. Column lists and readers stand side by side. */
import type {
  Allocation,
  Charge,
  CustomerProfile,
  GrantTerms,
  Invoice,
  InvoiceLine,
  Metadata,
  RateCard,
} from "../book/nouns.ts";
import type { ChargeId, CustomerId, GrantId, InvoiceId, InvoiceLineId } from "../ledger/ids.ts";
import type { Lot } from "../ledger/lot.ts";
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import { type PriceJson, priceFromJson } from "../pricing/price-json.ts";

const columns = (alias: string, names: readonly string[]) =>
  names.map((name) => `${alias}.${name}`).join(", ");

/** Fields in the database's spelling, as the type parsers deliver them. */
export interface LotRow {
  readonly customer_id: CustomerId;
  readonly credit_grant_id: GrantId;
  readonly number: bigint;
  readonly currency: CurrencyCode;
  readonly amount: Amount;
  readonly funding_method: Lot["fundingMethod"];
  readonly availability: Lot["availability"];
  readonly features: readonly string[];
  readonly priority: number;
  readonly expires_after: string | null;
  readonly status: Lot["status"];
  readonly settlement_status: Lot["settlementStatus"];
  readonly effective_at: Instant;
  readonly expires_at: Instant | null;
  readonly remaining: Amount;
  readonly held: Amount;
  readonly accrued: Amount;
  readonly adjusted_unpaid: Amount;
  readonly first_sequence: bigint | null;
  readonly voided_at: Instant | null;
  readonly void_reason: string | null;
}

export const LOT_COLUMNS = columns("g", [
  "customer_id",
  "credit_grant_id",
  "number",
  "currency",
  "amount",
  "funding_method",
  "availability",
  "features",
  "priority",
  "expires_after",
  "status",
  "settlement_status",
  "effective_at",
  "expires_at",
  "remaining",
  "held",
  "accrued",
  "adjusted_unpaid",
  "first_sequence",
  "voided_at",
  "void_reason",
]);

export function lotOf(row: LotRow): Lot {
  return {
    id: row.credit_grant_id,
    number: row.number,
    currency: row.currency,
    amount: row.amount,
    fundingMethod: row.funding_method,
    availability: row.availability,
    features: row.features,
    priority: row.priority,
    expiresAfter: row.expires_after,
    status: row.status,
    settlementStatus: row.settlement_status,
    effectiveAt: row.effective_at,
    expiresAt: row.expires_at,
    remaining: row.remaining,
    held: row.held,
    accrued: row.accrued,
    adjustedUnpaid: row.adjusted_unpaid,
    firstSequence: row.first_sequence,
    voidedAt: row.voided_at,
    voidReason: row.void_reason,
  };
}

export interface TermsRow {
  readonly customer_id: CustomerId;
  readonly credit_grant_id: GrantId;
  readonly name: string;
  readonly description: string;
  readonly metadata: Metadata;
  readonly purchase_currency: CurrencyCode | null;
  readonly per_unit_cost: Amount | null;
  readonly purchase_amount: Amount | null;
  readonly invoice_id: InvoiceId | null;
  readonly created_at: Instant;
}

export const TERMS_COLUMNS = columns("g", [
  "customer_id",
  "credit_grant_id",
  "name",
  "description",
  "metadata",
  "purchase_currency",
  "per_unit_cost",
  "purchase_amount",
  "invoice_id",
  "created_at",
]);

export function termsOf(row: TermsRow): GrantTerms {
  const { purchase_currency: currency, per_unit_cost: perUnitCost, purchase_amount: amount } = row;
  const sold = currency !== null && perUnitCost !== null && amount !== null;
  return {
    name: row.name,
    description: row.description,
    metadata: row.metadata,
    purchase: sold ? { currency, perUnitCost, amount } : null,
    invoiceId: row.invoice_id,
    createdAt: row.created_at,
  };
}

export interface ChargeRow {
  readonly customer_id: CustomerId;
  readonly charge_id: ChargeId;
  readonly number: bigint;
  readonly currency: CurrencyCode;
  readonly feature_key: string | null;
  readonly settlement_mode: Charge["settlementMode"];
  readonly capture: Charge["capture"];
  readonly rate_card_key: string | null;
  readonly rate_card_version: number | null;
  readonly estimated_amount: Amount;
  readonly hold_expires_at: Instant | null;
  readonly created_at: Instant;
  readonly description: string;
  readonly metadata: Metadata;
  readonly status: Charge["status"];
  readonly amount: Amount;
  readonly quantity: Amount | null;
  readonly draw_credit_grant_ids: readonly GrantId[];
  readonly draw_amounts: readonly Amount[];
  readonly draw_returned: readonly Amount[];
  readonly invoiced_amount: Amount;
  readonly corrected_invoiced: Amount;
  readonly invoice_id: InvoiceId | null;
  readonly invoice_line_id: InvoiceLineId | null;
  readonly first_consumed_sequence: bigint | null;
  readonly settled_at: Instant | null;
  readonly canceled_at: Instant | null;
}

export const CHARGE_COLUMNS = columns("c", [
  "customer_id",
  "charge_id",
  "number",
  "currency",
  "feature_key",
  "settlement_mode",
  "capture",
  "rate_card_key",
  "rate_card_version",
  "estimated_amount",
  "hold_expires_at",
  "created_at",
  "description",
  "metadata",
  "status",
  "amount",
  "quantity",
  "draw_credit_grant_ids",
  "draw_amounts",
  "draw_returned",
  "invoiced_amount",
  "corrected_invoiced",
  "invoice_id",
  "invoice_line_id",
  "first_consumed_sequence",
  "settled_at",
  "canceled_at",
]);

export function chargeOf(row: ChargeRow): Charge {
  const allocations: readonly Allocation[] = row.draw_credit_grant_ids.map((grantId, index) => ({
    grantId,
    amount: row.draw_amounts[index] ?? 0n,
    returned: row.draw_returned[index] ?? 0n,
  }));
  return {
    id: row.charge_id,
    number: row.number,
    currency: row.currency,
    featureKey: row.feature_key,
    settlementMode: row.settlement_mode,
    capture: row.capture,
    rateCardKey: row.rate_card_key,
    rateCardVersion: row.rate_card_version,
    estimatedAmount: row.estimated_amount,
    holdExpiresAt: row.hold_expires_at,
    createdAt: row.created_at,
    description: row.description,
    metadata: row.metadata,
    status: row.status,
    amount: row.amount,
    quantity: row.quantity,
    allocations,
    invoicedAmount: row.invoiced_amount,
    correctedInvoiced: row.corrected_invoiced,
    invoiceId: row.invoice_id,
    invoiceLineId: row.invoice_line_id,
    firstConsumedSequence: row.first_consumed_sequence,
    settledAt: row.settled_at,
    canceledAt: row.canceled_at,
  };
}

/** A charge that settled at once as it was first given: before anything was corrected (W1). */
export function chargeAsCreated(row: ChargeRow): Charge {
  const charge = chargeOf(row);
  const allocations = charge.allocations.map((allocation) => ({ ...allocation, returned: 0n }));
  return { ...charge, allocations, correctedInvoiced: 0n };
}

export interface InvoiceRow {
  readonly customer_id: CustomerId;
  readonly invoice_id: InvoiceId;
  readonly number: bigint;
  readonly kind: Invoice["kind"];
  readonly currency: CurrencyCode;
  readonly credit_grant_id: GrantId | null;
  readonly created_at: Instant;
  readonly status: Invoice["status"];
  readonly issue_number: bigint | null;
  readonly subtotal: Amount;
  readonly line_count: number;
  readonly credit_line_count: number;
  readonly issued_at: Instant | null;
  readonly paid_at: Instant | null;
  readonly voided_at: Instant | null;
}

export const INVOICE_COLUMNS = columns("i", [
  "customer_id",
  "invoice_id",
  "number",
  "kind",
  "currency",
  "credit_grant_id",
  "created_at",
  "status",
  "issue_number",
  "subtotal",
  "line_count",
  "credit_line_count",
  "issued_at",
  "paid_at",
  "voided_at",
]);

export function invoiceOf(row: InvoiceRow): Invoice {
  return {
    id: row.invoice_id,
    number: row.number,
    kind: row.kind,
    currency: row.currency,
    grantId: row.credit_grant_id,
    createdAt: row.created_at,
    status: row.status,
    issueNumber: row.issue_number,
    subtotal: row.subtotal,
    lineCount: row.line_count,
    creditLineCount: row.credit_line_count,
    issuedAt: row.issued_at,
    paidAt: row.paid_at,
    voidedAt: row.voided_at,
  };
}

export interface LineRow {
  readonly customer_id: CustomerId;
  readonly invoice_line_id: InvoiceLineId;
  readonly invoice_id: InvoiceId;
  readonly description: string;
  readonly charge_id: ChargeId | null;
  readonly credit_grant_id: GrantId | null;
  readonly credited_invoice_id: InvoiceId | null;
  readonly amount: Amount;
}

export const LINE_COLUMNS = columns("l", [
  "customer_id",
  "invoice_line_id",
  "invoice_id",
  "description",
  "charge_id",
  "credit_grant_id",
  "credited_invoice_id",
  "amount",
]);

export function lineOf(row: LineRow): InvoiceLine {
  return {
    id: row.invoice_line_id,
    invoiceId: row.invoice_id,
    description: row.description,
    chargeId: row.charge_id,
    grantId: row.credit_grant_id,
    creditedInvoiceId: row.credited_invoice_id,
    amount: row.amount,
  };
}

export interface RateCardRow {
  readonly key: string;
  readonly version: number;
  readonly name: string;
  readonly feature_key: string;
  readonly currency: CurrencyCode;
  readonly settlement_mode: RateCard["settlementMode"];
  readonly price: PriceJson;
  readonly minimum_amount: Amount | null;
  readonly maximum_amount: Amount | null;
  readonly created_at: Instant;
  readonly archived_at: Instant | null;
}

export const RATE_CARD_COLUMNS = columns("r", [
  "key",
  "version",
  "name",
  "feature_key",
  "currency",
  "settlement_mode",
  "price",
  "minimum_amount",
  "maximum_amount",
  "created_at",
  "archived_at",
]);

export function rateCardOf(row: RateCardRow): RateCard {
  return {
    key: row.key,
    version: row.version,
    name: row.name,
    featureKey: row.feature_key,
    currency: row.currency,
    settlementMode: row.settlement_mode,
    price: priceFromJson(row.price),
    minimumAmount: row.minimum_amount,
    maximumAmount: row.maximum_amount,
    createdAt: row.created_at,
    archivedAt: row.archived_at,
  };
}

export interface ProfileRow {
  readonly customer_id: CustomerId;
  readonly key: string;
  readonly name: string;
  readonly metadata: Metadata;
  readonly created_at: Instant;
}

export const PROFILE_COLUMNS = columns("p", [
  "customer_id",
  "key",
  "name",
  "metadata",
  "created_at",
]);

export function profileOf(row: ProfileRow): CustomerProfile {
  return {
    id: row.customer_id,
    key: row.key,
    name: row.name,
    metadata: row.metadata,
    createdAt: row.created_at,
  };
}
