/** Owns what payment does to a grant, whoever reports it, and what giving it up does. */
import {
  type Book,
  balance,
  conclude,
  fund,
  type Grant,
  isBy,
  isPaid,
  isReady,
  ofGrant,
  post,
} from "./books.ts";

/** Books a step of the payment for a grant (L5). */
export function pay(book: Book, grant: Grant, to: string): void {
  const { purchase, amount } = grant;
  if (purchase === undefined) return;
  const isPromised = purchase.settlementStatus === "AUTHORIZED";
  const isAccepted = to === "AUTHORIZED" || to === "SETTLED";
  const [open, authorized] = ["RECEIVABLE_OPEN", "RECEIVABLE_AUTHORIZED"];
  if (isPromised && !isAccepted)
    post(book, grant, amount, `AUTHORIZATION_REVERSED ${open} ${authorized}`);
  if (!isPromised && isAccepted)
    post(book, grant, amount, `PAYMENT_AUTHORIZED ${authorized} ${open}`);
  purchase.settlementStatus = to;
  if (to === "SETTLED") {
    const mine = ofGrant(book, grant);
    const adjusted = mine.filter(({ event }) => event === "ADJUSTED");
    post(book, grant, amount, `PAYMENT_SETTLED SETTLEMENT ${authorized}`);
    post(book, grant, balance(mine, "ACCRUED"), "RECOGNIZED ACCRUED EARNINGS");
    post(book, grant, balance(adjusted, open), `FORFEITED ${open} BREAKAGE`);
  }
  const waits = grant.status === "PENDING" && isBy(grant.effectiveAt, book.at);
  if (waits && isReady(grant)) fund(book, grant);
}

/** Voids a grant, and gives up the payment that has not settled (G6). */
export function voidGrant(book: Book, grant: Grant, voidReason: string): void {
  const voidedAt = book.at;
  const isUnused = grant.status === "PENDING" && grant.purchase !== undefined;
  if (!isPaid(grant)) {
    pay(book, grant, "FAILED");
    for (const invoice of book.invoices.filter(({ id }) => id === grant.invoiceId))
      Object.assign(invoice, { status: "VOID", voidedAt });
  } else if (isUnused) {
    post(book, grant, grant.amount, "FORFEITED RECEIVABLE_OPEN BREAKAGE");
  }
  if (grant.status !== "EXPIRED") Object.assign(grant, { status: "VOIDED", voidedAt, voidReason });
  conclude(book, grant);
}
