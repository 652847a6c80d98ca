/** Owns the scenarios of invoices: overage drafts, issue, payment, voiding, credit lines. */
import { describe } from "vitest";
import { scenario } from "./scenario.ts";

describe("I1 the life of an invoice", () => {
  scenario(
    "issued, authorized, failed, retried and paid; settling an open one books both facts",
    `
    charge C 10 USD credit_then_invoice
    clock d1
    issue invoice USD.draft as I1
      invoice I1 OPEN number 1 issued d1 total 10
    authorize invoice I1
      invoice I1 AUTHORIZED
    fail invoice I1
      invoice I1 PAYMENT_FAILED
    authorize invoice I1
    settle invoice I1
      invoice I1 PAID paid d1
    charge D 10 USD credit_then_invoice
    issue invoice USD.draft as I2
      invoice I2 OPEN number 2
    settle invoice I2
      invoice I2 PAID
    `,
  );
  scenario(
    "a number is given at issue, over purchases and overages alike",
    `
    charge C 10 USD credit_then_invoice
      invoice USD.draft DRAFT number none issued never
    grant A 10 USD invoice
      invoice A.invoice OPEN number 1
    issue invoice USD.draft as I2
      invoice I2 OPEN number 2
    `,
  );
  scenario(
    "a draft that is voided waives its lines, and the next charge begins a new draft",
    `
    charge C 10 USD credit_then_invoice
    void invoice USD.draft
      draft USD none
      charge C SETTLED invoiced 10
    charge D 5 USD credit_then_invoice
      invoice USD.draft DRAFT subtotal 5 lines D:5
    `,
  );
  scenario(
    "voiding an issued invoice takes its credit lines off the draft",
    `
    charge C 60 USD credit_then_invoice
    issue invoice USD.draft as I1
    charge D 30 USD credit_then_invoice
    correct charge C 10
    correct charge C 5
      invoice USD.draft DRAFT subtotal 15 lines D:30,C:-10,C:-5
    void invoice I1
      invoice I1 VOID voided d0
      invoice USD.draft DRAFT subtotal 30 lines D:30
      charge C SETTLED corrected 15
    void invoice I1
      unchanged
    `,
  );
  scenario(
    "once a credit line has been issued, the invoice that it credits cannot be voided",
    `
    charge C 60 USD credit_then_invoice
    issue invoice USD.draft as I1
    charge D 30 USD credit_then_invoice
    correct charge C 10
    issue invoice USD.draft as I2
      invoice I2 OPEN total 20 lines D:30,C:-10
    correct charge C 5
    void invoice I1
      refused INVOICE_TRANSITION_REFUSED status OPEN event void
      unchanged
      invoice USD.draft DRAFT lines C:-5
    `,
  );
  scenario(
    "a draft that holds credit lines cannot be voided",
    `
    charge C 60 USD credit_then_invoice
    issue invoice USD.draft as I1
    correct charge C 10
    charge D 30 USD credit_then_invoice
    void invoice USD.draft
      refused INVOICE_TRANSITION_REFUSED status DRAFT event void
      unchanged
    void invoice I1
    void invoice USD.draft
      draft USD none
    `,
  );
  scenario(
    "a failed payment may be tried again, and credit stays as it is",
    `
    grant A 10 USD invoice on_authorization
    authorize invoice A.invoice
      FUNDED    A         +10     0 -> 10
    charge C 4 USD
      CONSUMED  A C        -4    10 -> 6
    fail invoice A.invoice
      invoice A.invoice PAYMENT_FAILED
      grant A ACTIVE remaining 6 payment PENDING
      accounts USD receivable_open 10 customer_credit 6 accrued 4
    settle invoice A.invoice
      invoice A.invoice PAID
      accounts USD settlement 10 customer_credit 6 earnings 4
    `,
  );
  scenario(
    "an unknown invoice is not found",
    `
    issue invoice nothing
      refused INVOICE_NOT_FOUND invoice_id nothing
    void invoice nothing
      refused INVOICE_NOT_FOUND
    `,
  );
});

describe("I2 the invoice of a grant drives its availability", () => {
  scenario(
    "the grant's settlement status follows the invoice",
    `
    grant A 10 USD invoice
      grant A PENDING payment PENDING
    fail invoice A.invoice
      grant A PENDING payment PENDING
      invoice A.invoice PAYMENT_FAILED
    authorize invoice A.invoice
      grant A PENDING payment AUTHORIZED
    fail invoice A.invoice
      grant A PENDING payment PENDING
    settle invoice A.invoice
      FUNDED    A         +10     0 -> 10
      grant A ACTIVE payment SETTLED
    void invoice A.invoice
      refused INVOICE_TRANSITION_REFUSED status PAID
      unchanged
    grant B 10 USD invoice
    void invoice B.invoice
      grant B VOIDED payment FAILED
    `,
  );
  scenario(
    "a purchase in another currency: the journal is in the grant's, at face value",
    `
    grant A 10 USD invoice at 1.1 EUR
      invoice A.invoice OPEN currency EUR total 11
    settle invoice A.invoice
      FUNDED    A         +10     0 -> 10
      accounts USD settlement 10 customer_credit 10
      accounts EUR
    `,
  );
});

describe("I3 the draft of a currency", () => {
  scenario(
    "uncovered parts gather on one draft of a currency until it is issued",
    `
    charge C 1.005 USD credit_then_invoice
    charge D 2 USD credit_then_invoice
    charge E 3 EUR credit_then_invoice
      invoice USD.draft DRAFT subtotal 3.005 total 3.01 lines C:1.005,D:2
      invoice EUR.draft DRAFT subtotal 3 lines E:3
    issue invoice USD.draft as I1
    charge F 4 USD credit_then_invoice
      invoice USD.draft DRAFT subtotal 4 lines F:4
      invoice I1 OPEN subtotal 3.005
    `,
  );
  scenario(
    "a draft below zero cannot be issued and waits for more lines",
    `
    charge C 10 USD credit_then_invoice
    issue invoice USD.draft as I1
    correct charge C 4
    issue invoice USD.draft
      refused INVOICE_TOTAL_NEGATIVE subtotal -4
      unchanged
    charge D 4.001 USD credit_then_invoice
    issue invoice USD.draft as I2
      invoice I2 PAID subtotal 0.001 total 0 number 2 paid d0 lines C:-4,D:4.001
    `,
  );
  scenario(
    "one that rounds to zero is paid at issue, one that rounds up is open",
    `
    charge C 0.004999999999 USD credit_then_invoice
    issue invoice USD.draft as I1
      invoice I1 PAID total 0
    charge D 0.005 USD credit_then_invoice
    issue invoice USD.draft as I2
      invoice I2 OPEN total 0.01
    `,
  );
  scenario(
    "a draft stays below 10^24: what it has no room for is refused, now or at the settlement",
    `
    charge H 1 USD credit_then_invoice hold
    charge C 999999999999999999999999 USD credit_then_invoice
    charge D 1 USD credit_then_invoice
      refused AMOUNT_OUT_OF_RANGE currency USD subtotal 999999999999999999999999
      unchanged
    settle charge H
      refused AMOUNT_OUT_OF_RANGE currency USD
      unchanged
    charge E 0.000000000001 USD credit_then_invoice
      refused AMOUNT_OUT_OF_RANGE currency USD
      unchanged
    issue invoice USD.draft as I1
    settle charge H
      invoice USD.draft DRAFT lines H:1
    `,
  );
  scenario(
    "a draft stays below 10^24 rounded, too",
    `
    charge C 999999999999999999999999.5 USD credit_then_invoice
      refused AMOUNT_OUT_OF_RANGE currency USD subtotal 0
    charge C 999999999999999999999999 USD credit_then_invoice
      invoice USD.draft DRAFT subtotal 999999999999999999999999
    `,
  );

  scenario(
    "a draft stays above -10^24, too: credit that it has no room for is refused",
    `
    charge C 999999999999999999999999 USD credit_then_invoice
    issue invoice USD.draft as I1
    charge D 999999999999999999999999 USD credit_then_invoice
    issue invoice USD.draft as I2
    correct charge C
    correct charge D
      refused AMOUNT_OUT_OF_RANGE currency USD subtotal -999999999999999999999999
      unchanged
    `,
  );
  scenario(
    "voiding an invoice gives its credit back to a draft that has room for it",
    `
    charge C 999999999999999999999999 USD credit_then_invoice
    issue invoice USD.draft as I1
    correct charge C
    charge D 999999999999999999999999 USD credit_then_invoice
    charge E 1 USD credit_then_invoice
    void invoice I1
      refused AMOUNT_OUT_OF_RANGE currency USD subtotal 1
      unchanged
    `,
  );
});
