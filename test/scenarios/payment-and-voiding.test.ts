/** Owns the scenarios of what payment and voiding do to a grant, from whichever side they come. */
import { describe } from "vitest";
import { scenario } from "./scenario.ts";

describe("G5 external settlement", () => {
  scenario(
    "an invoice grant and a promotional one are not externally funded; unknown ones are not found",
    `
    grant A 100 USD invoice
    grant B 100 USD
      FUNDED    B     +100     0 -> 100
    external A SETTLED
      refused NOT_EXTERNALLY_FUNDED funding_method INVOICE
      unchanged
    external B FAILED
      refused NOT_EXTERNALLY_FUNDED funding_method PROMOTIONAL
      unchanged
    external nobody SETTLED
      refused CREDIT_GRANT_NOT_FOUND credit_grant_id nobody
    `,
  );
  scenario(
    "steps are still booked when the grant is exhausted or expired",
    `
    grant A 100 USD external on_creation
      FUNDED    A     +100     0 -> 100
    grant B 50 USD external on_creation until d1
      FUNDED    B      +50   100 -> 150
    charge C 150 USD
      CONSUMED  B C    -50   150 -> 100
      CONSUMED  A C   -100   100 -> 0
    correct charge C 100
      CORRECTED A C   +100     0 -> 100
    charge D 100 USD
      CONSUMED  A D   -100   100 -> 0
    correct charge C 50
      CORRECTED B C    +50     0 -> 50
    clock d1
      EXPIRED   B      -50    50 -> 0
    external A SETTLED
      grant A EXHAUSTED payment SETTLED
    external B AUTHORIZED
    external B SETTLED
      grant B EXPIRED payment SETTLED
      accounts USD settlement 150 earnings 100 breakage 50
    `,
  );
  scenario(
    "a report of the current state changes nothing, a report of another after the end is refused",
    `
    grant A 100 USD external
    external A PENDING
      unchanged
    external A AUTHORIZED
    external A PENDING
      refused SETTLEMENT_TRANSITION_REFUSED from AUTHORIZED to PENDING
      unchanged
    external A FAILED
      grant A VOIDED payment FAILED voided d0
      accounts USD
    external A FAILED
      unchanged
    external A SETTLED
      refused SETTLEMENT_TRANSITION_REFUSED from FAILED to SETTLED
      unchanged
    `,
  );
});

describe("G6 voiding", () => {
  scenario(
    "voiding forfeits what is free, once, and a repeat keeps the first voided_at",
    `
    grant A 100 USD
      FUNDED    A     +100     0 -> 100
    charge C 30 USD
      CONSUMED  A C    -30   100 -> 70
    clock d1
    void grant A
      VOIDED    A      -70    70 -> 0
      grant A VOIDED remaining 0 voided d1
    clock d2
    void grant A
      unchanged
      grant A VOIDED voided d1
    void grant nobody
      refused CREDIT_GRANT_NOT_FOUND
    `,
  );
  scenario(
    "a fully held grant is voided without a movement",
    `
    grant A 100 USD
      FUNDED    A     +100     0 -> 100
    charge H 100 USD hold
    void grant A
      grant A VOIDED remaining 100 held 100
    `,
  );
  scenario(
    "voiding an unpaid grant gives its payment up: what was consumed stays owed",
    `
    grant A 100 USD invoice on_authorization
    authorize invoice A.invoice
      FUNDED    A     +100     0 -> 100
    charge C 30 USD
      CONSUMED  A C    -30   100 -> 70
    void grant A
      VOIDED    A      -70    70 -> 0
      grant A VOIDED payment FAILED
      invoice A.invoice VOID voided d0
      accounts USD receivable_open 30 accrued 30
    settle invoice A.invoice
      refused INVOICE_TRANSITION_REFUSED status VOID
      unchanged
    correct charge C 10
      CORRECTED A C    +10     0 -> 10
      VOIDED    A C    -10    10 -> 0
      accounts USD receivable_open 20 accrued 20
    `,
  );
  scenario(
    "voiding a paid grant is breakage and leaves its payment as it is",
    `
    grant A 100 USD invoice
    settle invoice A.invoice
      FUNDED    A     +100     0 -> 100
    void grant A
      VOIDED    A     -100   100 -> 0
      grant A VOIDED payment SETTLED
      invoice A.invoice PAID
      accounts USD settlement 100 breakage 100
    settle invoice A.invoice
      unchanged
    `,
  );
  scenario(
    "a pending grant can be voided; its credit never comes",
    `
    grant A 100 USD from d5
    grant B 10 USD invoice
    grant C 7 USD external from d5
    external C SETTLED
    void grant A
    void grant B
      invoice B.invoice VOID
    void grant C
      accounts USD settlement 7 breakage 7
    clock d6
      grant A VOIDED remaining 0 payment none
      grant B VOIDED remaining 0 payment FAILED
      grant C VOIDED remaining 0 payment SETTLED
      balance USD settled 0 held 0 pending 0 upcoming 0
    `,
  );
  scenario(
    "an exhausted or expired grant cannot be voided by itself",
    `
    grant A 10 USD
      FUNDED    A      +10     0 -> 10
    charge C 10 USD
      CONSUMED  A C    -10    10 -> 0
    void grant A
      refused CREDIT_GRANT_NOT_ACTIVE status EXHAUSTED
      unchanged
    grant B 10 USD until d1
      FUNDED    B      +10     0 -> 10
    clock d1
      EXPIRED   B      -10    10 -> 0
    void grant B
      refused CREDIT_GRANT_NOT_ACTIVE status EXPIRED
      unchanged
    `,
  );
  scenario(
    "VoidInvoice and external FAILED void a pending, active or exhausted grant alike",
    `
    grant P 10 USD invoice
    void invoice P.invoice
      grant P VOIDED payment FAILED
    grant A 10 USD invoice on_creation
      FUNDED    A      +10     0 -> 10
    void invoice A.invoice
      VOIDED    A      -10    10 -> 0
      grant A VOIDED payment FAILED
      accounts USD
    grant E 10 USD external on_creation
      FUNDED    E      +10     0 -> 10
    charge C 10 USD
      CONSUMED  E C    -10    10 -> 0
    external E FAILED
      grant E VOIDED payment FAILED
      accounts USD receivable_open 10 accrued 10
    `,
  );
  scenario(
    "an expired grant stays expired when its payment is given up",
    `
    grant A 10 USD invoice on_authorization until d1
    authorize invoice A.invoice
      FUNDED    A      +10     0 -> 10
    clock d1
      EXPIRED   A      -10    10 -> 0
    void invoice A.invoice
      transfer AUTHORIZATION_REVERSED A 10 receivable_open -> receivable_authorized
      grant A EXPIRED payment FAILED voided never
      invoice A.invoice VOID
      accounts USD receivable_open 10 breakage 10
    `,
  );
});
