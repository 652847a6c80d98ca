/** Owns the RPCs of InvoiceService: convert, call, convert. */
import type { Invoice as InvoiceMessage } from "../../gen/drawdown/v1/invoice_pb.ts";
import { InvoiceService } from "../../gen/drawdown/v1/invoice_service_pb.ts";
import type { Book } from "../book/book.ts";
import type { Invoice } from "../book/nouns.ts";
import { assert } from "../errors.ts";
import {
  authorizeInvoicePayment,
  failInvoicePayment,
  type InvoiceCommand,
  issueInvoice,
  settleInvoicePayment,
  voidInvoice,
} from "../invoice/verbs.ts";
import type { InvoiceId } from "../ledger/ids.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { CustomerReads } from "../queries/customer-reads.ts";
import { getInvoice, listInvoiceLines, listInvoices, listShownLines } from "../queries/invoices.ts";
import { fromProtoCustomerName, fromProtoId } from "./from-proto/id.ts";
import { fromProtoInvoiceCommand, fromProtoInvoiceFilter } from "./from-proto/invoice.ts";
import { fromProtoOrderedPage, fromProtoPage } from "./from-proto/page.ts";
import { toProtoInvoiceWithLines, toProtoInvoiceWithoutLines, withLines } from "./invoice-lines.ts";
import { type Call, type ImplementedService, implement } from "./method.ts";
import { toProtoInvoiceLine } from "./to-proto/invoice.ts";
import { compileWrite, type Mutation } from "./write.ts";

export function makeInvoiceService(parts: {
  readonly pipeline: Pipeline;
  readonly reads: CustomerReads;
}): ImplementedService {
  const { pipeline, reads } = parts;
  const listLines = listShownLines.bind(null, reads);
  const complete = async (
    { invoice }: { readonly invoice?: InvoiceMessage | undefined },
    { tenantId }: Call,
  ) => {
    assert(invoice !== undefined, "every verb of an invoice answers with it");
    return { invoice: await withLines(invoice, tenantId, listLines) };
  };
  return implement(InvoiceService, {
    issueInvoice: async (request, call) =>
      complete(await pipeline.submit(issueWrite(request, call)), call),
    voidInvoice: async (request, call) =>
      complete(await pipeline.submit(voidWrite(request, call)), call),
    authorizeInvoicePayment: async (request, call) =>
      complete(await pipeline.submit(authorizeWrite(request, call)), call),
    settleInvoicePayment: async (request, call) =>
      complete(await pipeline.submit(settleWrite(request, call)), call),
    failInvoicePayment: async (request, call) =>
      complete(await pipeline.submit(failWrite(request, call)), call),
    getInvoice: async (request, call) => {
      const customer = fromProtoCustomerName(request, call);
      const shown = await getInvoice(reads, customer, fromProtoId(request.invoiceId));
      return { invoice: toProtoInvoiceWithLines(customer.customerId, shown) };
    },
    listInvoices: async (request, call) => {
      const customer = fromProtoCustomerName(request, call);
      const filter = fromProtoInvoiceFilter(request);
      const page = await listInvoices(reads, customer, filter, fromProtoOrderedPage(request));
      const invoices = page.items.map((shown) =>
        toProtoInvoiceWithLines(customer.customerId, shown),
      );
      return { invoices, nextPageToken: page.nextToken };
    },
    listInvoiceLines: async (request, call) => {
      const customer = fromProtoCustomerName(request, call);
      const id = fromProtoId<InvoiceId>(request.invoiceId);
      const page = await listInvoiceLines(reads, customer, id, fromProtoPage(request));
      return { lines: page.items.map(toProtoInvoiceLine), nextPageToken: page.nextToken };
    },
  });
}

/** The verbs of an invoice differ in nothing but what they do. */
function mutationBy(verb: (book: Book, command: InvoiceCommand) => Invoice) {
  return (request: {
    readonly invoiceId: string;
  }): Mutation<Invoice, { invoice: InvoiceMessage }> => {
    const command = fromProtoInvoiceCommand(request);
    return {
      needs: [{ kind: "invoice", id: command.invoiceId }],
      verb: (book) => verb(book, command),
      answer: (invoice, customerId) => ({
        invoice: toProtoInvoiceWithoutLines(customerId, invoice),
      }),
      keptIn: "request",
    };
  };
}

const { method } = InvoiceService;
const issueWrite = compileWrite(method.issueInvoice, mutationBy(issueInvoice));
const voidWrite = compileWrite(method.voidInvoice, mutationBy(voidInvoice));
const authorizeWrite = compileWrite(
  method.authorizeInvoicePayment,
  mutationBy(authorizeInvoicePayment),
);
const settleWrite = compileWrite(method.settleInvoicePayment, mutationBy(settleInvoicePayment));
const failWrite = compileWrite(method.failInvoicePayment, mutationBy(failInvoicePayment));
