/** Owns how an invoice and its lines become messages of the contract. */
import {
  InvoiceKind,
  type InvoiceLine as InvoiceLineMessage,
  type Invoice as InvoiceMessage,
  InvoiceStatus,
} from "../../../gen/drawdown/v1/invoice_pb.ts";
import type { Invoice, InvoiceLine } from "../../book/nouns.ts";
import type { CustomerId } from "../../ledger/ids.ts";
import { formatAmount, roundAmount } from "../../money/amount.ts";
import { INVOICE_LINES_SHOWN_MAX } from "../../queries/invoices.ts";
import { toProtoTimestamp } from "./timestamp.ts";

/** An invoice as it is shown. */
export interface ShownInvoice {
  readonly invoice: Invoice;
  /** The first lines in the order of their creation; more than are shown may be given. */
  readonly lines: readonly InvoiceLine[];
  /** The decimals of the currency's minor unit, to which the total is rounded (M3). */
  readonly exponent: number;
}

/** Makes the message as a literal, so that the compiler refuses a field that was forgotten. */
export function toProtoInvoice(customerId: CustomerId, shown: ShownInvoice): InvoiceMessage {
  const { invoice, lines, exponent } = shown;
  return {
    $typeName: "drawdown.v1.Invoice",
    id: invoice.id,
    number: invoice.issueNumber === null ? "" : invoice.issueNumber.toString(),
    customerId,
    currency: invoice.currency,
    kind: InvoiceKind[invoice.kind],
    status: InvoiceStatus[invoice.status],
    lines: lines.slice(0, INVOICE_LINES_SHOWN_MAX).map(toProtoInvoiceLine),
    lineCount: invoice.lineCount,
    subtotal: formatAmount(invoice.subtotal),
    total: formatAmount(roundAmount(invoice.subtotal, exponent)),
    createdAt: toProtoTimestamp(invoice.createdAt),
    issuedAt: toProtoTimestamp(invoice.issuedAt),
    paidAt: toProtoTimestamp(invoice.paidAt),
    voidedAt: toProtoTimestamp(invoice.voidedAt),
  };
}

export function toProtoInvoiceLine(line: InvoiceLine): InvoiceLineMessage {
  return {
    $typeName: "drawdown.v1.InvoiceLine",
    id: line.id,
    description: line.description,
    amount: formatAmount(line.amount),
    chargeId: line.chargeId ?? "",
    creditGrantId: line.grantId ?? "",
  };
}
