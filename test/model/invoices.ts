/** Owns what the model does with invoices: lines gather on drafts, and steps lead on from them. */
import type { Charge } from "../../gen/drawdown/v1/charge_pb.ts";
import {
  type Invoice,
  InvoiceLineSchema,
  InvoiceSchema,
} from "../../gen/drawdown/v1/invoice_pb.ts";
import type { Book, Grant } from "./books.ts";
import type { Answers, Model } from "./model.ts";
import { pay, voidGrant } from "./payments.ts";
import { make, type Plain } from "./plain.ts";
import { refuseIf } from "./refusals.ts";
import { findCharge, findInvoice, showInvoice } from "./views.ts";

export function openInvoice(
  model: Model,
  book: Book,
  currency: string,
  kind: string,
): Plain<Invoice> {
  const [id, createdAt, status] = [model.id(), book.now, "DRAFT"];
  const invoice = make(InvoiceSchema, { id, currency, kind, status, createdAt });
  invoice.customerId = book.customer.id;
  book.invoices.push(invoice);
  book.last = book.now;
  return invoice;
}

/** Gives an invoice its number; one of nothing is paid at once (I1, I3). */
export function issue(book: Book, invoice: Plain<Invoice>): void {
  const isFree = showInvoice(invoice).total === 0n;
  invoice.number = String(book.invoices.filter(({ number }) => number !== "").length + 1);
  invoice.issuedAt = book.now;
  invoice.status = isFree ? "PAID" : "OPEN";
  if (isFree) invoice.paidAt = book.now;
}

/** Adds a line for a charge to the draft of its currency (I3). */
export function addLine(model: Model, book: Book, charge: Plain<Charge>, amount: bigint) {
  const { currency, description, id: chargeId } = charge;
  const isDraft = (each: Plain<Invoice>) => each.status === "DRAFT" && each.currency === currency;
  const draft = book.invoices.find(isDraft) ?? openInvoice(model, book, currency, "OVERAGE");
  draft.lines.push(make(InvoiceLineSchema, { id: model.id(), description, amount, chargeId }));
  book.last = book.now;
  return draft;
}

/** Takes back a part that was invoiced: from the draft, by a credit line, or not at all (D7). */
export function takeBack(model: Model, book: Book, charge: Plain<Charge>, amount: bigint): void {
  const { status, lines } = findInvoice(book, charge.invoiceId);
  if (status !== "DRAFT" && status !== "VOID") addLine(model, book, charge, -amount);
  const line = lines.find(({ chargeId }) => status === "DRAFT" && chargeId === charge.id);
  if (line !== undefined) line.amount -= amount;
}

type Step = (ask: { invoiceId: string }, book: Book, model: Model) => object;

/** A step of an invoice: where it may come from, where it leads, and what it does (I1). */
function step(
  event: string,
  from: readonly string[],
  to: string,
  run: (book: Book, invoice: Plain<Invoice>, grant: Grant | undefined) => void,
): Step {
  return ({ invoiceId: invoice_id }, book) => {
    const invoice = findInvoice(book, invoice_id);
    const { status } = invoice;
    if (status === to) return { invoice: showInvoice(invoice) };
    const isFrozen = event === "void" && isCredited(book, invoice);
    const facts = { invoice_id, status, event };
    refuseIf(!from.includes(status) || isFrozen, "INVOICE_TRANSITION_REFUSED", facts);
    const grant = book.grants.find(({ invoiceId }) => invoiceId === invoice_id);
    run(book, invoice, grant);
    if (event !== "issue") invoice.status = to;
    return { invoice: showInvoice(invoice) };
  };
}

/** The credit lines of an invoice, each with the invoice that it credits. */
const creditsOn = (book: Book, { id, lines }: Plain<Invoice>) =>
  lines
    .filter(({ amount }) => amount !== 0n)
    .map((line) => ({ line, of: line.chargeId && findCharge(book, line.chargeId).invoiceId }))
    .filter(({ of }) => of !== "" && of !== id);

/** Whether credit lines stand against voiding an invoice. */
function isCredited(book: Book, invoice: Plain<Invoice>): boolean {
  if (invoice.status === "DRAFT") return creditsOn(book, invoice).length > 0;
  const issued = book.invoices.filter(({ status }) => status !== "DRAFT");
  return issued.some((each) => creditsOn(book, each).some(({ of }) => of === invoice.id));
}

export const INVOICE_WRITES = {
  issueInvoice: step("issue", ["DRAFT"], "OPEN", (book, invoice) => {
    const { id: invoice_id, lineCount, subtotal } = showInvoice(invoice);
    refuseIf(lineCount === 0, "INVOICE_EMPTY", { invoice_id, subtotal });
    refuseIf(subtotal < 0n, "INVOICE_TOTAL_NEGATIVE", { invoice_id, subtotal });
    issue(book, invoice);
  }),
  authorizeInvoicePayment: step(
    "authorize",
    ["OPEN", "PAYMENT_FAILED"],
    "AUTHORIZED",
    (book, _, grant) => {
      if (grant) pay(book, grant, "AUTHORIZED");
    },
  ),
  settleInvoicePayment: step(
    "settle",
    ["OPEN", "AUTHORIZED", "PAYMENT_FAILED"],
    "PAID",
    (book, invoice, grant) => {
      invoice.paidAt = book.now;
      if (grant) pay(book, grant, "SETTLED");
    },
  ),
  failInvoicePayment: step("fail", ["OPEN", "AUTHORIZED"], "PAYMENT_FAILED", (book, _, grant) => {
    if (grant) pay(book, grant, "PENDING");
  }),
  voidInvoice: step(
    "void",
    ["DRAFT", "OPEN", "AUTHORIZED", "PAYMENT_FAILED"],
    "VOID",
    (book, invoice, grant) => {
      invoice.voidedAt = book.now;
      if (grant) voidGrant(book, grant, "");
      for (const draft of book.invoices.filter(({ status }) => status === "DRAFT"))
        for (const { line, of } of creditsOn(book, draft)) if (of === invoice.id) line.amount = 0n;
    },
  ),
} satisfies Partial<Answers>;
