/** Owns the rows of invoices and their lines. */
import { EntitySchema } from "typeorm";
import type { InvoiceKind, InvoiceStatus } from "../../book/nouns.ts";
import type {
  ChargeId,
  CustomerId,
  GrantId,
  InvoiceId,
  InvoiceLineId,
  TenantId,
} from "../../ledger/ids.ts";
import type { Amount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import type { Instant } from "../../money/time.ts";
import * as column from "./columns.ts";

export interface InvoiceRow {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
  readonly invoice_id: InvoiceId;
  /** The creation sequence among the customer's objects. */
  readonly number: bigint;
  /** The customer's invoice count at issue; null while the invoice is a draft. */
  readonly issue_number: bigint | null;
  readonly created_at: Instant;
  readonly issued_at: Instant | null;
  readonly paid_at: Instant | null;
  readonly voided_at: Instant | null;
  readonly kind: InvoiceKind;
  readonly status: InvoiceStatus;
  readonly line_count: number;
  readonly credit_line_count: number;
  /** The grant that a purchase invoice sells. */
  readonly credit_grant_id: GrantId | null;
  readonly currency: CurrencyCode;
  readonly subtotal: Amount;
}

export const invoices = new EntitySchema<InvoiceRow>({
  name: "invoice",
  columns: {
    tenant_id: column.uuid,
    customer_id: column.keyOf("invoice", column.uuid),
    invoice_id: column.keyOf("invoice", column.uuid),
    number: column.bigint,
    issue_number: column.optional(column.bigint),
    created_at: column.time,
    issued_at: column.optional(column.time),
    paid_at: column.optional(column.time),
    voided_at: column.optional(column.time),
    kind: column.invoiceKind,
    status: column.invoiceStatus,
    line_count: column.integer,
    credit_line_count: column.integer,
    credit_grant_id: column.optional(column.uuid),
    currency: column.text,
    subtotal: column.money,
  },
  checks: [
    { name: "invoice_line_counts", expression: "credit_line_count BETWEEN 0 AND line_count" },
  ],
  indices: [
    {
      name: "invoice_one_draft",
      columns: ["customer_id", "currency"],
      unique: true,
      where: "(status = 'DRAFT'::invoice_status)",
    },
    {
      name: "invoice_issue_number",
      columns: ["customer_id", "issue_number"],
      unique: true,
      where: "(issue_number IS NOT NULL)",
    },
  ],
});

export interface InvoiceLineRow {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
  readonly invoice_line_id: InvoiceLineId;
  readonly invoice_id: InvoiceId;
  readonly charge_id: ChargeId | null;
  readonly credit_grant_id: GrantId | null;
  /** On a credit line: the issued invoice whose line it gives back (D7). */
  readonly credited_invoice_id: InvoiceId | null;
  readonly amount: Amount;
  readonly description: string;
}

export const invoiceLines = new EntitySchema<InvoiceLineRow>({
  name: "invoice_line",
  columns: {
    tenant_id: column.uuid,
    customer_id: column.keyOf("invoice_line", column.uuid),
    invoice_line_id: column.keyOf("invoice_line", column.uuid),
    invoice_id: column.uuid,
    charge_id: column.optional(column.uuid),
    credit_grant_id: column.optional(column.uuid),
    credited_invoice_id: column.optional(column.uuid),
    amount: column.money,
    description: column.text,
  },
  checks: [
    { name: "invoice_line_not_zero", expression: "amount <> 0" },
    {
      name: "invoice_line_credit_is_negative",
      expression: "(credited_invoice_id IS NOT NULL) = (amount < 0)",
    },
  ],
  indices: [
    {
      name: "invoice_line_of_invoice",
      columns: ["customer_id", "invoice_id", "invoice_line_id"],
    },
    {
      name: "invoice_line_credited",
      columns: ["customer_id", "credited_invoice_id"],
      where: "(credited_invoice_id IS NOT NULL)",
    },
  ],
});
