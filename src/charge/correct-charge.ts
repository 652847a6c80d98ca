/** Owns taking back part or all of a settled charge, in reverse of how it was applied (D7). */
import type { Book } from "../book/book.ts";
import {
  checkDraftRoom,
  checkScale,
  checkSubtotal,
  getCharge,
  getCurrency,
  getInvoice,
} from "../book/guards.ts";
import { type Charge, correctedAmount, type Invoice, type InvoiceLine } from "../book/nouns.ts";
import { assert, refuse } from "../errors.ts";
import { addDraftLine, reduceDraftLine } from "../invoice/draft.ts";
import type { Draw } from "../ledger/draw-order.ts";
import { nextDueOfLot } from "../ledger/due.ts";
import type { ChargeId } from "../ledger/ids.ts";
import { correctToLot } from "../ledger/postings.ts";
import type { Transfer } from "../ledger/transfer.ts";
import { type Amount, formatAmount, minAmount } from "../money/amount.ts";
import { moveOfCharge } from "./moves.ts";

export interface CorrectCharge {
  readonly chargeId: ChargeId;
  /** Null takes back all that is left. */
  readonly amount: Amount | null;
  readonly reason: string;
}

export interface CorrectChargeResult {
  readonly charge: Charge;
  readonly transfers: readonly Transfer[];
  readonly reason: string;
}

export function correctCharge(book: Book, command: CorrectCharge): CorrectChargeResult {
  const charge = getCharge(book, command.chargeId);
  const { reason } = command;
  if (command.amount !== null) {
    checkScale(getCurrency(book, charge.currency), command.amount, "amount");
  }
  checkCorrectable(charge, command.amount);
  const left = charge.amount - correctedAmount(charge);
  const amount = command.amount ?? left;
  const fromInvoice = minAmount(amount, charge.invoicedAmount - charge.correctedInvoiced);
  const invoiced = fromInvoice === 0n ? null : requireInvoiced(book, charge, fromInvoice);
  const returns = planReturns(book, charge, amount - fromInvoice);

  if (invoiced !== null) takeOffInvoice(book, charge, invoiced, fromInvoice);
  const transfers = book.withNote({ description: reason, metadata: {} }, () => {
    for (const { lot, amount: part } of returns) {
      correctToLot(book.journal, lot, part, charge.id);
      book.expectDue(nextDueOfLot(lot)?.at ?? null);
    }
  });
  const returned = new Map(returns.map(({ lot, amount: part }) => [lot.id, part]));
  charge.allocations = charge.allocations.map((allocation) => {
    const more = returned.get(allocation.grantId) ?? 0n;
    return more === 0n ? allocation : { ...allocation, returned: allocation.returned + more };
  });
  charge.correctedInvoiced += fromInvoice;
  book.chargeChanged(charge);
  return { charge, transfers, reason };
}

function checkCorrectable(charge: Charge, amount: Amount | null): void {
  moveOfCharge(charge, "correct");
  const left = charge.amount - correctedAmount(charge);
  if (left > 0n && (amount === null || amount <= left)) return;
  const facts = {
    charge_id: charge.id,
    amount: formatAmount(charge.amount),
    corrected_amount: formatAmount(correctedAmount(charge)),
  };
  const message = `only ${formatAmount(left)} of the charge is left to correct`;
  throw refuse("CORRECTION_EXCEEDS_CHARGE", message, facts);
}

interface InvoicedPart {
  readonly invoice: Invoice;
  /** The charge's line, where its invoice is still the draft. */
  readonly line: InvoiceLine | null;
}

/** Asks for what taking back an invoiced part needs, before anything is posted. */
function requireInvoiced(book: Book, charge: Charge, amount: Amount): InvoicedPart {
  const { invoiceId, invoiceLineId } = charge;
  assert(invoiceId !== null && invoiceLineId !== null, "an invoiced part stands on a line");
  const invoice = getInvoice(book, invoiceId);
  if (invoice.status === "VOID") return { invoice, line: null };
  if (invoice.status !== "DRAFT") {
    checkDraftRoom(book, charge.currency, -amount, "amount");
    return { invoice, line: null };
  }
  checkSubtotal(invoice, -amount, "amount");
  const line = book.findLine(invoiceLineId);
  assert(line !== undefined, "the line of an invoiced part that is left stands on its draft");
  return { invoice, line };
}

/** A draft line is reduced, an issued one credited on the draft, a void one was waived (D7). */
function takeOffInvoice(book: Book, charge: Charge, part: InvoicedPart, amount: Amount): void {
  const { invoice, line } = part;
  if (line !== null) reduceDraftLine(book, invoice, line, amount);
  else if (invoice.status !== "VOID") addDraftLine(book, charge, -amount, invoice.id);
}

/** What goes back to which grants: the last consumed first (D7). */
function planReturns(book: Book, charge: Charge, amount: Amount): readonly Draw[] {
  const ids = charge.allocations.map((allocation) => allocation.grantId);
  if (amount > 0n) book.requireGrants(ids, true);
  const returns: Draw[] = [];
  let missing = amount;
  for (const allocation of charge.allocations.toReversed()) {
    const part = minAmount(allocation.amount - allocation.returned, missing);
    if (part === 0n) continue;
    const lot = book.getLot(allocation.grantId);
    returns.push({ lot, amount: part });
    missing -= part;
  }
  assert(missing === 0n, "what is left of a charge was invoiced or drawn from grants");
  return returns;
}
