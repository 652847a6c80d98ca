/** Owns the scenarios of corrections: the invoiced part first, then credits, in reverse. */
import { describe } from "vitest";
import { scenario } from "./scenario.ts";

describe("D7 corrections", () => {
  scenario(
    "partial corrections go back in reverse: the invoiced part first, then the last consumed",
    `
    grant A 10 USD priority 1
      FUNDED    A         +10     0 -> 10
    grant B 10 USD priority 2
      FUNDED    B         +10    10 -> 20
    charge C 25 USD credit_then_invoice
      CONSUMED  A C       -10    20 -> 10
      CONSUMED  B C       -10    10 -> 0
      invoice USD.draft DRAFT lines C:5
    correct charge C 3
      invoice USD.draft DRAFT lines C:2 subtotal 2
      charge C SETTLED corrected 3 invoiced 5 applied 20
    correct charge C 4
      CORRECTED B C        +2     0 -> 2
      invoice USD.draft DRAFT lines none subtotal 0
      charge C SETTLED corrected 7 returned A:0,B:2
    correct charge C 9
      CORRECTED B C        +8     2 -> 10
      CORRECTED A C        +1    10 -> 11
      charge C SETTLED corrected 16 returned A:1,B:10
    correct charge C 9.000000000001
      refused CORRECTION_EXCEEDS_CHARGE amount 25 corrected_amount 16
      unchanged
    correct charge C
      CORRECTED A C        +9    11 -> 20
      charge C SETTLED amount 25 corrected 25 applied 20 invoiced 5
    correct charge C
      refused CORRECTION_EXCEEDS_CHARGE
      unchanged
    `,
  );
  scenario(
    "a line of the draft is reduced; reduced to zero it is removed",
    `
    charge C 60 USD credit_then_invoice
    charge D 5 USD credit_then_invoice
    correct charge C 20
      invoice USD.draft DRAFT subtotal 45 lines C:40,D:5
    correct charge C
      invoice USD.draft DRAFT subtotal 5 lines D:5
    correct charge D
      invoice USD.draft DRAFT subtotal 0 lines none
    issue invoice USD.draft
      refused INVOICE_EMPTY
      unchanged
    `,
  );
  scenario(
    "for an issued invoice, paid or not, a credit line goes on the draft",
    `
    charge C 60 USD credit_then_invoice
    issue invoice USD.draft as I1
    correct charge C 10
      invoice I1 OPEN subtotal 60 lines C:60
      invoice USD.draft DRAFT subtotal -10 lines C:-10
    settle invoice I1
    correct charge C 15
      invoice I1 PAID subtotal 60
      invoice USD.draft DRAFT subtotal -25 lines C:-10,C:-15
      charge C SETTLED corrected 25
    `,
  );
  scenario(
    "the part on a void invoice was waived and only counts",
    `
    grant A 10 USD
      FUNDED    A         +10     0 -> 10
    charge C 60 USD credit_then_invoice
      CONSUMED  A C       -10    10 -> 0
    issue invoice USD.draft as I1
    void invoice I1
    correct charge C 52
      CORRECTED A C        +2     0 -> 2
      charge C SETTLED corrected 52
      invoice I1 VOID subtotal 50 lines C:50
      draft USD none
    `,
  );
  scenario(
    "into an expired grant the credit ends again at once",
    `
    grant A 100 USD until d3
      FUNDED    A        +100     0 -> 100
    charge C 60 USD
      CONSUMED  A C       -60   100 -> 40
    clock d3
      EXPIRED   A         -40    40 -> 0
    clock d5
    correct charge C 25
      CORRECTED A C       +25     0 -> 25
      EXPIRED   A C       -25    25 -> 0
      grant A EXPIRED remaining 0
      charge C SETTLED returned A:25
      accounts USD promotion 100 earnings 35 breakage 65
    `,
  );
  scenario(
    "into a voided grant the credit ends again at once, where the void sent it",
    `
    grant A 100 USD external
    external A SETTLED
      FUNDED    A        +100     0 -> 100
    charge C 60 USD
      CONSUMED  A C       -60   100 -> 40
    void grant A
      VOIDED    A         -40    40 -> 0
    correct charge C
      CORRECTED A C       +60     0 -> 60
      VOIDED    A C       -60    60 -> 0
      grant A VOIDED remaining 0
      accounts USD settlement 100 breakage 100
    `,
  );
  scenario(
    "a correction into an expired grant leaves what another charge holds of it alone",
    `
    grant A 100 USD until d3
      FUNDED    A        +100     0 -> 100
    charge C 60 USD
      CONSUMED  A C       -60   100 -> 40
    charge H 30 USD hold
    clock d4
      EXPIRED   A         -10    40 -> 30   @d3
    correct charge C 5
      CORRECTED A C        +5    30 -> 35
      EXPIRED   A C        -5    35 -> 30
      grant A EXPIRED remaining 30 held 30
    `,
  );
  scenario(
    "accrued credit comes back from accrued, earned credit from earnings",
    `
    grant A 100 USD external on_creation
      FUNDED    A        +100     0 -> 100
    charge C 60 USD
      CONSUMED  A C       -60   100 -> 40
    correct charge C 10
      transfer CORRECTED A C 10 accrued -> customer_credit
    external A SETTLED
      accounts USD settlement 100 customer_credit 50 earnings 50
    correct charge C 10
      transfer CORRECTED A C 10 earnings -> customer_credit
    `,
  );
  scenario(
    "a charge that held first is corrected in reverse of what it consumed",
    `
    grant A 10 USD priority 2
      FUNDED    A         +10     0 -> 10
    charge H 10 USD credit_then_invoice hold
    grant B 3 USD priority 1
      FUNDED    B          +3    10 -> 13
    settle charge H 15
      CONSUMED  A H       -10    13 -> 3
      CONSUMED  B H        -3     3 -> 0
      charge H SETTLED invoiced 2
    correct charge H 6
      CORRECTED B H        +3     0 -> 3
      CORRECTED A H        +1     3 -> 4
      invoice USD.draft DRAFT lines none
    `,
  );
  scenario(
    "a part corrected off the draft, the rest issued and corrected as a credit line",
    `
    charge C 60 USD credit_then_invoice
    correct charge C 20
    issue invoice USD.draft as I1
      invoice I1 OPEN total 40
    correct charge C
      invoice USD.draft DRAFT subtotal -40 lines C:-40
      charge C SETTLED corrected 60
    `,
  );
});
