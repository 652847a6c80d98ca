/** Owns the scenarios of the ledger: which accounts each event moves, and how it is dated. */
import { describe } from "vitest";
import { scenario } from "./scenario.ts";

describe("L5 the legal flows of value", () => {
  scenario(
    "promotional credit: funded, held, released, consumed, corrected, expired",
    `
    grant A 100 USD until d30
      transfer FUNDED A 100 promotion -> customer_credit
    charge H 30 USD hold
      transfer HELD A H 30 customer_credit -> customer_held
    settle charge H 20
      transfer CONSUMED A H 20 customer_held -> earnings
      transfer RELEASED A H 10 customer_held -> customer_credit
    charge C 5 USD
      transfer CONSUMED A C 5 customer_credit -> earnings
    correct charge C
      transfer CORRECTED A C 5 earnings -> customer_credit
    adjust -7 USD of A
      transfer ADJUSTED A 7 customer_credit -> promotion
    clock d30
      transfer EXPIRED A 73 customer_credit -> breakage
      accounts USD promotion 93 earnings 20 breakage 73
    `,
  );
  scenario(
    "promotional credit that is voided goes back to promotion",
    `
    grant A 100 USD
      transfer FUNDED A 100 promotion -> customer_credit
    void grant A
      transfer VOIDED A 100 customer_credit -> promotion
      accounts USD
    `,
  );
  scenario(
    "a direct settlement books the authorization too, then the credit",
    `
    grant A 100 USD external on_settlement
    external A SETTLED
      transfer PAYMENT_AUTHORIZED A 100 receivable_authorized -> receivable_open
      transfer PAYMENT_SETTLED A 100 settlement -> receivable_authorized
      transfer FUNDED A 100 receivable_open -> customer_credit
      accounts USD settlement 100 customer_credit 100
    `,
  );
  scenario(
    "credit used before it is paid for accrues, and is earned in one transfer when it is",
    `
    grant A 100 USD invoice on_creation
      transfer FUNDED A 100 receivable_open -> customer_credit
    charge C 30 USD
      transfer CONSUMED A C 30 customer_credit -> accrued
    charge H 20 USD hold
      transfer HELD A H 20 customer_credit -> customer_held
    settle charge H
      transfer CONSUMED A H 20 customer_held -> accrued
    correct charge C 5
      transfer CORRECTED A C 5 accrued -> customer_credit
      accounts USD receivable_open 100 customer_credit 55 accrued 45
    authorize invoice A.invoice
      transfer PAYMENT_AUTHORIZED A 100 receivable_authorized -> receivable_open
      accounts USD receivable_authorized 100 customer_credit 55 accrued 45
    settle invoice A.invoice
      transfer PAYMENT_SETTLED A 100 settlement -> receivable_authorized
      transfer RECOGNIZED A 45 accrued -> earnings
      accounts USD settlement 100 customer_credit 55 earnings 45
    charge D 10 USD
      transfer CONSUMED A D 10 customer_credit -> earnings
    correct charge C 5
      transfer CORRECTED A C 5 earnings -> customer_credit
      accounts USD settlement 100 customer_credit 50 earnings 50
    void grant A
      transfer VOIDED A 50 customer_credit -> breakage
      accounts USD settlement 100 earnings 50 breakage 50
    `,
  );
  scenario(
    "an authorization that fails is booked back; a void books it back first",
    `
    grant A 100 USD invoice on_authorization
    authorize invoice A.invoice
      transfer PAYMENT_AUTHORIZED A 100 receivable_authorized -> receivable_open
      transfer FUNDED A 100 receivable_open -> customer_credit
    fail invoice A.invoice
      transfer AUTHORIZATION_REVERSED A 100 receivable_open -> receivable_authorized
      accounts USD receivable_open 100 customer_credit 100
    authorize invoice A.invoice
      transfer PAYMENT_AUTHORIZED A 100 receivable_authorized -> receivable_open
    void grant A
      transfer AUTHORIZATION_REVERSED A 100 receivable_open -> receivable_authorized
      transfer VOIDED A 100 customer_credit -> receivable_open
      accounts USD
    `,
  );
  scenario(
    "a paid grant that is voided before its credit was available forfeits the payment",
    `
    grant A 100 USD external from d10
    external A SETTLED
      transfer PAYMENT_AUTHORIZED A 100 receivable_authorized -> receivable_open
      transfer PAYMENT_SETTLED A 100 settlement -> receivable_authorized
      accounts USD receivable_open -100 settlement 100
    void grant A
      transfer FORFEITED A 100 receivable_open -> breakage
      accounts USD settlement 100 breakage 100
    clock d11
      grant A VOIDED payment SETTLED remaining 0 voided d0
    `,
  );
  scenario(
    "what an adjustment took out of an unpaid grant ends in breakage when it is paid for",
    `
    grant A 100 USD external on_creation
      transfer FUNDED A 100 receivable_open -> customer_credit
    adjust -30 USD of A
      transfer ADJUSTED A 30 customer_credit -> receivable_open
    external A AUTHORIZED
      transfer PAYMENT_AUTHORIZED A 100 receivable_authorized -> receivable_open
    adjust -10 USD of A
      transfer ADJUSTED A 10 customer_credit -> receivable_open
      accounts USD receivable_open -40 receivable_authorized 100 customer_credit 60
    external A SETTLED
      transfer PAYMENT_SETTLED A 100 settlement -> receivable_authorized
      transfer FORFEITED A 40 receivable_open -> breakage
      accounts USD settlement 100 customer_credit 60 breakage 40
    adjust -10 USD of A
      transfer ADJUSTED A 10 customer_credit -> breakage
      accounts USD settlement 100 customer_credit 50 breakage 50
    `,
  );
});

describe("L3 the sequence and the dates of transfers", () => {
  scenario(
    "due events are dated when they fell due and booked before the command, which is dated now",
    `
    grant A 100 USD until d10
      FUNDED    A     +100     0 -> 100
    grant B 50 USD from d5
    grant C 20 USD until d7
      FUNDED    C      +20   100 -> 120
    later d12
    charge X 10 USD
      FUNDED    B      +50   120 -> 170   @d5
      EXPIRED   C      -20   170 -> 150   @d7
      EXPIRED   A     -100   150 -> 50    @d10
      CONSUMED  B X    -10    50 -> 40    @d12
      grant B ACTIVE effective d5
    `,
  );
  scenario(
    "a clock that goes back is not followed: now is never before the last booking",
    `
    clock d10
    grant A 100 USD
      FUNDED    A     +100     0 -> 100
    later d3
    charge C 10 USD
      CONSUMED  A C    -10   100 -> 90    @d10
      charge C SETTLED settled d10
    charge H 10 USD hold
      charge H OPEN hold_expires d17
    grant B 5 USD until d10
      refused TIME_NOT_IN_FUTURE
    `,
  );
});

describe("L4 accounts are kept per customer and currency", () => {
  scenario(
    "two currencies have accounts of their own",
    `
    unit TOKENS 0
    grant A 100 USD
      FUNDED    A     +100     0 -> 100
    grant T 7 TOKENS external on_creation
      FUNDED    T       +7     0 -> 7
    charge C 3 TOKENS
      CONSUMED  T C     -3     7 -> 4
      accounts USD promotion 100 customer_credit 100
      accounts TOKENS receivable_open 7 customer_credit 4 accrued 3
    `,
  );
});
