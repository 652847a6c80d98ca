/**
 * Owns how an invoice is shown with its first lines, and what of it a stored answer keeps. No
 * mutation answers with a draft: lines change on a draft only, so those of an answered invoice
 * never change again. The stored answer therefore leaves them out (a hundred lines would be written
 * for each step of a payment), and every answer, first or replayed, is completed with the same
 * lines after it is committed.
 */
import type { Invoice as InvoiceMessage } from "../../gen/drawdown/v1/invoice_pb.ts";
import type { Invoice, InvoiceLine } from "../book/nouns.ts";
import { assert, Refusal, refuse } from "../errors.ts";
import type { CustomerId, InvoiceId, TenantId } from "../ledger/ids.ts";
import { isoCurrency, minorUnitDecimals } from "../money/currency.ts";
import type { CustomerName } from "../queries/customer-reads.ts";
import type { InvoiceWithLines } from "../queries/invoices.ts";
import { toProtoInvoice, toProtoInvoiceLine } from "./to-proto/invoice.ts";

/** Reads the lines that an invoice shows: the first, in the order in which they were added. */
type ListShownLines = (customer: CustomerName, id: InvoiceId) => Promise<readonly InvoiceLine[]>;

/** An invoice as it is kept in a stored answer. */
export function toProtoInvoiceWithoutLines(
  customerId: CustomerId,
  invoice: Invoice,
): InvoiceMessage {
  assert(invoice.status !== "DRAFT", "the lines of an answered invoice never change again");
  return toProtoInvoiceWithLines(customerId, { invoice, lines: [] });
}

export function toProtoInvoiceWithLines(
  customerId: CustomerId,
  shown: InvoiceWithLines,
): InvoiceMessage {
  const currency = isoCurrency(shown.invoice.currency);
  assert(currency !== undefined, "an invoice is in a currency of ISO 4217");
  return toProtoInvoice(customerId, { ...shown, exponent: minorUnitDecimals(currency) });
}

/** Completes an invoice of a stored answer. */
export async function withLines(
  invoice: InvoiceMessage,
  tenantId: TenantId,
  listShownLines: ListShownLines,
): Promise<InvoiceMessage> {
  if (invoice.lineCount === 0) return invoice;
  const customerId = invoice.customerId as CustomerId;
  const invoiceId = invoice.id as InvoiceId;
  try {
    const lines = await listShownLines({ tenantId, customerId }, invoiceId);
    return { ...invoice, lines: lines.map(toProtoInvoiceLine) };
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    // A refused read says that nothing was written, and here that is not so.
    const message = "the write may be done; repeat it with the same request_id to learn its answer";
    throw refuse("OUTCOME_UNKNOWN", message);
  }
}
