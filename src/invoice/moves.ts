/** Owns which event an invoice accepts in which state (I1, D9), as data. */
import type { Invoice, InvoiceStatus } from "../book/nouns.ts";
import { refuse } from "../errors.ts";

export const INVOICE_EVENTS = ["issue", "authorize", "settle", "fail", "void"] as const;

export type InvoiceEvent = (typeof INVOICE_EVENTS)[number];

/** `act` happens, `repeat` succeeds and changes nothing, `refuse` is INVOICE_TRANSITION_REFUSED. */
export type Outcome = "act" | "repeat" | "refuse";

export const INVOICE_MOVES = {
  DRAFT: { issue: "act", authorize: "refuse", settle: "refuse", fail: "refuse", void: "act" },
  OPEN: { issue: "repeat", authorize: "act", settle: "act", fail: "act", void: "act" },
  AUTHORIZED: { issue: "refuse", authorize: "repeat", settle: "act", fail: "act", void: "act" },
  PAID: { issue: "refuse", authorize: "refuse", settle: "repeat", fail: "refuse", void: "refuse" },
  PAYMENT_FAILED: { issue: "refuse", authorize: "act", settle: "act", fail: "repeat", void: "act" },
  VOID: { issue: "refuse", authorize: "refuse", settle: "refuse", fail: "refuse", void: "repeat" },
} as const satisfies Record<InvoiceStatus, Record<InvoiceEvent, Outcome>>;

const AS_WORDS = {
  issue: "be issued",
  authorize: "be authorized",
  settle: "be settled",
  fail: "fail",
  void: "be voided",
} as const satisfies Record<InvoiceEvent, string>;

/** Whether the event changes this invoice; refuses by name what its state does not allow. */
export function movesInvoice(invoice: Invoice, event: InvoiceEvent): boolean {
  const outcome = INVOICE_MOVES[invoice.status][event];
  if (outcome === "refuse") throw transitionRefused(invoice, event);
  return outcome === "act";
}

export function transitionRefused(invoice: Invoice, event: InvoiceEvent, why = "") {
  const facts = { invoice_id: invoice.id, status: invoice.status, event };
  const message = `an invoice that is ${invoice.status} cannot ${AS_WORDS[event]}${why}`;
  return refuse("INVOICE_TRANSITION_REFUSED", message, facts);
}
