/** Owns the scenarios of charges that hold credit first: holding, settling, canceling, timeouts. */
import { describe } from "vitest";
import { scenario } from "./scenario.ts";

describe("D4 manual capture holds credit", () => {
  scenario(
    "held credit counts in settled, not in pending, and nobody else can draw it",
    `
    grant A 60 USD
      FUNDED    A         +60     0 -> 60
    grant B 40 USD
      FUNDED    B         +40    60 -> 100
    charge H 70 USD hold
      charge H OPEN amount 70 held 70 draws A:60,B:10
      balance USD settled 100 held 70 pending 30 upcoming 0
      grant A ACTIVE remaining 60 held 60
    charge C 31 USD
      refused INSUFFICIENT_CREDITS available 30
    charge D 30 USD
      CONSUMED  B D       -30   100 -> 70
    `,
  );
  scenario(
    "credit_only refuses a hold that it cannot cover, credit_then_invoice holds what there is",
    `
    grant A 40 USD
      FUNDED    A         +40     0 -> 40
    charge H 100 USD credit_only hold
      refused INSUFFICIENT_CREDITS required 100 available 40
      unchanged
    charge K 100 USD credit_then_invoice hold
      charge K OPEN amount 100 held 40 invoiced 0
      draft USD none
    settle charge K
      CONSUMED  A K       -40    40 -> 0
      charge K SETTLED amount 100 applied 40 invoiced 60
      invoice USD.draft DRAFT subtotal 60
    `,
  );
  scenario(
    "an open charge is canceled 7 days after its creation unless told otherwise",
    `
    grant A 60 USD
      FUNDED    A         +60     0 -> 60
    charge H 50 USD hold
      charge H OPEN hold_expires d7
    charge K 5 USD hold until d2
      charge K OPEN hold_expires d2
    clock d2
      charge K CANCELED canceled d2 held 0 draws nothing
    clock d7-1us
      charge H OPEN held 50
    later d9
    charge C 60 USD
      CONSUMED  A C       -60    60 -> 0
      charge H CANCELED canceled d7
    `,
  );
  scenario(
    "a hold lasts 31 days at most",
    `
    charge H 0 USD hold until d31+1us
      refused INVALID_REQUEST
      unchanged
    charge H 0 USD hold until d31
      charge H OPEN hold_expires d31
    `,
  );
});

describe("D5 settling an open charge", () => {
  scenario(
    "for less: consumed in the order taken, the last taken is released first",
    `
    grant A 10 USD priority 1
      FUNDED    A         +10     0 -> 10
    grant B 10 USD priority 2
      FUNDED    B         +10    10 -> 20
    grant C 10 USD priority 3
      FUNDED    C         +10    20 -> 30
    charge H 30 USD hold
    settle charge H 12
      transfer CONSUMED A H 10 customer_held -> earnings
      transfer CONSUMED B H 2 customer_held -> earnings
      transfer RELEASED C H 10 customer_held -> customer_credit
      transfer RELEASED B H 8 customer_held -> customer_credit
      charge H SETTLED amount 12 estimate 30 applied 12 draws A:10,B:2
      grant A EXHAUSTED
      grant B ACTIVE remaining 8 held 0
    `,
  );
  scenario(
    "for more: the rest is drawn from what is available now",
    `
    grant A 10 USD priority 2
      FUNDED    A         +10     0 -> 10
    charge H 10 USD hold
    grant B 10 USD priority 1
      FUNDED    B         +10    10 -> 20
    settle charge H 14
      CONSUMED  A H       -10    20 -> 10
      CONSUMED  B H        -4    10 -> 6
      charge H SETTLED amount 14 estimate 10 draws A:10,B:4
    `,
  );
  scenario(
    "for more, out of a grant that is held from: one CONSUMED movement of that grant",
    `
    grant A 10 USD
      FUNDED    A         +10     0 -> 10
    charge H 6 USD hold
    settle charge H 9
      transfer HELD A H 3 customer_credit -> customer_held
      transfer CONSUMED A H 9 customer_held -> earnings
      charge H SETTLED draws A:9
      grant A ACTIVE remaining 1 held 0
    `,
  );
  scenario(
    "for more than there is: credit_only is refused and keeps its hold, credit_then_invoice invoices",
    `
    grant A 10 USD
      FUNDED    A         +10     0 -> 10
    charge H 6 USD credit_only hold
    charge K 2 USD credit_then_invoice hold
    settle charge H 9
      refused INSUFFICIENT_CREDITS required 9 available 8 currency USD
      unchanged
      charge H OPEN held 6
    settle charge K 12
      CONSUMED  A K        -4    10 -> 6
      charge K SETTLED amount 12 applied 4 invoiced 8
    settle charge H
      CONSUMED  A H        -6     6 -> 0
    `,
  );
  scenario(
    "zero settles and releases all",
    `
    grant A 10 USD
      FUNDED    A         +10     0 -> 10
    charge H 6 USD hold
    settle charge H 0
      charge H SETTLED amount 0 estimate 6 draws nothing
      balance USD settled 10 held 0 pending 10 upcoming 0
    `,
  );
  scenario(
    "by quantity, at the price that was applied",
    `
    grant A 100 USD
      FUNDED    A        +100     0 -> 100
    card api 2 USD credit_only feature calls
    charge H 10 of api hold
      charge H OPEN amount 20 quantity 10 held 20
    settle charge H quantity 7
      CONSUMED  A H       -14   100 -> 86
      charge H SETTLED amount 14 estimate 20 quantity 7
    charge K 10 of api hold
    settle charge K
      CONSUMED  A K       -20    86 -> 66
    `,
  );
  scenario(
    "canceling releases everything, the last taken first",
    `
    grant A 10 USD priority 1
      FUNDED    A         +10     0 -> 10
    grant B 10 USD priority 2
      FUNDED    B         +10    10 -> 20
    charge H 15 USD hold
    cancel charge H
      transfer RELEASED B H 5 customer_held -> customer_credit
      transfer RELEASED A H 10 customer_held -> customer_credit
      charge H CANCELED amount 15 held 0 applied 0 draws nothing
    `,
  );
  scenario(
    "a hold waits for its settlement while other credit comes: the draft gets only the rest",
    `
    charge H 10 USD credit_then_invoice hold
      charge H OPEN held 0
    grant A 4 USD
      FUNDED    A          +4     0 -> 4
    settle charge H
      CONSUMED  A H        -4     4 -> 0
      charge H SETTLED applied 4 invoiced 6
    `,
  );
});

describe("D6 a hold protects its credit", () => {
  scenario(
    "it outlives the expiry of its grant: what is consumed is consumed, what is released ends then",
    `
    grant A 100 USD until d3
      FUNDED    A        +100     0 -> 100
    charge H 60 USD hold
    clock d3
      EXPIRED   A         -40   100 -> 60
      grant A EXPIRED remaining 60 held 60
      balance USD settled 60 held 60 pending 0 upcoming 0
    charge C 1 USD
      refused INSUFFICIENT_CREDITS available 0
    clock d5
    settle charge H 45
      CONSUMED  A H       -45    60 -> 15
      EXPIRED   A H       -15    15 -> 0
      grant A EXPIRED remaining 0 held 0
      accounts USD promotion 100 earnings 45 breakage 55
    `,
  );
  scenario(
    "it outlives a void of its grant",
    `
    grant A 100 USD
      FUNDED    A        +100     0 -> 100
    charge H 60 USD hold
    void grant A
      VOIDED    A         -40   100 -> 60
      grant A VOIDED remaining 60 held 60
    cancel charge H
      VOIDED    A H       -60    60 -> 0
      grant A VOIDED remaining 0
      accounts USD
    `,
  );
  scenario(
    "voided wins over expired",
    `
    grant A 100 USD external on_creation until d3
      FUNDED    A        +100     0 -> 100
    charge H 60 USD hold
    void grant A
      VOIDED    A         -40   100 -> 60
    clock d4
      grant A VOIDED remaining 60
    settle charge H 10
      CONSUMED  A H       -10    60 -> 50
      VOIDED    A H       -50    50 -> 0
      accounts USD receivable_open 10 accrued 10
    `,
  );
  scenario(
    "an expired grant whose payment is given up ends the rest of its hold as expired",
    `
    grant A 100 USD external on_creation until d3
      FUNDED    A        +100     0 -> 100
    charge H 60 USD hold
    clock d3
      EXPIRED   A         -40   100 -> 60
    external A FAILED
      grant A EXPIRED remaining 60 payment FAILED
    cancel charge H
      EXPIRED   A H       -60    60 -> 0
    `,
  );
  scenario(
    "a held grant stays drawable for its charge alone: settling for more passes it over",
    `
    grant A 10 USD until d3
      FUNDED    A         +10     0 -> 10
    charge H 6 USD hold
    grant B 10 USD
      FUNDED    B         +10    10 -> 20
    clock d3
      EXPIRED   A          -4    20 -> 16
    settle charge H 8
      CONSUMED  A H        -6    16 -> 10
      CONSUMED  B H        -2    10 -> 8
      grant A EXPIRED remaining 0
    `,
  );
  scenario(
    "a timeout after the expiry ends what it releases, dated at the timeout",
    `
    grant A 100 USD until d3
      FUNDED    A        +100     0 -> 100
    charge H 60 USD hold
    clock d9
      EXPIRED   A         -40   100 -> 60   @d3
      EXPIRED   A H       -60    60 -> 0    @d7
      charge H CANCELED canceled d7
    `,
  );
});
