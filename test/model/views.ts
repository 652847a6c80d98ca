/** Owns how the model shows what it keeps: what is sums there is a field here. */
import type { Charge } from "../../gen/drawdown/v1/charge_pb.ts";
import type { Invoice } from "../../gen/drawdown/v1/invoice_pb.ts";
import { MovementType } from "../../gen/drawdown/v1/movement_pb.ts";
import { type Book, freeOf, type Grant, ofGrant, settledOf } from "./books.ts";
import { round, total } from "./figures.ts";
import type { Plain } from "./plain.ts";
import { found } from "./refusals.ts";

/** The decimals of the money that the tests know (M3). */
export const MINOR_UNITS: { readonly [code: string]: number } = { EUR: 2, JPY: 0, KWD: 3, USD: 2 };

const by = (wanted: string) => (row: { readonly id: string }) => row.id === wanted;
export const findGrant = ({ grants }: Book, credit_grant_id: string) =>
  found(grants.find(by(credit_grant_id)), "CREDIT_GRANT_NOT_FOUND", { credit_grant_id });
export const findCharge = ({ charges }: Book, charge_id: string) =>
  found(charges.find(by(charge_id)), "CHARGE_NOT_FOUND", { charge_id });
export const findInvoice = ({ invoices }: Book, invoice_id: string) =>
  found(invoices.find(by(invoice_id)), "INVOICE_NOT_FOUND", { invoice_id });

export function showGrant(book: Book, grant: Grant): Grant {
  const remaining = settledOf(ofGrant(book, grant));
  return { ...grant, remaining, held: remaining - freeOf(book, grant) };
}

export function showCharge(charge: Plain<Charge>): Plain<Charge> {
  const sumIn = (status: string) => (charge.status === status ? total(charge.allocations) : 0n);
  return { ...charge, creditsHeld: sumIn("OPEN"), creditsApplied: sumIn("SETTLED") };
}

export const linesOf = ({ lines }: Plain<Invoice>) => lines.filter(({ amount }) => amount !== 0n);

export function showInvoice(invoice: Plain<Invoice>): Plain<Invoice> {
  const [lines, subtotal] = [linesOf(invoice), total(invoice.lines)];
  const rounded = round(subtotal, 12, MINOR_UNITS[invoice.currency] ?? 0);
  const [first, lineCount] = [lines.slice(0, 100), lines.length];
  return { ...invoice, lines: first, lineCount, subtotal, total: rounded };
}

/** The movements of a book, as people see them (H1, H2). */
export function movementsAfter(book: Book, since = 0) {
  return book.transfers.slice(since).flatMap((transfer) => {
    const { sequence, event: type, settledAfter: balanceAfter } = transfer;
    if (!(type in MovementType)) return [];
    const isGain = transfer.creditAccount === "CUSTOMER_CREDIT";
    const amount = isGain ? transfer.amount : -transfer.amount;
    const charge = book.charges.find(by(transfer.chargeId));
    const owner = type === "CONSUMED" ? charge : findGrant(book, transfer.creditGrantId);
    const { description = "", metadata = {} } = book.words.get(sequence) ?? owner ?? {};
    const id = `movement ${book.customer.id} ${sequence}`;
    const balanceBefore = balanceAfter - amount;
    return [{ ...transfer, id, type, amount, balanceBefore, balanceAfter, description, metadata }];
  });
}
