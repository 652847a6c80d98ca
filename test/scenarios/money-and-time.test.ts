/** Owns the scenarios of what amounts and times the ledger takes, and what rounds. */
import { describe } from "vitest";
import { scenario } from "./scenario.ts";

const LIMIT = "999999999999999999999999";

describe("M1 the sum of all credit ever issued stays below 10^24", () => {
  scenario(
    "grants and adjustments count together, pending, spent and voided ones too",
    `
    grant A ${LIMIT} USD external on_settlement
    grant B 0.999999999999 USD
      FUNDED    B    +0.999999999999     0 -> 0.999999999999
    void grant B
      VOIDED    B    -0.999999999999     0.999999999999 -> 0
    void grant A
    adjust +0.000000000001 USD as C
      refused AMOUNT_OUT_OF_RANGE currency USD issued ${LIMIT}.999999999999
      unchanged
    grant D 0.000000000001 USD
      refused AMOUNT_OUT_OF_RANGE
      unchanged
    grant E 1 EUR
      FUNDED    E               +1     0 -> 1
    `,
  );
  scenario(
    "what an adjustment gave counts for what is issued later",
    `
    grant A ${LIMIT} USD external on_settlement
    adjust +0.6 USD as B
      ADJUSTED  B  +0.6    0 -> 0.6
    adjust +0.4 USD as C
      refused AMOUNT_OUT_OF_RANGE currency USD issued ${LIMIT}.6
      unchanged
    adjust +0.399999999999 USD as D
      ADJUSTED  D  +0.399999999999    0.6 -> 0.999999999999
    `,
  );
  scenario(
    "a refusal of the first issue leaves the currency unused",
    `
    grant A 1 TOKENS
      refused CURRENCY_NOT_FOUND currency TOKENS
      unchanged
    grant B ${LIMIT} JPY external at 100 JPY
      refused AMOUNT_OUT_OF_RANGE currency JPY
      unchanged
    `,
  );
});

describe("M2 what the currency cannot represent is refused, and never rounded", () => {
  scenario(
    "a custom unit takes no more decimals than its exponent, everywhere a caller names an amount",
    `
    unit TOKENS 2
    grant A 1.234 TOKENS
      refused AMOUNT_TOO_FINE currency TOKENS decimals 2
      unchanged
    grant A 1.23 TOKENS
      FUNDED    A          +1.23     0 -> 1.23
    charge C 0.001 TOKENS
      refused AMOUNT_TOO_FINE currency TOKENS
    charge C 0.23 TOKENS hold
    settle charge C 0.001
      refused AMOUNT_TOO_FINE
    settle charge C
      CONSUMED  A C        -0.23  1.23 -> 1
    correct charge C 0.001
      refused AMOUNT_TOO_FINE
    adjust -0.001 TOKENS
      refused AMOUNT_TOO_FINE
    adjust +0.001 TOKENS
      refused AMOUNT_TOO_FINE
    `,
  );
  scenario(
    "credit in money has up to 12 decimals, whatever its minor unit is",
    `
    grant A 1.000000000001 JPY
      FUNDED    A  +1.000000000001     0 -> 1.000000000001
    charge C 0.000000000001 JPY
      CONSUMED  A C -0.000000000001 1.000000000001 -> 1
    `,
  );
  scenario(
    "an amount that is too fine is refused before one that is too large",
    `
    unit TOKENS 0
    grant A 1.5 TOKENS external at ${LIMIT} USD
      refused AMOUNT_TOO_FINE
    `,
  );
});

describe("M3 rounding: once, on the final figure, half away from zero", () => {
  scenario(
    "a purchase amount is rounded to the minor unit of the currency that is paid in",
    `
    grant USD2 1 USD invoice at 0.125 USD
      invoice USD2.invoice OPEN total 0.13 currency USD
    grant JPY0 3 USD invoice at 0.5 JPY
      invoice JPY0.invoice OPEN total 2 currency JPY
    grant KWD3 1 USD invoice at 0.0005 KWD
      invoice KWD3.invoice OPEN total 0.001 currency KWD
    grant ZERO 1 USD invoice at 0.004999999999 USD
      refused PURCHASE_ROUNDS_TO_ZERO currency USD
      unchanged
    grant FREE 1 USD external at 0 USD
      refused PURCHASE_ROUNDS_TO_ZERO
    `,
  );
  scenario(
    "an invoice keeps its exact subtotal and rounds its total",
    `
    charge A 0.111111111111 USD credit_then_invoice
    charge B 0.333888888889 USD credit_then_invoice
      invoice USD.draft DRAFT subtotal 0.445 total 0.45
    `,
  );
  scenario(
    "a rated charge is rounded to the scale of its currency",
    `
    unit TOKENS 0
    card words 0.3 TOKENS credit_only
    grant A 10 TOKENS
      FUNDED    A            +10     0 -> 10
    charge C 5 of words
      CONSUMED  A C           -2    10 -> 8
      charge C SETTLED amount 2 quantity 5
    `,
  );
});

describe("M4 currencies never mix", () => {
  scenario(
    "a charge draws only credit of its own currency",
    `
    grant E 100 EUR priority 1
      FUNDED    E     +100     0 -> 100
    grant U 30 USD
      FUNDED    U      +30     0 -> 30
    charge C 40 USD credit_only
      refused INSUFFICIENT_CREDITS available 30 currency USD
      unchanged
    charge D 40 USD credit_then_invoice
      CONSUMED  U D    -30    30 -> 0
      invoice USD.draft DRAFT subtotal 10
      draft EUR none
      balance EUR settled 100 held 0 pending 100 upcoming 0
    adjust -10 USD of E
      refused INVALID_REQUEST
    adjust -10 USD
      refused INSUFFICIENT_CREDITS available 0
    `,
  );
});

describe("M5 validity, durations and when times are judged", () => {
  scenario(
    "a grant is valid on [effective_at, expires_at): at exactly expires_at it is gone",
    `
    grant A 100 USD from d1 until d2
    clock d1-1us
      grant A PENDING remaining 0
    charge C 1 USD
      refused INSUFFICIENT_CREDITS available 0
    clock d1
      FUNDED    A     +100     0 -> 100
    clock d2-1us
    charge D 1 USD
      CONSUMED  A D     -1   100 -> 99
    later d2
    charge E 1 USD
      EXPIRED   A      -99    99 -> 0
      refused INSUFFICIENT_CREDITS available 0
    `,
  );
  scenario(
    "expires_after counts from the moment at which the credit becomes available",
    `
    grant A 10 USD external on_settlement lasting P1M
      grant A PENDING expires never
    grant B 5 USD lasting PT2S
      FUNDED    B       +5     0 -> 5
      grant B ACTIVE expires d0+2s
    clock d30
      EXPIRED   B       -5     5 -> 0    @d0+2s
    external A SETTLED
      FUNDED    A      +10     0 -> 10
      grant A ACTIVE effective d30 expires d58
    `,
  );
  scenario(
    "expires_at lies after now and after effective_at, hold_expires_at after now",
    `
    clock d5
    grant A 10 USD until d5
      refused TIME_NOT_IN_FUTURE
      unchanged
    grant B 10 USD from d8 until d8
      refused TIME_NOT_IN_FUTURE
      unchanged
    grant C 10 USD from d8 until d8+1us
      grant C PENDING effective d8 expires d8+1us
    charge H 0 USD hold until d5
      refused TIME_NOT_IN_FUTURE
    charge H 0 USD hold until d5+1us
      charge H OPEN hold_expires d5+1us
    `,
  );
  scenario(
    "an effective_at at or before now means now",
    `
    clock d5
    grant A 10 USD from d2
      FUNDED    A      +10     0 -> 10
      grant A ACTIVE effective d5
    grant B 10 USD from d5
      FUNDED    B      +10    10 -> 20
      grant B ACTIVE effective d5
    `,
  );
  scenario(
    "no time lies after 9000-01-01: a duration that would is refused, a later start is capped",
    `
    clock d2547100
    grant A 10 USD lasting P101DT1S
      refused INVALID_REQUEST
      unchanged
    grant B 10 USD external on_settlement lasting P101D
    clock d2547105
    external B SETTLED
      FUNDED    B      +10     0 -> 10
      grant B ACTIVE expires d2547201
    `,
  );
});
