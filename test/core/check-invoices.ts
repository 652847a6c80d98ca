/** Owns what must hold of a customer's invoices after every command (I1, I2, I3). */
import type { Invoice, InvoiceStatus } from "../../src/book/nouns.ts";
import type { SettlementStatus } from "../../src/ledger/lot.ts";
import type { Kept } from "./book-keeper.ts";
import { same } from "./same.ts";

/** A purchase invoice and its grant's settlement say the same (I2). */
const SETTLEMENT_OF_INVOICE = {
  OPEN: "PENDING",
  PAYMENT_FAILED: "PENDING",
  AUTHORIZED: "AUTHORIZED",
  PAID: "SETTLED",
  VOID: "FAILED",
} as const satisfies Record<Exclude<InvoiceStatus, "DRAFT">, SettlementStatus>;

export function checkInvoices(kept: Kept): void {
  const invoices = [...kept.invoices.values()];
  for (const invoice of invoices) checkInvoice(invoice, kept);
  const drafts = invoices.filter(({ status }) => status === "DRAFT");
  const currencies = drafts.map(({ currency }) => currency);
  same(new Set(currencies).size, currencies.length, "one draft of a currency");
  const numbers = invoices
    .map(({ issueNumber }) => issueNumber)
    .filter((number) => number !== null);
  const counted = numbers.map((_, index) => BigInt(index) + 1n);
  const sorted = numbers.sort((left, right) => (left < right ? -1 : 1));
  same(sorted, counted, "issue numbers have no gap");
  same(kept.invoiceCount, BigInt(numbers.length), "the invoice count");
  for (const { id, invoiceId } of kept.lines.values()) {
    same(kept.invoices.has(invoiceId), true, `line ${id} stands on an invoice`);
  }
}

function checkInvoice(invoice: Invoice, kept: Kept): void {
  const lines = [...kept.lines.values()].filter(({ invoiceId }) => invoiceId === invoice.id);
  const name = `invoice ${invoice.id} (${invoice.status})`;
  const subtotal = lines.reduce((sum, line) => sum + line.amount, 0n);
  const credits = lines.filter(({ creditedInvoiceId }) => creditedInvoiceId !== null);
  same(invoice.subtotal, subtotal, `${name} subtotal`);
  same(invoice.lineCount, lines.length, `${name} lines`);
  same(invoice.creditLineCount, credits.length, `${name} credit lines`);
  same(invoice.status === "PAID", invoice.paidAt !== null, `${name} paid_at`);
  same(invoice.status === "VOID", invoice.voidedAt !== null, `${name} voided_at`);
  same(invoice.issueNumber === null, invoice.issuedAt === null, `${name} issued_at`);
  if (invoice.status === "DRAFT") same(invoice.issueNumber, null, `${name} number`);
  for (const line of lines) {
    const isCredit = line.creditedInvoiceId !== null;
    same(line.amount < 0n, isCredit, `${name} only credit lines are below zero`);
    same(line.amount !== 0n, true, `${name} has no line of zero`);
  }
  if (invoice.kind === "OVERAGE") {
    same(invoice.grantId, null, `${name} sells no grant`);
    return;
  }
  const lot = invoice.grantId === null ? undefined : kept.lots.get(invoice.grantId);
  same(invoice.status !== "DRAFT", true, `${name} is open from the start`);
  if (invoice.status === "DRAFT") return;
  const settlement = SETTLEMENT_OF_INVOICE[invoice.status];
  same(lot?.settlementStatus, settlement, `${name} and its grant`);
}
