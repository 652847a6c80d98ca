/** Owns the invoice that sells credit: it is open from the start and follows its grant (I2). */
import type { Book } from "../book/book.ts";
import type { GrantTerms, Invoice, PurchaseTerms } from "../book/nouns.ts";
import type { InvoiceId, InvoiceLineId } from "../ledger/ids.ts";
import type { Lot } from "../ledger/lot.ts";

export function addPurchaseInvoice(
  book: Book,
  identity: { readonly id: InvoiceId; readonly number: bigint },
  grant: { readonly lot: Lot; readonly terms: GrantTerms; readonly purchase: PurchaseTerms },
): Invoice {
  const { lot, terms, purchase } = grant;
  book.invoiceCount += 1n;
  const invoice: Invoice = {
    ...identity,
    kind: "PURCHASE",
    currency: purchase.currency,
    grantId: lot.id,
    createdAt: book.now,
    status: "OPEN",
    issueNumber: book.invoiceCount,
    subtotal: purchase.amount,
    lineCount: 1,
    creditLineCount: 0,
    issuedAt: book.now,
    paidAt: null,
    voidedAt: null,
  };
  book.addInvoice(invoice);
  book.addLine({
    id: book.nextIdentity<InvoiceLineId>().id,
    invoiceId: invoice.id,
    description: terms.name,
    chargeId: null,
    grantId: lot.id,
    creditedInvoiceId: null,
    amount: purchase.amount,
  });
  return invoice;
}

/** Marks an invoice void; what that means for its grant or lines is its caller's to do. */
export function markInvoiceVoid(book: Book, invoice: Invoice): void {
  invoice.status = "VOID";
  invoice.voidedAt = book.now;
  book.invoiceChanged(invoice);
}
