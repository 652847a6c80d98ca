/** Owns the voiding of a grant (G6). */
import type { Book } from "../book/book.ts";
import { getGrant } from "../book/guards.ts";
import { refuse } from "../errors.ts";
import { markInvoiceVoid } from "../invoice/purchase-invoice.ts";
import type { GrantId } from "../ledger/ids.ts";
import { isPaid } from "../ledger/lot.ts";
import type { CreditGrantResult } from "./create-credit-grant.ts";
import { giveUpPayment, voidCredit } from "./payment.ts";

export interface VoidCreditGrant {
  readonly grantId: GrantId;
  readonly reason: string;
}

export function voidCreditGrant(book: Book, command: VoidCreditGrant): CreditGrantResult {
  const lot = getGrant(book, command.grantId);
  const terms = book.getTerms(lot.id);
  if (lot.status === "VOIDED") return { lot, terms };
  if (lot.status !== "PENDING" && lot.status !== "ACTIVE") {
    const facts = { credit_grant_id: lot.id, status: lot.status };
    throw refuse("CREDIT_GRANT_NOT_ACTIVE", `the credit grant is ${lot.status}`, facts);
  }
  const invoice = terms.invoiceId === null ? undefined : book.findInvoice(terms.invoiceId);

  if (!isPaid(lot)) {
    giveUpPayment(book, lot);
    if (invoice !== undefined) markInvoiceVoid(book, invoice);
  }
  voidCredit(book, lot, command.reason);
  return { lot, terms };
}
