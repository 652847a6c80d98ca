/** Owns the scenarios of charges that settle at once: rating, draw-down order, settlement modes. */
import { describe } from "vitest";
import { scenario } from "./scenario.ts";

describe("D1 a charge has an amount, or a rate card and a quantity", () => {
  scenario(
    "the newest version is applied, and a later one changes nothing for a charge",
    `
    grant A 100 USD
      FUNDED    A     +100     0 -> 100
    card api 0.5 USD credit_only feature calls
    charge C 10 of api
      CONSUMED  A C     -5   100 -> 95
      charge C SETTLED amount 5 quantity 10 version 1
    charge H 10 of api hold
    card api 2 USD credit_only feature calls
    charge D 10 of api
      CONSUMED  A D    -20    95 -> 75
      charge D SETTLED amount 20 version 2
    settle charge H quantity 20
      CONSUMED  A H    -10    75 -> 65
      charge H SETTLED amount 10 estimate 5 quantity 20 version 1
    `,
  );
  scenario(
    "an archived card refuses until a later version exists; open charges settle all the same",
    `
    grant A 100 USD
      FUNDED    A     +100     0 -> 100
    card api 1 USD credit_only feature calls
    charge H 10 of api hold
    archive card api
    charge C 1 of api
      refused RATE_CARD_ARCHIVED rate_card_key api version 1
      unchanged
    settle charge H quantity 5
      CONSUMED  A H     -5   100 -> 95
    card api 3 USD credit_only feature calls
    charge D 1 of api
      CONSUMED  A D     -3    95 -> 92
    charge E 1 of nothing
      refused RATE_CARD_NOT_FOUND rate_card_key nothing
    `,
  );
  scenario(
    "the minimum applies at quantity 0, the maximum caps; the card sets feature and mode",
    `
    grant A 100 USD features calls
      FUNDED    A     +100     0 -> 100
    card api 1 USD credit_then_invoice feature calls minimum 3 maximum 8
    charge C 0 of api
      CONSUMED  A C     -3   100 -> 97
    charge D 50 of api
      CONSUMED  A D     -8    97 -> 89
    card sms 1 USD credit_then_invoice feature sms
    charge E 5 of sms
      charge E SETTLED applied 0 invoiced 5 draws nothing
    `,
  );
});

describe("D2 draw-down order", () => {
  scenario(
    "priority first, then expiry with never last, then the first movement",
    `
    grant LATE 10 USD priority 2 from d1
    grant NEVER 10 USD priority 2
      FUNDED    NEVER     +10     0 -> 10
    grant SOON 10 USD priority 2 until d20
      FUNDED    SOON      +10    10 -> 20
    grant SOONER 10 USD priority 2 until d10
      FUNDED    SOONER    +10    20 -> 30
    grant FIRST 10 USD priority 1
      FUNDED    FIRST     +10    30 -> 40
    grant LAST 10 USD priority 3 until d5
      FUNDED    LAST      +10    40 -> 50
    clock d1
      FUNDED    LATE      +10    50 -> 60
    charge C 55 USD
      CONSUMED  FIRST C   -10    60 -> 50
      CONSUMED  SOONER C  -10    50 -> 40
      CONSUMED  SOON C    -10    40 -> 30
      CONSUMED  NEVER C   -10    30 -> 20
      CONSUMED  LATE C    -10    20 -> 10
      CONSUMED  LAST C     -5    10 -> 5
    `,
  );
  scenario(
    "the first movement decides, not the creation: what was paid first is drawn first",
    `
    grant OLD 10 USD external
    grant NEW 10 USD external
    external NEW SETTLED
      FUNDED    NEW       +10     0 -> 10
    external OLD SETTLED
      FUNDED    OLD       +10    10 -> 20
    charge C 15 USD
      CONSUMED  NEW C     -10    20 -> 10
      CONSUMED  OLD C      -5    10 -> 5
    `,
  );
  scenario(
    "restricted credit has no precedence",
    `
    grant U 10 USD
      FUNDED    U         +10     0 -> 10
    grant R 10 USD features calls
      FUNDED    R         +10    10 -> 20
    charge C 15 USD feature calls
      CONSUMED  U C       -10    20 -> 10
      CONSUMED  R C        -5    10 -> 5
    `,
  );
  scenario(
    "what others hold is passed over, and so is what is pending, expired or voided",
    `
    grant P 10 USD priority 1 from d9
    grant E 10 USD priority 1 until d1
      FUNDED    E         +10     0 -> 10
    grant V 10 USD priority 1
      FUNDED    V         +10    10 -> 20
    grant H 10 USD priority 1
      FUNDED    H         +10    20 -> 30
    grant A 10 USD
      FUNDED    A         +10    30 -> 40
    void grant V
      VOIDED    V         -10    40 -> 30
    clock d1
      EXPIRED   E         -10    30 -> 20
    charge K 8 USD hold
    charge C 5 USD
      CONSUMED  H C        -2    20 -> 18
      CONSUMED  A C        -3    18 -> 15
    `,
  );
  scenario(
    "a correction gives credit back to its old place in the order",
    `
    grant A 10 USD
      FUNDED    A         +10     0 -> 10
    grant B 10 USD
      FUNDED    B         +10    10 -> 20
    charge C 10 USD
      CONSUMED  A C       -10    20 -> 10
    correct charge C
      CORRECTED A C       +10    10 -> 20
    charge D 12 USD
      CONSUMED  A D       -10    20 -> 10
      CONSUMED  B D        -2    10 -> 8
    `,
  );
});

describe("D3 settlement modes", () => {
  scenario(
    "credit_then_invoice without any credit invoices all of it",
    `
    charge C 10 USD credit_then_invoice
      charge C SETTLED applied 0 invoiced 10
      invoice USD.draft DRAFT subtotal 10 lines C:10
    `,
  );
  scenario(
    "credit_then_invoice needs money: a tenant's own unit is refused",
    `
    unit TOKENS 0
    charge C 10 TOKENS credit_then_invoice
      refused CURRENCY_NOT_INVOICEABLE currency TOKENS
      unchanged
    grant A 10 USD invoice at 2 TOKENS
      refused CURRENCY_NOT_INVOICEABLE currency TOKENS
      unchanged
    charge D 10 CREDITS
      refused CURRENCY_NOT_FOUND currency CREDITS
    `,
  );
  scenario(
    "credit_only draws to the last unit, and is refused above it",
    `
    grant A 10 USD
      FUNDED    A         +10     0 -> 10
    charge C 10.000000000001 USD credit_only
      refused INSUFFICIENT_CREDITS required 10.000000000001 available 10 currency USD
      unchanged
    charge D 10 USD credit_only
      CONSUMED  A D       -10    10 -> 0
    charge Z 0 USD credit_only
      charge Z SETTLED amount 0 draws nothing
    `,
  );
});
