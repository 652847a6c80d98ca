/** Owns how requests about invoices become commands and filters. */
import { InvoiceStatus } from "../../../gen/drawdown/v1/invoice_pb.ts";
import type { ListInvoicesRequest } from "../../../gen/drawdown/v1/invoice_service_pb.ts";
import type { InvoiceCommand } from "../../invoice/verbs.ts";
import type { InvoiceFilter } from "../../queries/invoices.ts";
import { fromProtoEnum } from "./enum.ts";
import { fromProtoId, fromProtoOptional } from "./id.ts";

/** Every verb of an invoice names it, and nothing else that it goes by. */
export function fromProtoInvoiceCommand(request: { readonly invoiceId: string }): InvoiceCommand {
  return { invoiceId: fromProtoId(request.invoiceId) };
}

export function fromProtoInvoiceFilter(request: ListInvoicesRequest): InvoiceFilter {
  return {
    statuses: request.statuses.map((status) => fromProtoEnum(InvoiceStatus, status)),
    currency: fromProtoOptional(request.currency),
  };
}
