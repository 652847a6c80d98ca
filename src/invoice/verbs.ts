/** Owns the life of an invoice: issue, payment and voiding (I1, I2, I3). */
import type { Book } from "../book/book.ts";
import { checkSubtotal, getCurrency, getInvoice } from "../book/guards.ts";
import type { Invoice } from "../book/nouns.ts";
import { refuse } from "../errors.ts";
import {
  authorizePayment,
  failPaymentAttempt,
  giveUpPayment,
  settlePayment,
  voidCredit,
} from "../grant/payment.ts";
import type { InvoiceId } from "../ledger/ids.ts";
import type { Lot } from "../ledger/lot.ts";
import { formatAmount, roundAmount } from "../money/amount.ts";
import { removeCreditLine } from "./draft.ts";
import { movesInvoice, transitionRefused } from "./moves.ts";
import { markInvoiceVoid } from "./purchase-invoice.ts";

export interface InvoiceCommand {
  readonly invoiceId: InvoiceId;
}

/** Gives the draft its number and asks for its payment (I1, I3). */
export function issueInvoice(book: Book, command: InvoiceCommand): Invoice {
  const invoice = getInvoice(book, command.invoiceId);
  if (!movesInvoice(invoice, "issue")) return invoice;
  const { exponent } = getCurrency(book, invoice.currency);
  const facts = { invoice_id: invoice.id, subtotal: formatAmount(invoice.subtotal) };
  if (invoice.lineCount === 0) {
    throw refuse("INVOICE_EMPTY", "an invoice without lines cannot be issued", facts);
  }
  if (invoice.subtotal < 0n) {
    const message = "an invoice below zero cannot be issued; it waits for more lines";
    throw refuse("INVOICE_TOTAL_NEGATIVE", message, facts);
  }

  const nothingToPay = roundAmount(invoice.subtotal, exponent) === 0n;
  book.invoiceCount += 1n;
  invoice.issueNumber = book.invoiceCount;
  invoice.issuedAt = book.now;
  invoice.status = nothingToPay ? "PAID" : "OPEN";
  if (nothingToPay) invoice.paidAt = book.now;
  book.drafts.set(invoice.currency, null);
  book.invoiceChanged(invoice);
  return invoice;
}

export function authorizeInvoicePayment(book: Book, command: InvoiceCommand): Invoice {
  const { invoice, lot } = getInvoiceAndLot(book, command);
  if (!movesInvoice(invoice, "authorize")) return invoice;

  invoice.status = "AUTHORIZED";
  book.invoiceChanged(invoice);
  if (lot !== null) authorizePayment(book, lot);
  return invoice;
}

export function settleInvoicePayment(book: Book, command: InvoiceCommand): Invoice {
  const { invoice, lot } = getInvoiceAndLot(book, command);
  if (!movesInvoice(invoice, "settle")) return invoice;

  invoice.status = "PAID";
  invoice.paidAt = book.now;
  book.invoiceChanged(invoice);
  if (lot !== null) settlePayment(book, lot);
  return invoice;
}

export function failInvoicePayment(book: Book, command: InvoiceCommand): Invoice {
  const { invoice, lot } = getInvoiceAndLot(book, command);
  if (!movesInvoice(invoice, "fail")) return invoice;

  invoice.status = "PAYMENT_FAILED";
  book.invoiceChanged(invoice);
  if (lot !== null) failPaymentAttempt(book, lot);
  return invoice;
}

/** Gives the invoice up: a purchase takes its grant with it, an overage waives its lines. */
export function voidInvoice(book: Book, command: InvoiceCommand): Invoice {
  const { invoice, lot } = getInvoiceAndLot(book, command);
  if (!movesInvoice(invoice, "void")) return invoice;
  if (invoice.status === "DRAFT" && invoice.creditLineCount > 0) {
    throw transitionRefused(invoice, "void", " while it holds credit lines");
  }
  const credits = invoice.kind === "OVERAGE" ? book.listCreditLines(invoice.id) : [];
  book.requireInvoices(credits.map((line) => line.invoiceId));
  const drafted = credits.map((line) => ({ line, draft: getInvoice(book, line.invoiceId) }));
  if (drafted.some(({ draft }) => draft.status !== "DRAFT")) {
    throw transitionRefused(invoice, "void", ": a credit line for it has been issued");
  }
  const [first] = drafted;
  const credited = credits.reduce((sum, line) => sum + line.amount, 0n);
  // A customer has one draft of a currency: all of them stand on it.
  if (first !== undefined) checkSubtotal(first.draft, -credited);

  for (const { line, draft } of drafted) removeCreditLine(book, draft, line);
  if (invoice.status === "DRAFT") book.drafts.set(invoice.currency, null);
  markInvoiceVoid(book, invoice);
  if (lot !== null) {
    giveUpPayment(book, lot);
    voidCredit(book, lot, null);
  }
  return invoice;
}

function getInvoiceAndLot(
  book: Book,
  command: InvoiceCommand,
): { invoice: Invoice; lot: Lot | null } {
  const invoice = getInvoice(book, command.invoiceId);
  const lot = invoice.grantId === null ? null : book.getLot(invoice.grantId);
  return { invoice, lot };
}
