/** Owns the scenarios of credit grants: status, availability, features, adjustments. */
import { describe } from "vitest";
import { scenario } from "./scenario.ts";

describe("G1 the status of a grant", () => {
  scenario(
    "pending, active, exhausted, and active again by a correction",
    `
    grant A 100 USD from d1
      grant A PENDING remaining 0 effective d1
    clock d1
      FUNDED    A     +100     0 -> 100
      grant A ACTIVE remaining 100
    charge C 100 USD
      CONSUMED  A C   -100   100 -> 0
      grant A EXHAUSTED remaining 0
    correct charge C 1
      CORRECTED A C     +1     0 -> 1
      grant A ACTIVE remaining 1
    `,
  );
  scenario(
    "a fully held grant is still active",
    `
    grant A 100 USD
      FUNDED    A     +100     0 -> 100
    charge H 100 USD hold
      grant A ACTIVE remaining 100 held 100
    settle charge H
      CONSUMED  A H   -100   100 -> 0
      grant A EXHAUSTED remaining 0 held 0
    `,
  );
  scenario(
    "an exhausted grant has no due event; a correction into it past its expiry ends at once",
    `
    grant A 100 USD until d10
      FUNDED    A     +100     0 -> 100
    charge C 100 USD
      CONSUMED  A C   -100   100 -> 0
    clock d11
      grant A EXHAUSTED
    correct charge C 30
      CORRECTED A C    +30     0 -> 30
      EXPIRED   A C    -30    30 -> 0
      grant A EXPIRED remaining 0
      charge C SETTLED returned A:30
      accounts USD promotion 100 earnings 70 breakage 30
    correct charge C
      CORRECTED A C    +70     0 -> 70
      EXPIRED   A C    -70    70 -> 0
      grant A EXPIRED
    `,
  );
  scenario(
    "a correction at exactly expires_at into an exhausted grant ends at once",
    `
    grant A 100 USD until d10
      FUNDED    A     +100     0 -> 100
    charge C 100 USD
      CONSUMED  A C   -100   100 -> 0
    clock d10-1us
    correct charge C 1
      CORRECTED A C     +1     0 -> 1
      grant A ACTIVE expires d10
    charge D 1 USD
      CONSUMED  A D     -1     1 -> 0
    clock d10
    correct charge C 1
      CORRECTED A C     +1     0 -> 1
      EXPIRED   A C     -1     1 -> 0
      grant A EXPIRED
    `,
  );
  scenario(
    "what a correction brings back expires with its grant",
    `
    grant A 100 USD until d10
      FUNDED    A     +100     0 -> 100
    charge C 100 USD
      CONSUMED  A C   -100   100 -> 0
    correct charge C 1
      CORRECTED A C     +1     0 -> 1
    clock d11
      EXPIRED   A       -1     1 -> 0    @d10
    `,
  );
});

describe("G2 when credit becomes available", () => {
  scenario(
    "ON_CREATION: at once, paid for later",
    `
    grant A 100 USD invoice on_creation
      FUNDED    A     +100     0 -> 100
      grant A ACTIVE payment PENDING
    settle invoice A.invoice
      grant A ACTIVE payment SETTLED effective d0
    `,
  );
  scenario(
    "ON_AUTHORIZATION: when the payment is authorized, or settled directly",
    `
    grant A 100 USD invoice on_authorization
    grant B 10 USD external on_authorization
    clock d1
    authorize invoice A.invoice
      FUNDED    A     +100     0 -> 100
      grant A ACTIVE payment AUTHORIZED effective d1
    settle invoice A.invoice
      grant A ACTIVE payment SETTLED effective d1
    external B SETTLED
      FUNDED    B      +10   100 -> 110
    `,
  );
  scenario(
    "ON_SETTLEMENT: not before the payment settles",
    `
    grant A 100 USD external on_settlement
    external A AUTHORIZED
      grant A PENDING remaining 0
    clock d1
    external A SETTLED
      FUNDED    A     +100     0 -> 100
      grant A ACTIVE effective d1
    `,
  );
  scenario(
    "paid before its effective_at, credit waits for that; paid after it, it comes with the payment",
    `
    grant A 100 USD external on_settlement from d5
    grant B 10 USD external on_settlement from d5
    external A SETTLED
      grant A PENDING effective d5
    later d6
    external B SETTLED
      FUNDED    A     +100     0 -> 100   @d5
      FUNDED    B      +10   100 -> 110
      grant A ACTIVE effective d5
      grant B ACTIVE effective d6
    `,
  );
  scenario(
    "a grant that waits for payment does not expire; paid too late, it is funded and expired at once",
    `
    grant A 100 USD external on_settlement until d10
      balance USD settled 0 held 0 pending 0 upcoming 100
    clock d10
      grant A PENDING
      balance USD settled 0 held 0 pending 0 upcoming 0
    clock d12
    external A AUTHORIZED
      grant A PENDING payment AUTHORIZED
    external A SETTLED
      FUNDED    A     +100     0 -> 100
      EXPIRED   A     -100   100 -> 0
      grant A EXPIRED remaining 0 effective d12 expires d10
      accounts USD settlement 100 breakage 100
    `,
  );
  scenario(
    "a payment at the very moment of expiry is too late, one a microsecond before it is not",
    `
    grant A 100 USD external on_settlement until d10
    grant B 50 USD external on_settlement until d10
    clock d10-1us
    external B SETTLED
      FUNDED    B      +50     0 -> 50
      grant B ACTIVE effective d10-1us
    clock d10
      EXPIRED   B      -50    50 -> 0
    external A SETTLED
      FUNDED    A     +100     0 -> 100
      EXPIRED   A     -100   100 -> 0
      grant A EXPIRED remaining 0 effective d10 expires d10
    `,
  );
  scenario(
    "an authorization that was booked back before effective_at no longer makes credit available",
    `
    grant A 100 USD invoice on_authorization from d5
    authorize invoice A.invoice
    fail invoice A.invoice
    clock d6
      grant A PENDING
    authorize invoice A.invoice
      FUNDED    A     +100     0 -> 100
      grant A ACTIVE effective d6
    `,
  );
});

describe("G3 one FUNDED movement when the credit becomes available, not before", () => {
  scenario(
    "a retry after a failed authorization funds nothing a second time",
    `
    grant A 100 USD invoice on_authorization
    authorize invoice A.invoice
      FUNDED    A     +100     0 -> 100
    fail invoice A.invoice
      grant A ACTIVE remaining 100 payment PENDING
    authorize invoice A.invoice
    fail invoice A.invoice
    settle invoice A.invoice
      grant A ACTIVE remaining 100 payment SETTLED
    `,
  );
});

describe("G7 features", () => {
  scenario(
    "restricted credit pays only for its features, unrestricted credit for anything",
    `
    grant R 10 USD features calls,sms priority 1
      FUNDED    R      +10     0 -> 10
    grant U 10 USD
      FUNDED    U      +10    10 -> 20
    charge C 2 USD feature calls
      CONSUMED  R C     -2    20 -> 18
    charge D 2 USD feature sms
      CONSUMED  R D     -2    18 -> 16
    charge E 2 USD feature mail
      CONSUMED  U E     -2    16 -> 14
    charge F 2 USD
      CONSUMED  U F     -2    14 -> 12
    charge G 7 USD feature mail
      refused INSUFFICIENT_CREDITS required 7 available 6
    charge H 12 USD feature calls
      CONSUMED  R H     -6    12 -> 6
      CONSUMED  U H     -6     6 -> 0
    `,
  );
});

describe("G8 manual adjustment", () => {
  scenario(
    "a positive one is a promotional grant whose first movement is ADJUSTED",
    `
    adjust +50 USD as A
      ADJUSTED  A      +50     0 -> 50
      grant A ACTIVE remaining 50 priority 10 expires never features any payment none
      accounts USD promotion 50 customer_credit 50
    charge C 20 USD
      CONSUMED  A C    -20    50 -> 30
    `,
  );
  scenario(
    "a negative one without a grant takes in draw-down order, whatever the features",
    `
    grant A 30 USD features calls
      FUNDED    A      +30     0 -> 30
    grant B 10 USD priority 1 features sms
      FUNDED    B      +10    30 -> 40
    grant C 5 USD external on_creation priority 11
      FUNDED    C       +5    40 -> 45
    adjust -42 USD
      ADJUSTED  B      -10    45 -> 35
      ADJUSTED  A      -30    35 -> 5
      ADJUSTED  C       -2     5 -> 3
      grant A EXHAUSTED
      grant B EXHAUSTED
      grant C ACTIVE remaining 3
      accounts USD receivable_open 3 customer_credit 3
    `,
  );
  scenario(
    "more than is free is refused, never clamped: held credit is not free",
    `
    grant A 30 USD
      FUNDED    A      +30     0 -> 30
    charge H 10 USD hold
    adjust -21 USD of A
      refused INSUFFICIENT_CREDITS required 21 available 20 currency USD
      unchanged
    adjust -21 USD
      refused INSUFFICIENT_CREDITS required 21 available 20
      unchanged
    adjust -20 USD of A
      ADJUSTED  A      -20    30 -> 10
      grant A ACTIVE remaining 10 held 10
    settle charge H
      CONSUMED  A H    -10    10 -> 0
      grant A EXHAUSTED
    `,
  );
  scenario(
    "only an active grant can be named, and only an existing one",
    `
    grant A 30 USD from d1
    adjust -1 USD of A
      refused CREDIT_GRANT_NOT_ACTIVE status PENDING
      unchanged
    adjust -1 USD of nobody
      refused CREDIT_GRANT_NOT_FOUND
    adjust -1 EURO
      refused CURRENCY_NOT_FOUND
    adjust -1 EURO of nobody
      refused CREDIT_GRANT_NOT_FOUND
    `,
  );
  scenario(
    "taken from an unpaid grant that is then paid for, the credit ends in breakage",
    `
    grant A 30 USD external on_creation
      FUNDED    A      +30     0 -> 30
    adjust -30 USD of A
      ADJUSTED  A      -30    30 -> 0
      grant A EXHAUSTED
      accounts USD
    external A SETTLED
      accounts USD settlement 30 breakage 30
    `,
  );
});
