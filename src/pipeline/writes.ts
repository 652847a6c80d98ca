/** Owns the set-based write of each table: its columns as data, and how a noun fills them. */
import type { Book, MovementNote } from "../book/book.ts";
import type { Charge, CustomerProfile, GrantTerms, Invoice, InvoiceLine } from "../book/nouns.ts";
import { nextDueOfLot } from "../ledger/due.ts";
import type { Balance } from "../ledger/journal.ts";
import type { Lot } from "../ledger/lot.ts";
import type { Transfer } from "../ledger/transfer.ts";
import { type Amount, formatAmount } from "../money/amount.ts";
import type { Instant } from "../money/time.ts";
import type { RequestKey } from "./job.ts";
import { type Column, columnsOf, deleteFrom, insertInto, updateOf } from "./statement.ts";

/** An array within an array travels as its text. */
const moneyList = (amounts: readonly Amount[]) => `{${amounts.map(formatAmount).join(",")}}`;
const idList = (ids: readonly string[]) => `{${ids.join(",")}}`;
const quoted = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
const textList = (texts: readonly string[]) => `{${texts.map(quoted).join(",")}}`;

const TIME = "timestamptz";

export const writeHeads = updateOf<Book>("heads", "customer_head", null, [
  { name: "sequence", type: "bigint", value: ({ journal }) => journal.sequence },
  { name: "last_booked_at", type: TIME, value: ({ journal }) => journal.lastBookedAt },
  { name: "next_due_at", type: TIME, value: (book) => book.nextDueAt },
  { name: "object_count", type: "bigint", value: (book) => book.objectCount },
  { name: "invoice_count", type: "bigint", value: (book) => book.invoiceCount },
]);

export const writeProfiles = updateOf<CustomerProfile>("profiles", "customer", null, [
  { name: "name", type: "text", value: (profile) => profile.name },
  {
    name: "metadata",
    type: "text",
    cast: "jsonb",
    value: (profile) => JSON.stringify(profile.metadata),
  },
]);

const BALANCE_KEY: Column<Balance> = {
  name: "currency",
  type: "text",
  value: (balance) => balance.currency,
};
const BALANCE_STATE: readonly Column<Balance>[] = [
  { name: "credit", type: "numeric", value: (balance) => balance.credit },
  { name: "held", type: "numeric", value: (balance) => balance.held },
  { name: "issued", type: "numeric", value: (balance) => balance.issued },
];

export const updateBalances = updateOf("balances", "balance", BALANCE_KEY, BALANCE_STATE);

export const insertBalances = insertInto("new balances", "balance", [
  BALANCE_KEY,
  ...BALANCE_STATE,
]);

const LOT_KEY: Column<Lot> = { name: "credit_grant_id", type: "uuid", value: (lot) => lot.id };

/** What changes of a lot during its life. */
const LOT_STATE: readonly Column<Lot>[] = [
  { name: "first_sequence", type: "bigint", value: (lot) => lot.firstSequence },
  { name: "effective_at", type: TIME, value: (lot) => lot.effectiveAt },
  { name: "expires_at", type: TIME, value: (lot) => lot.expiresAt },
  { name: "due_at", type: TIME, value: (lot) => nextDueOfLot(lot)?.at ?? null },
  { name: "voided_at", type: TIME, value: (lot) => lot.voidedAt },
  { name: "status", type: "text", cast: "credit_grant_status", value: (lot) => lot.status },
  {
    name: "settlement_status",
    type: "text",
    cast: "settlement_status",
    value: (lot) => lot.settlementStatus,
  },
  { name: "open", type: "boolean", value: (lot) => lot.remaining > 0n },
  { name: "remaining", type: "numeric", value: (lot) => lot.remaining },
  { name: "held", type: "numeric", value: (lot) => lot.held },
  { name: "accrued", type: "numeric", value: (lot) => lot.accrued },
  { name: "adjusted_unpaid", type: "numeric", value: (lot) => lot.adjustedUnpaid },
  { name: "void_reason", type: "text", value: (lot) => lot.voidReason },
];

export const updateLots = updateOf("lots", "credit_grant", LOT_KEY, LOT_STATE);

export interface GrantRow {
  readonly lot: Lot;
  readonly terms: GrantTerms;
}

export const insertGrants = insertInto<GrantRow>("new grants", "credit_grant", [
  ...columnsOf([LOT_KEY, ...LOT_STATE], ({ lot }: GrantRow) => lot),
  { name: "number", type: "bigint", value: ({ lot }) => lot.number },
  { name: "created_at", type: TIME, value: ({ terms }) => terms.createdAt },
  { name: "priority", type: "integer", value: ({ lot }) => lot.priority },
  {
    name: "funding_method",
    type: "text",
    cast: "funding_method",
    value: ({ lot }) => lot.fundingMethod,
  },
  {
    name: "availability",
    type: "text",
    cast: "availability",
    value: ({ lot }) => lot.availability,
  },
  { name: "invoice_id", type: "uuid", value: ({ terms }) => terms.invoiceId },
  { name: "currency", type: "text", value: ({ lot }) => lot.currency },
  { name: "amount", type: "numeric", value: ({ lot }) => lot.amount },
  { name: "expires_after", type: "text", value: ({ lot }) => lot.expiresAfter },
  { name: "features", type: "text", cast: "text[]", value: ({ lot }) => textList(lot.features) },
  {
    name: "purchase_currency",
    type: "text",
    value: ({ terms }) => terms.purchase?.currency ?? null,
  },
  {
    name: "per_unit_cost",
    type: "numeric",
    value: ({ terms }) => terms.purchase?.perUnitCost ?? null,
  },
  {
    name: "purchase_amount",
    type: "numeric",
    value: ({ terms }) => terms.purchase?.amount ?? null,
  },
  { name: "name", type: "text", value: ({ terms }) => terms.name },
  { name: "description", type: "text", value: ({ terms }) => terms.description },
  {
    name: "metadata",
    type: "text",
    cast: "jsonb",
    value: ({ terms }) => JSON.stringify(terms.metadata),
  },
]);

const CHARGE_KEY: Column<Charge> = {
  name: "charge_id",
  type: "uuid",
  value: (charge) => charge.id,
};

/** What changes of a charge during its life. */
const CHARGE_STATE: readonly Column<Charge>[] = [
  {
    name: "first_consumed_sequence",
    type: "bigint",
    value: (charge) => charge.firstConsumedSequence,
  },
  { name: "settled_at", type: TIME, value: (charge) => charge.settledAt },
  { name: "canceled_at", type: TIME, value: (charge) => charge.canceledAt },
  { name: "status", type: "text", cast: "charge_status", value: (charge) => charge.status },
  { name: "invoice_id", type: "uuid", value: (charge) => charge.invoiceId },
  { name: "invoice_line_id", type: "uuid", value: (charge) => charge.invoiceLineId },
  { name: "amount", type: "numeric", value: (charge) => charge.amount },
  { name: "quantity", type: "numeric", value: (charge) => charge.quantity },
  { name: "invoiced_amount", type: "numeric", value: (charge) => charge.invoicedAmount },
  {
    name: "corrected_invoiced",
    type: "numeric",
    value: (charge) => charge.correctedInvoiced,
  },
  {
    name: "draw_credit_grant_ids",
    type: "text",
    cast: "uuid[]",
    value: (charge) => idList(charge.allocations.map(({ grantId }) => grantId)),
  },
  {
    name: "draw_amounts",
    type: "text",
    cast: "numeric[]",
    value: (charge) => moneyList(charge.allocations.map(({ amount }) => amount)),
  },
  {
    name: "draw_returned",
    type: "text",
    cast: "numeric[]",
    value: (charge) => moneyList(charge.allocations.map(({ returned }) => returned)),
  },
];

export const updateCharges = updateOf("charges", "charge", CHARGE_KEY, CHARGE_STATE);

export interface ChargeRow {
  readonly charge: Charge;
  /** The request that a charge which settled at once answers for. */
  readonly request: RequestKey | null;
}

export const insertCharges = insertInto<ChargeRow>("new charges", "charge", [
  ...columnsOf([CHARGE_KEY, ...CHARGE_STATE], ({ charge }: ChargeRow) => charge),
  { name: "number", type: "bigint", value: ({ charge }) => charge.number },
  { name: "created_at", type: TIME, value: ({ charge }) => charge.createdAt },
  { name: "hold_expires_at", type: TIME, value: ({ charge }) => charge.holdExpiresAt },
  {
    name: "settlement_mode",
    type: "text",
    cast: "settlement_mode",
    value: ({ charge }) => charge.settlementMode,
  },
  { name: "capture", type: "text", cast: "capture", value: ({ charge }) => charge.capture },
  { name: "rate_card_version", type: "integer", value: ({ charge }) => charge.rateCardVersion },
  { name: "currency", type: "text", value: ({ charge }) => charge.currency },
  {
    name: "estimated_amount",
    type: "numeric",
    value: ({ charge }) => charge.estimatedAmount,
  },
  { name: "feature_key", type: "text", value: ({ charge }) => charge.featureKey },
  { name: "rate_card_key", type: "text", value: ({ charge }) => charge.rateCardKey },
  { name: "request_id", type: "text", value: ({ request }) => request?.id ?? null },
  {
    name: "fingerprint",
    type: "bytea",
    value: ({ request }) => request?.fingerprint ?? null,
  },
  { name: "description", type: "text", value: ({ charge }) => charge.description },
  {
    name: "metadata",
    type: "text",
    cast: "jsonb",
    value: ({ charge }) => JSON.stringify(charge.metadata),
  },
]);

const INVOICE_KEY: Column<Invoice> = {
  name: "invoice_id",
  type: "uuid",
  value: (invoice) => invoice.id,
};

/** What changes of an invoice during its life. */
const INVOICE_STATE: readonly Column<Invoice>[] = [
  { name: "issue_number", type: "bigint", value: (invoice) => invoice.issueNumber },
  { name: "issued_at", type: TIME, value: (invoice) => invoice.issuedAt },
  { name: "paid_at", type: TIME, value: (invoice) => invoice.paidAt },
  { name: "voided_at", type: TIME, value: (invoice) => invoice.voidedAt },
  { name: "status", type: "text", cast: "invoice_status", value: (invoice) => invoice.status },
  { name: "line_count", type: "integer", value: (invoice) => invoice.lineCount },
  { name: "credit_line_count", type: "integer", value: (invoice) => invoice.creditLineCount },
  { name: "subtotal", type: "numeric", value: (invoice) => invoice.subtotal },
];

export const updateInvoices = updateOf("invoices", "invoice", INVOICE_KEY, INVOICE_STATE);

export const insertInvoices = insertInto<Invoice>("new invoices", "invoice", [
  INVOICE_KEY,
  ...INVOICE_STATE,
  { name: "number", type: "bigint", value: (invoice) => invoice.number },
  { name: "created_at", type: TIME, value: (invoice) => invoice.createdAt },
  { name: "kind", type: "text", cast: "invoice_kind", value: (invoice) => invoice.kind },
  { name: "credit_grant_id", type: "uuid", value: (invoice) => invoice.grantId },
  { name: "currency", type: "text", value: (invoice) => invoice.currency },
]);

const LINE_KEY: Column<InvoiceLine> = {
  name: "invoice_line_id",
  type: "uuid",
  value: (line) => line.id,
};
const LINE_AMOUNT: Column<InvoiceLine> = {
  name: "amount",
  type: "numeric",
  value: (line) => line.amount,
};

export const updateLines = updateOf("lines", "invoice_line", LINE_KEY, [LINE_AMOUNT]);

export const deleteLines = deleteFrom("removed lines", "invoice_line", LINE_KEY);

export const insertLines = insertInto<InvoiceLine>("new lines", "invoice_line", [
  LINE_KEY,
  LINE_AMOUNT,
  { name: "invoice_id", type: "uuid", value: (line) => line.invoiceId },
  { name: "charge_id", type: "uuid", value: (line) => line.chargeId },
  { name: "credit_grant_id", type: "uuid", value: (line) => line.grantId },
  { name: "credited_invoice_id", type: "uuid", value: (line) => line.creditedInvoiceId },
  { name: "description", type: "text", value: (line) => line.description },
]);

export const insertTransfers = insertInto<Transfer>("transfers", "transfer", [
  { name: "sequence", type: "bigint", value: (transfer) => transfer.sequence },
  { name: "booked_at", type: TIME, value: (transfer) => transfer.bookedAt },
  { name: "created_at", type: TIME, value: (transfer) => transfer.createdAt },
  { name: "event", type: "text", cast: "transfer_event", value: (transfer) => transfer.event },
  {
    name: "debit_account",
    type: "text",
    cast: "account",
    value: ({ debitAccount }) => debitAccount,
  },
  {
    name: "credit_account",
    type: "text",
    cast: "account",
    value: ({ creditAccount }) => creditAccount,
  },
  { name: "credit_grant_id", type: "uuid", value: (transfer) => transfer.grantId },
  { name: "charge_id", type: "uuid", value: (transfer) => transfer.chargeId },
  { name: "currency", type: "text", value: (transfer) => transfer.currency },
  { name: "amount", type: "numeric", value: (transfer) => transfer.amount },
  { name: "settled_after", type: "numeric", value: (transfer) => transfer.settledAfter },
  { name: "pending_after", type: "numeric", value: (transfer) => transfer.pendingAfter },
  {
    name: "grant_remaining_after",
    type: "numeric",
    value: (transfer) => transfer.grantRemainingAfter,
  },
  {
    name: "grant_held_after",
    type: "numeric",
    value: (transfer) => transfer.grantHeldAfter,
  },
]);

export const insertNotes = insertInto<MovementNote>("notes", "movement_note", [
  { name: "sequence", type: "bigint", value: (note) => note.sequence },
  { name: "description", type: "text", value: (note) => note.description },
  { name: "metadata", type: "text", cast: "jsonb", value: (note) => JSON.stringify(note.metadata) },
]);

export interface StoredRequest {
  readonly request: RequestKey;
  readonly answer: Uint8Array;
  readonly createdAt: Instant;
}

export const insertRequests = insertInto<StoredRequest>("requests", "request", [
  { name: "created_at", type: TIME, value: (stored) => stored.createdAt },
  { name: "request_id", type: "text", value: (stored) => stored.request.id },
  {
    name: "fingerprint",
    type: "bytea",
    value: (stored) => stored.request.fingerprint,
  },
  { name: "answer", type: "bytea", value: (stored) => stored.answer },
]);
