/**
 * Owns what random calls are made of: fields of requests in JSON, in which `@` words stand for what
 * the run has made so far, so that most of them find something to do.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type Command, NOBODY } from "./run.ts";

export type Fields = { readonly [name: string]: fc.Arbitrary<unknown> };

export const DAY = 86_400_000_000;
/** Counts from the first, or below zero from the last: most things happen to what is new. */
export const nth = fc.oneof(
  { weight: 9, arbitrary: fc.nat(11) },
  { weight: 10, arbitrary: fc.constantFrom(-1, -1, -2) },
  { weight: 1, arbitrary: fc.constant(NOBODY) },
);
export const refer = (name: string) => nth.map((at) => `@${name} ${at}`);
export const is = <Value>(value: Value) => fc.constant(value);
export const maybe = (arbitrary: fc.Arbitrary<unknown>, weight = 2) =>
  fc.oneof({ weight: 3, arbitrary: is(undefined) }, { weight, arbitrary });
export const words = (prefix: string, ...names: string[]) =>
  fc.constantFrom(...names.map((name) => `${prefix}_${name}`));
export const lists = (of: fc.Arbitrary<unknown>) => fc.array(of, { minLength: 1, maxLength: 2 });

export const customerId = fc.oneof(
  { weight: 30, arbitrary: is("@customer 0") },
  { weight: 8, arbitrary: is("@customer 1") },
  { weight: 1, arbitrary: is(`@customer ${NOBODY}`) },
);
export const requestId = fc.oneof(
  { weight: 24, arbitrary: is("@fresh") },
  { weight: 1, arbitrary: refer("request") },
);
export const currency = fc.constantFrom("USD", "USD", "USD", "USD", "USD", "USD", "TOKENS", "JPY");
export const strange = fc.oneof(
  { weight: 30, arbitrary: currency },
  { weight: 1, arbitrary: fc.constantFrom("NOPE", "XXY") },
);
export const amount = fc.constantFrom(
  "1",
  "2",
  "5",
  "5",
  "10",
  "10",
  "20",
  "40",
  "2.5",
  "0.000000000001",
  "7.005",
  "1.50",
);
export const issued = fc.constantFrom(
  "5",
  "10",
  "10",
  "20",
  "20",
  "40",
  "100",
  "3.333333333333",
  "0.005",
  "999999999999999999999999",
);
export const quantity = fc.constantFrom("0", "1", "3", "10", "10.5", "12", "100", "0.000000000001");
export const feature = maybe(fc.constantFrom("calls", "sms", "calls.long"));
export const metadata = maybe(fc.constantFrom({ a: "1" }, { b: "2", a: "3" }), 1);
export const text = maybe(fc.constantFrom("first", "second"), 1);
export const days = (...counts: number[]) =>
  fc.constantFrom(...counts.map((count) => `@in ${Math.round(count * DAY)}`));
export const moment = fc.oneof(
  days(-40, -3, -1, -0.001, 0, 0.001, 1, 3, 8, 30, 40, 400),
  fc
    .tuple(fc.nat(30), fc.constantFrom(-1, 0, 0, 1))
    .map(([at, offset]) => `@booked ${at} ${offset}`),
);
export const reason = fc.constantFrom("oops", "sorry");
export const filter = maybe(
  fc.oneof(
    lists(fc.constantFrom("calls", "sms", "none")).map((anyOf) => ({ anyOf })),
    lists(fc.constantFrom("calls", "sms", "none")).map((noneOf) => ({ noneOf })),
    lists(fc.constantFrom("call", "long", "s", "S")).map((contains) => ({ contains })),
    is({ unrestrictedOnly: true }),
  ),
);
export const pageSize = fc.constantFrom(0, 1, 2, 3, 5);
export const mode = words("SETTLEMENT_MODE", "CREDIT_ONLY", "CREDIT_THEN_INVOICE");

export const purchase = fc.record({
  currency: fc.constantFrom("USD", "USD", "EUR", "JPY", "KWD", "USD", "USD", "PTS", "XXY"),
  perUnitCost: fc.constantFrom(
    "1",
    "0.35",
    "2",
    "0.000000000001",
    "0.333333333333",
    "1",
    "0.5",
    "3",
  ),
  availability: fc.oneof(
    is(undefined),
    words("AVAILABILITY", "ON_CREATION", "ON_AUTHORIZATION", "ON_SETTLEMENT"),
  ),
});
export const promotional = { fundingMethod: is("FUNDING_METHOD_PROMOTIONAL") };
export const sold = {
  fundingMethod: words("FUNDING_METHOD", "INVOICE", "EXTERNAL", "EXTERNAL"),
  purchase,
};

/** A call with the fields that were drawn; what is undefined is left out. */
export function call(rpc: string, fields: Fields): fc.Arbitrary<Command> {
  return fc
    .record(fields)
    .map((drawn) => ({ rpc, ask: JSON.parse(JSON.stringify(drawn)) as JsonObject }));
}
export const write = (rpc: string, fields: Fields) =>
  call(rpc, { requestId, customerId, ...fields });
export const read = (rpc: string, fields: Fields) => call(rpc, { customerId, ...fields });

export const grantWords: Fields = {
  currency: strange,
  amount: issued,
  priority: fc.constantFrom(0, 0, 1, 10, 20),
  effectiveAt: maybe(days(-1, 0, 1, 3, 8), 1),
  features: maybe(fc.constantFrom(["calls"], ["calls", "sms"], ["sms", "calls.long"])),
  name: text,
  description: text,
  metadata,
};
export const ends = fc.oneof(
  { weight: 3, arbitrary: is({}) },
  { weight: 2, arbitrary: days(-1, 0, 1, 3, 3, 8, 8, 30).map((expiresAt) => ({ expiresAt })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom("P1D", "P3D", "P1M", "P1Y2M3W4DT5H6M7S", "PT1S", "P1M")
      .map((expiresAfter) => ({ expiresAfter })),
  },
);
export const grant = (funding: Fields) =>
  fc
    .tuple(write("CreateCreditGrant", { ...grantWords, ...funding }), ends)
    .map(([{ rpc, ask }, end]) => ({ rpc, ask: { ...ask, ...end } }));

export const byAmount: Fields = {
  amount,
  currency: strange,
  settlementMode: mode,
  featureKey: feature,
};
export const byCard: Fields = {
  rateCardKey: fc.constantFrom("flat", "unit", "package", "graduated", "volume", "unit", "nothing"),
  quantity,
};
export const captures = fc.oneof(
  { weight: 2, arbitrary: is({}) },
  { weight: 2, arbitrary: is({ capture: "CAPTURE_MANUAL" }) },
  {
    weight: 2,
    arbitrary: days(-1, 0, 1, 1, 3, 8, 31, 31.5).map((holdExpiresAt) => ({
      capture: "CAPTURE_MANUAL",
      holdExpiresAt,
    })),
  },
);
export const chargeWords: Fields = { description: text, metadata };
export const withCapture = (arbitrary: fc.Arbitrary<Command>) =>
  fc
    .tuple(arbitrary, captures)
    .map(([{ rpc, ask }, capture]) => ({ rpc, ask: { ...ask, ...capture } }));
export const charge = withCapture(
  fc.oneof(
    { weight: 3, arbitrary: write("CreateCharge", { ...byAmount, ...chargeWords }) },
    { weight: 1, arbitrary: write("CreateCharge", { ...byCard, ...chargeWords }) },
  ),
);
export const preview = withCapture(
  fc.oneof(
    { weight: 3, arbitrary: read("PreviewCharge", byAmount) },
    { weight: 1, arbitrary: read("PreviewCharge", byCard) },
  ),
);
export const batch = fc.array(charge, { minLength: 1, maxLength: 4 }).map((items) => ({
  rpc: "BatchCreateCharges",
  ask: {
    requests: items.map(({ ask }, at) =>
      Object.entries(ask).some(([, word]) => word === "@fresh")
        ? { ...ask, requestId: `@fresh ${at}` }
        : ask,
    ),
  },
}));

export const chargeId = refer("charge");
export const invoiceId = refer("invoice");
export const creditGrantId = refer("grant");
export const final = fc.oneof(
  { weight: 2, arbitrary: is({}) },
  { weight: 3, arbitrary: fc.oneof(is("0"), amount).map((value) => ({ amount: value })) },
  { weight: 1, arbitrary: quantity.map((value) => ({ quantity: value })) },
);
export const settle = fc
  .tuple(write("SettleCharge", { chargeId }), final)
  .map(([{ rpc, ask }, more]) => ({ rpc, ask: { ...ask, ...more } }));
export const adjust = fc.oneof(
  write("AdjustCredits", { currency, reason, metadata, amount: issued }),
  write("AdjustCredits", {
    currency: strange,
    reason,
    metadata,
    amount: amount.map((value) => `-${value}`),
  }),
  write("AdjustCredits", {
    currency: strange,
    reason,
    metadata,
    amount: amount.map((value) => `-${value}`),
    creditGrantId,
  }),
);

export const history: Fields = {
  currency: maybe(currency, 1),
  types: maybe(
    lists(
      words("MOVEMENT_TYPE", "FUNDED", "CONSUMED", "EXPIRED", "VOIDED", "CORRECTED", "ADJUSTED"),
    ),
    1,
  ),
  featureFilter: filter,
  creditGrantId: maybe(creditGrantId, 1),
  chargeId: maybe(chargeId, 1),
  bookedFrom: maybe(moment, 1),
  order: maybe(words("MOVEMENT_ORDER", "NEWEST_FIRST", "OLDEST_FIRST", "OLDEST_FIRST")),
  pageSize,
};
export const until: Fields = { ...history, bookedFrom: is(undefined), bookedUntil: moment };
