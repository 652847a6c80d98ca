/** Owns the draft on which the uncovered parts of charges gather, and its lines (D7, I3). */
import type { Book } from "../book/book.ts";
import type { Charge, Invoice, InvoiceLine } from "../book/nouns.ts";
import { assert } from "../errors.ts";
import type { InvoiceId, InvoiceLineId } from "../ledger/ids.ts";
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";

/** The customer's one draft of a currency, made when it is first needed. */
function takeDraft(book: Book, currency: CurrencyCode): Invoice {
  const found = book.findDraft(currency);
  if (found !== undefined) return found;
  const draft: Invoice = {
    ...book.nextIdentity<InvoiceId>(),
    kind: "OVERAGE",
    currency,
    grantId: null,
    createdAt: book.journal.bookingAt,
    status: "DRAFT",
    issueNumber: null,
    subtotal: 0n,
    lineCount: 0,
    creditLineCount: 0,
    issuedAt: null,
    paidAt: null,
    voidedAt: null,
  };
  book.addInvoice(draft);
  return draft;
}

/** Adds a line for a charge to the draft of its currency, making the draft where there is none. */
export function addDraftLine(
  book: Book,
  charge: Charge,
  amount: Amount,
  creditedInvoiceId: InvoiceId | null = null,
): InvoiceLine {
  const draft = takeDraft(book, charge.currency);
  const line: InvoiceLine = {
    id: book.nextIdentity<InvoiceLineId>().id,
    invoiceId: draft.id,
    description: charge.description,
    chargeId: charge.id,
    grantId: null,
    creditedInvoiceId,
    amount,
  };
  book.addLine(line);
  draft.lineCount += 1;
  if (creditedInvoiceId !== null) draft.creditLineCount += 1;
  draft.subtotal += amount;
  book.invoiceChanged(draft);
  return line;
}

/** Reduces a line of a draft; a line reduced to zero is removed (I1). */
export function reduceDraftLine(
  book: Book,
  draft: Invoice,
  line: InvoiceLine,
  amount: Amount,
): void {
  assert(draft.status === "DRAFT" && line.amount >= amount, "a draft line covers its reduction");
  line.amount -= amount;
  draft.subtotal -= amount;
  book.invoiceChanged(draft);
  if (line.amount === 0n) {
    draft.lineCount -= 1;
    book.removeLine(line);
  } else {
    book.lineChanged(line);
  }
}

/** Takes a credit line off the draft again, because what it credits was voided (I1). */
export function removeCreditLine(book: Book, draft: Invoice, line: InvoiceLine): void {
  assert(draft.status === "DRAFT" && line.amount < 0n, "a credit line of a draft is removed");
  draft.subtotal -= line.amount;
  draft.lineCount -= 1;
  draft.creditLineCount -= 1;
  book.invoiceChanged(draft);
  book.removeLine(line);
}
