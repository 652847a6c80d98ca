/**
 * Owns the worked examples of the operational flows: what the product does, told once in full. The
 * other files of this folder take up the rules one by one.
 */
import { describe } from "vitest";
import { scenario } from "./scenario.ts";

describe("G3 create promotional credits", () => {
  scenario(
    "promotional credit is available at once, in the balance and as a funded movement",
    `
    grant WELCOME 100 USD promotional until d30
      FUNDED    WELCOME       +100     0 -> 100
      balance USD settled 100 held 0 pending 100 upcoming 0
      grant WELCOME ACTIVE remaining 100 payment none effective d0 expires d30
      accounts USD promotion 100 customer_credit 100
    `,
  );
});

describe("G4 sell credits by invoice", () => {
  scenario(
    "1,000 credits at 0.35 USD are an invoice of 350.00 USD, available after settlement",
    `
    unit CREDITS 0
    grant PACK 1000 CREDITS invoice at 0.35 USD
      balance CREDITS settled 0 held 0 pending 0 upcoming 1000
      grant PACK PENDING remaining 0 payment PENDING
      invoice PACK.invoice OPEN kind PURCHASE currency USD total 350 number 1 lines PACK:350
    authorize invoice PACK.invoice
      grant PACK PENDING payment AUTHORIZED
      accounts CREDITS receivable_open -1000 receivable_authorized 1000
    settle invoice PACK.invoice
      FUNDED    PACK         +1000     0 -> 1000
      balance CREDITS settled 1000 held 0 pending 1000 upcoming 0
      grant PACK ACTIVE remaining 1000 payment SETTLED
      invoice PACK.invoice PAID paid d0
      accounts CREDITS settlement 1000 customer_credit 1000
    `,
  );
});

describe("G5 record externally funded credits", () => {
  scenario(
    "credit follows the settlement that is reported from elsewhere, step by step",
    `
    grant E 500 USD external at 0.9 EUR on_settlement
      balance USD settled 0 held 0 pending 0 upcoming 500
    clock d1
    external E AUTHORIZED
      grant E PENDING payment AUTHORIZED remaining 0
      balance USD settled 0 held 0 pending 0 upcoming 500
    clock d2
    external E SETTLED
      FUNDED    E             +500     0 -> 500
      grant E ACTIVE payment SETTLED effective d2
      balance USD settled 500 held 0 pending 500 upcoming 0
      accounts USD settlement 500 customer_credit 500
    `,
  );
});

describe("B1 check a customer's credit balance", () => {
  scenario(
    "an open charge lowers the pending balance, not the settled one",
    `
    grant A 100 USD
      FUNDED    A             +100     0 -> 100
    grant B 50 USD from d10
      balance USD settled 100 held 0 pending 100 upcoming 50
    charge C 30 USD credit_only hold
      balance USD settled 100 held 30 pending 70 upcoming 50
    settle charge C
      CONSUMED  A C            -30   100 -> 70
      balance USD settled 70 held 0 pending 70 upcoming 50
    `,
  );
});

describe("D3 consume credits through charges", () => {
  scenario(
    "credit_then_invoice: 40 of credit against 100 leaves 60 on the invoice",
    `
    grant A 40 USD
      FUNDED    A              +40     0 -> 40
    charge C 100 USD credit_then_invoice
      CONSUMED  A C            -40    40 -> 0
      charge C SETTLED amount 100 applied 40 invoiced 60 draws A:40
      grant A EXHAUSTED remaining 0
      invoice USD.draft DRAFT kind OVERAGE subtotal 60 lines C:60 number none
      balance USD settled 0 held 0 pending 0 upcoming 0
      accounts USD promotion 40 earnings 40
    `,
  );
  scenario(
    "credit_only: 40 of credit against 100 is refused, and nothing is written",
    `
    grant A 40 USD
      FUNDED    A              +40     0 -> 40
    charge C 100 USD credit_only
      refused INSUFFICIENT_CREDITS required 100 available 40 currency USD
      unchanged
      balance USD settled 40 held 0 pending 40 upcoming 0
      draft USD none
    charge D 40 USD credit_only
      CONSUMED  A D            -40    40 -> 0
    `,
  );
});

describe("H1 review credit history", () => {
  scenario(
    "every change of the settled balance is one movement, and each begins where one ended",
    `
    grant A 100 USD until d30
      FUNDED    A             +100     0 -> 100
    grant B 20.5 USD priority 1
      FUNDED    B            +20.5   100 -> 120.5
    charge C 40.25 USD credit_only
      CONSUMED  B C          -20.5 120.5 -> 100
      CONSUMED  A C         -19.75   100 -> 80.25
    charge H 10 USD credit_only hold
    correct charge C 20
      CORRECTED A C         +19.75 80.25 -> 100
      CORRECTED B C          +0.25   100 -> 100.25
    adjust -0.25 USD of B
      ADJUSTED  B            -0.25 100.25 -> 100
    cancel charge H
    void grant A
      VOIDED    A             -100   100 -> 0
    `,
  );
});
