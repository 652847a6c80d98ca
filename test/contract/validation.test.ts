/** Holds what the declared rules refuse, and which field they blame. */
import { create, type DescMessage, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { GetBalanceRequestSchema } from "../../gen/drawdown/v1/balance_service_pb.ts";
import {
  BatchCreateChargesRequestSchema,
  CorrectChargeRequestSchema,
  CreateChargeRequestSchema,
  ListChargesRequestSchema,
  PreviewChargeRequestSchema,
  SettleChargeRequestSchema,
} from "../../gen/drawdown/v1/charge_service_pb.ts";
import {
  AdjustCreditsRequestSchema,
  CreateCreditGrantRequestSchema,
  UpdateExternalSettlementRequestSchema,
} from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { CreateCurrencyRequestSchema } from "../../gen/drawdown/v1/currency_service_pb.ts";
import {
  CreateCustomerRequestSchema,
  GetCustomerRequestSchema,
  UpdateCustomerRequestSchema,
} from "../../gen/drawdown/v1/customer_service_pb.ts";
import {
  ListMovementsRequestSchema,
  StreamMovementsRequestSchema,
} from "../../gen/drawdown/v1/history_service_pb.ts";
import { CreateRateCardRequestSchema } from "../../gen/drawdown/v1/rate_card_service_pb.ts";
import { Refusal } from "../../src/errors.ts";
import { requireValid, validateMessage } from "../../src/rpc/validation.ts";

const ID = "019a9a3e-5c00-7000-8000-000000000001";
const WRITE = { requestId: "r-1", customerId: ID };
const CHARGE = {
  ...WRITE,
  amount: "1",
  currency: "USD",
  settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY",
};
const RATED = { ...WRITE, rateCardKey: "calls", quantity: "0" };
const GRANT = {
  ...WRITE,
  fundingMethod: "FUNDING_METHOD_PROMOTIONAL",
  currency: "USD",
  amount: "1",
};
const SOLD = { ...GRANT, fundingMethod: "FUNDING_METHOD_INVOICE" };
const TERMS = { currency: "USD", perUnitCost: "0.35" };
const SETTLE = { ...WRITE, chargeId: ID };
const ADJUST = { ...WRITE, currency: "USD", amount: "-1", reason: "a gift too many" };
const HOLD_AT = "2030-01-01T00:00:00Z";
const CARD = {
  requestId: "r-1",
  key: "calls",
  currency: "USD",
  settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY",
  price: { flat: { amount: "0" } },
};
const NUL = String.fromCharCode(0);

function pairs(count: number): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key_${index}`, "x"]));
}

function tiers(...bounds: string[]): JsonObject {
  return { graduated: { tiers: bounds.map((upTo) => ({ upTo, unitAmount: "1" })) } };
}

/** The fields that are blamed, in order; empty when the request is well formed. */
function blamed(schema: DescMessage, json: JsonObject): string {
  const violations = validateMessage(schema, fromJson(schema, json));
  return [...new Set(violations.map(({ field }) => field))].join(" ");
}

type Row = readonly [what: string, json: JsonObject, fields: string];

function holds(title: string, schema: DescMessage, rows: readonly Row[]): void {
  describe(title, () => {
    test.each(rows)("%s", (_what, json, fields) => {
      expect(blamed(schema, json)).toBe(fields);
    });
  });
}

holds("D1 a charge has an amount, or a rate card and a quantity", CreateChargeRequestSchema, [
  ["an amount is well formed", CHARGE, ""],
  ["a rate card is well formed", RATED, ""],
  ["a feature goes with an amount", { ...CHARGE, featureKey: "api.calls" }, ""],
  ["not both", { ...CHARGE, rateCardKey: "calls", quantity: "1" }, "amount"],
  ["not neither", WRITE, "amount"],
  ["no currency", { ...CHARGE, currency: "" }, "currency"],
  ["no settlement mode", { ...CHARGE, settlementMode: 0 }, "settlement_mode"],
  ["a quantity with an amount", { ...CHARGE, quantity: "1" }, "quantity"],
  ["no quantity", { ...RATED, quantity: "" }, "quantity"],
  ["a currency with a rate card", { ...RATED, currency: "USD" }, "currency"],
  ["a feature with a rate card", { ...RATED, featureKey: "api" }, "feature_key"],
  ["a mode with a rate card", { ...RATED, settlementMode: 1 }, "settlement_mode"],
  ["a hold of a manual charge", { ...CHARGE, capture: 2, holdExpiresAt: HOLD_AT }, ""],
  ["a hold of another", { ...CHARGE, holdExpiresAt: HOLD_AT }, "hold_expires_at"],
  ["an unknown settlement mode", { ...CHARGE, settlementMode: 9 }, "settlement_mode"],
  ["an unknown capture", { ...CHARGE, capture: 9 }, "capture"],
  ["an amount of zero", { ...CHARGE, amount: "0" }, "amount"],
]);

holds("D8 a preview obeys the same", PreviewChargeRequestSchema, [
  ["an amount", { customerId: ID, amount: "1", currency: "USD", settlementMode: 1 }, ""],
  ["neither", { customerId: ID }, "amount"],
  ["no currency", { customerId: ID, amount: "1", settlementMode: 1 }, "currency"],
]);

holds("D5 a charge settles for an amount or a quantity", SettleChargeRequestSchema, [
  ["neither", SETTLE, ""],
  ["an amount of zero", { ...SETTLE, amount: "0" }, ""],
  ["both", { ...SETTLE, amount: "1", quantity: "1" }, "quantity"],
]);

holds("D7 a correction has a reason", CorrectChargeRequestSchema, [
  ["all that is left", { ...SETTLE, reason: "an error" }, ""],
  ["no reason", SETTLE, "reason"],
  ["a reason of 1,001 characters", { ...SETTLE, reason: "x".repeat(1001) }, "reason"],
  ["nothing", { ...SETTLE, reason: "an error", amount: "0" }, "amount"],
]);

holds("the requests of a batch are not validated with it", BatchCreateChargesRequestSchema, [
  ["a bad request", { requests: [{ requestId: "" }] }, ""],
  ["none", {}, "requests"],
  ["1,000", { requests: Array.from({ length: 1000 }, () => CHARGE) }, ""],
  ["1,001", { requests: Array.from({ length: 1001 }, () => CHARGE) }, "requests"],
]);

holds("G2 purchase terms stand on purchased credit only", CreateCreditGrantRequestSchema, [
  ["promotional without", GRANT, ""],
  ["promotional with", { ...GRANT, purchase: TERMS }, "purchase"],
  ["invoice with", { ...SOLD, purchase: TERMS }, ""],
  ["invoice without", SOLD, "purchase"],
  ["external without", { ...GRANT, fundingMethod: 3 }, "purchase"],
  ["no funding method", { ...GRANT, fundingMethod: 0 }, "funding_method"],
  ["a custom unit", { ...SOLD, purchase: { ...TERMS, currency: "TOKENS" } }, "purchase.currency"],
  ["free", { ...SOLD, purchase: { ...TERMS, perUnitCost: "0" } }, "purchase.per_unit_cost"],
]);

holds("M5 a credit grant expires at a time or after one", CreateCreditGrantRequestSchema, [
  ["a time", { ...GRANT, expiresAt: HOLD_AT }, ""],
  ["both", { ...GRANT, expiresAt: HOLD_AT, expiresAfter: "P1D" }, "expires_after"],
  ["at the last moment", { ...GRANT, expiresAt: "9000-01-01T00:00:00Z" }, ""],
  ["after it", { ...GRANT, expiresAt: "9000-01-01T00:00:00.000001Z" }, "expires_at"],
  ["before the first one", { ...GRANT, effectiveAt: "1969-12-31T23:59:59Z" }, "effective_at"],
  ...["P30D", "P1M", "PT2S", "P2W", "P1Y2M3W4DT5H6M7S", "P100Y"].map(
    (expiresAfter): Row => [expiresAfter, { ...GRANT, expiresAfter }, ""],
  ),
  ...["P", "PT", "P1DT", "P0D", "-P1D", "P1.5D", "1D", "P1S", "P1D ", "P1D1Y", "p1d"].map(
    (expiresAfter): Row => [expiresAfter, { ...GRANT, expiresAfter }, "expires_after"],
  ),
]);

holds("G7 features and priorities", CreateCreditGrantRequestSchema, [
  ["two features", { ...GRANT, features: ["api.calls", "gpu:h100/x-1"] }, ""],
  ["an empty one", { ...GRANT, features: ["api", ""] }, "features[1]"],
  ["a blank in one", { ...GRANT, features: ["api calls"] }, "features[0]"],
  ["the same twice", { ...GRANT, features: ["api", "api"] }, "features"],
  ["101", { ...GRANT, features: Array.from({ length: 101 }, (_, i) => `f${i}`) }, "features"],
  ["priority 1000", { ...GRANT, priority: 1000 }, ""],
  ["priority 1001", { ...GRANT, priority: 1001 }, "priority"],
  ["priority -1", { ...GRANT, priority: -1 }, "priority"],
]);

holds("G8 only a negative adjustment names a credit grant", AdjustCreditsRequestSchema, [
  ["negative", { ...ADJUST, creditGrantId: ID }, ""],
  ["positive", { ...ADJUST, amount: "1", creditGrantId: ID }, "credit_grant_id"],
  ["no reason", { ...ADJUST, reason: "" }, "reason"],
]);

holds("G5 an external settlement has a status", UpdateExternalSettlementRequestSchema, [
  ["settled", { ...WRITE, creditGrantId: ID, status: "SETTLEMENT_STATUS_SETTLED" }, ""],
  ["none", { ...WRITE, creditGrantId: ID }, "status"],
]);

holds("currency codes", CreateCurrencyRequestSchema, [
  ...["TOKENS", "A_1", "X".repeat(32)].map(
    (code): Row => [code, { requestId: "r", code, exponent: 12 }, ""],
  ),
  ...["", "AB", "tokens", "1UP", "A-B", "A B", "X".repeat(33), "USD\n"].map(
    (code): Row => [JSON.stringify(code), { requestId: "r", code }, "code"],
  ),
  ["13 decimals", { requestId: "r", code: "TOKENS", exponent: 13 }, "exponent"],
]);

holds("metadata and keys are bounded", CreateCustomerRequestSchema, [
  ["50 pairs", { requestId: "r", key: "k", metadata: pairs(50) }, ""],
  ["51 pairs", { requestId: "r", key: "k", metadata: pairs(51) }, "metadata"],
  ["a key of 40", { requestId: "r", key: "k", metadata: { ["x".repeat(40)]: "" } }, ""],
  [
    "a key of 41",
    { requestId: "r", key: "k", metadata: { ["x".repeat(41)]: "" } },
    `metadata["${"x".repeat(41)}"]`,
  ],
  ["an empty key", { requestId: "r", key: "k", metadata: { "": "v" } }, 'metadata[""]'],
  ["a value of 500", { requestId: "r", key: "k", metadata: { a: "é".repeat(500) } }, ""],
  [
    "a value of 501",
    { requestId: "r", key: "k", metadata: { a: "x".repeat(501) } },
    'metadata["a"]',
  ],
  ["a NUL in a value", { requestId: "r", key: "k", metadata: { a: NUL } }, 'metadata["a"]'],
  ["no request_id", { key: "k" }, "request_id"],
  ["a request_id of 129", { requestId: "x".repeat(129), key: "k" }, "request_id"],
  ["a key of 128", { requestId: "r", key: "k".repeat(128) }, ""],
  ["a key of 129", { requestId: "r", key: "k".repeat(129) }, "key"],
  ["a line break in a key", { requestId: "r", key: "a\nb" }, "key"],
  ["a name of 201", { requestId: "r", key: "k", name: "n".repeat(201) }, "name"],
  ["a NUL in a name", { requestId: "r", key: "k", name: `a${NUL}` }, "name"],
]);

holds("a customer is named by id or by key", GetCustomerRequestSchema, [
  ["an id", { customerId: ID }, ""],
  ["a key", { key: "acme" }, ""],
  ["neither", {}, "customer"],
  ["no UUID", { customerId: "acme" }, "customer_id"],
  ["an empty key", { key: "" }, "key"],
]);

holds("an update changes name and metadata only", UpdateCustomerRequestSchema, [
  ["both", { ...WRITE, name: "n", updateMask: "name,metadata" }, ""],
  ["the key", { ...WRITE, updateMask: "key" }, "update_mask"],
]);

holds("B3 a feature filter is one of four", GetBalanceRequestSchema, [
  ["any of two", { customerId: ID, featureFilter: { anyOf: ["a", "b"] } }, ""],
  [
    "two of them",
    { customerId: ID, featureFilter: { anyOf: ["a"], noneOf: ["b"] } },
    "feature_filter",
  ],
  ["a bad key", { customerId: ID, featureFilter: { noneOf: ["?"] } }, "feature_filter.none_of[0]"],
]);

holds("H3 a range does not end before it begins", ListMovementsRequestSchema, [
  ["in order", { customerId: ID, bookedFrom: "2020-01-01T00:00:00Z", bookedUntil: HOLD_AT }, ""],
  ["empty", { customerId: ID, bookedFrom: HOLD_AT, bookedUntil: HOLD_AT }, ""],
  [
    "reversed",
    { customerId: ID, bookedFrom: HOLD_AT, bookedUntil: "2020-01-01T00:00:00Z" },
    "booked_until",
  ],
  ["an unspecified type", { customerId: ID, types: [0] }, "types[0]"],
]);

holds("H5 only the oldest first can be followed", StreamMovementsRequestSchema, [
  ["oldest first", { customerId: ID, follow: true, order: 2 }, ""],
  ["newest first", { customerId: ID, follow: true, order: 1 }, "follow"],
  ["unspecified", { customerId: ID, follow: true }, "follow"],
]);

holds("a page has at most 1,000 rows", ListChargesRequestSchema, [
  ["1,000", { customerId: ID, pageSize: 1000 }, ""],
  ["1,001", { customerId: ID, pageSize: 1001 }, "page_size"],
  ["-1", { customerId: ID, pageSize: -1 }, "page_size"],
]);

holds("D1 a price is one model with its last tier open", CreateRateCardRequestSchema, [
  ["flat", CARD, ""],
  ["no price", { ...CARD, price: null }, "price"],
  ["no model", { ...CARD, price: {} }, "price.model"],
  ["two tiers", { ...CARD, price: tiers("10", "") }, ""],
  ["no tiers", { ...CARD, price: tiers() }, "price.graduated.tiers"],
  ["none open", { ...CARD, price: tiers("10", "20") }, "price.graduated.tiers"],
  ["two open", { ...CARD, price: tiers("", "") }, "price.graduated.tiers"],
  ["the first open", { ...CARD, price: tiers("", "10") }, "price.graduated.tiers"],
  ["a tier up to zero", { ...CARD, price: tiers("0", "") }, "price.graduated.tiers[0].up_to"],
  [
    "packages of zero",
    { ...CARD, price: { package: { amount: "1", packageSize: "0" } } },
    "price.package.package_size",
  ],
]);

describe("the message of a refusal, for those who do not decode its details", () => {
  const messageOf = (init: { readonly exponent?: number; readonly metadata?: object }) => {
    const { exponent = 0, metadata = {} } = init;
    const currency = { requestId: "r-1", code: "TOKENS", name: "Tokens", exponent };
    const customer = { requestId: "r-1", key: "k", metadata: metadata as Record<string, string> };
    try {
      requireValid(CreateCurrencyRequestSchema, create(CreateCurrencyRequestSchema, currency));
      requireValid(CreateCustomerRequestSchema, create(CreateCustomerRequestSchema, customer));
    } catch (error) {
      return error instanceof Refusal ? error.message : error;
    }
    return null;
  };

  test("names the only violation", () => {
    expect(messageOf({ exponent: 13 })).toBe(
      "exponent: must be greater than or equal to 0 and less than or equal to 12",
    );
  });

  test("names three of them, and how many more there are", () => {
    const broken = Array.from({ length: 5 }, (_, at) => [`key ${at}`, NUL]);
    const told = [0, 1, 2].map(
      (at) => `metadata["key ${at}"]: must not contain the null character`,
    );
    expect(messageOf({ metadata: Object.fromEntries(broken) })).toBe(
      `${told.join("; ")}; and 2 more`,
    );
  });
});
