/**
 * Owns what a caller is told when a request is malformed: INVALID_ARGUMENT with the path of the
 * field, whatever the protocol. The customer exists and has credit, so nothing else is to blame.
 */
import { fromBinary, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BadRequestSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { AUTHORIZATION, callerOver, refusalOf } from "./caller.ts";
import { EACH_PROTOCOL, type Running, startService } from "./running.ts";
import { Story, step } from "./story.ts";

let running: Running;

beforeAll(async () => {
  running = await startService();
});
afterAll(() => running.close());

const USD = { currency: "USD" };
const GIFT = { ...USD, fundingMethod: "FUNDING_METHOD_PROMOTIONAL", amount: "10" };
const SOLD = {
  ...GIFT,
  fundingMethod: "FUNDING_METHOD_INVOICE",
  purchase: { ...USD, perUnitCost: "2" },
};
const CHARGE = { ...USD, settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY", amount: "1" };
const CARD = { ...USD, key: "card", settlementMode: CHARGE.settlementMode };
const TAKE = { ...USD, reason: "x", amount: "-1" };
const NOBODY = "0190a1b2-c3d4-7000-8000-00000000dead";

const NO_AMOUNTS = [
  ...["1e3", "1E3", "NaN", "Infinity", "+1", "1,0", "1.0.0", "1.", ".5", "01", "00", "0x10", "1n"],
  ...[" 1", "1 ", "1\n", "--1", "-", "one", "١", "1_000", "$1", "1/2"],
  "1.0000000000001", // 13 decimals
  "1".repeat(25), // 25 digits before the point
  "1".repeat(1_000),
];
const NOT_POSITIVE = ["", "0", "0.000000000000", "-1", "-0"];
const NO_CODES = ["", "usd", "US", "U$D", "1USD", "USD ", "ÜSD", "A".repeat(33)];
const NO_IDS = ["", "1", "not-a-uuid", `${NOBODY}0`, "x".repeat(10_000)];
const NO_KEYS = ["", "x".repeat(129), "a\u0000b", "a\nb"];
const NO_SIZES = [-1, 1_001, 2_147_483_647, -2_147_483_648];
const NO_DURATIONS = ["P", "PT", "P0D", "-P1D", "P1.5D", "1D", "P1DT", "P101Y", "p1d", "P1H"];

/** A request that is well formed, the field to spoil, what to put there, and what is blamed. */
type Row = readonly [
  rpc: string,
  request: JsonObject,
  path: string,
  values: readonly JsonValue[],
  field?: string,
];

const ROWS: readonly Row[] = [
  ["CreateCreditGrant", GIFT, "amount", [...NO_AMOUNTS, ...NOT_POSITIVE]],
  ["CreateCharge", CHARGE, "amount", [...NO_AMOUNTS, ...NOT_POSITIVE]],
  ["PreviewCharge", CHARGE, "amount", [...NO_AMOUNTS, ...NOT_POSITIVE]],
  ["AdjustCredits", TAKE, "amount", [...NO_AMOUNTS, "", "0", "-0", "-0.0"]],
  ["SettleCharge", { chargeId: "$open.charge.id" }, "amount", [...NO_AMOUNTS, "-1"]],
  ["CreateCharge", { rateCardKey: "card", quantity: "1" }, "quantity", [...NO_AMOUNTS, "", "-1"]],
  [
    "CorrectCharge",
    { chargeId: "$done.charge.id", reason: "x" },
    "amount",
    [...NO_AMOUNTS, "0", "-1"],
  ],
  [
    "CreateCreditGrant",
    SOLD,
    "purchase.perUnitCost",
    [...NO_AMOUNTS, ...NOT_POSITIVE],
    "purchase.per_unit_cost",
  ],
  ["CreateCreditGrant", GIFT, "currency", NO_CODES],
  ["CreateCreditGrant", SOLD, "purchase.currency", [...NO_CODES, "TOKENS"]],
  ["CreateCharge", CHARGE, "currency", NO_CODES],
  ["GetBalance", {}, "currency", NO_CODES.slice(1)],
  ["ListMovements", {}, "currency", NO_CODES.slice(1)],
  ["CreateCurrency", { code: "COINS" }, "code", NO_CODES],
  ["CreateCurrency", { code: "COINS" }, "exponent", [-1, 13]],
  ["CreateCharge", CHARGE, "requestId", NO_KEYS, "request_id"],
  ["CreateCustomer", { key: "k" }, "key", NO_KEYS],
  ["CreateCharge", CHARGE, "customerId", NO_IDS, "customer_id"],
  ["ListMovements", {}, "customerId", NO_IDS, "customer_id"],
  ["StreamMovements", {}, "customerId", NO_IDS, "customer_id"],
  ["GetCharge", {}, "chargeId", NO_IDS, "charge_id"],
  ["GetCreditGrant", {}, "creditGrantId", NO_IDS, "credit_grant_id"],
  ["GetInvoice", {}, "invoiceId", NO_IDS, "invoice_id"],
  ...[
    "ListMovements",
    "StreamMovements",
    "ListCharges",
    "ListCreditGrants",
    "ListInvoices",
    "ListCustomers",
    "ListRateCards",
  ].map((rpc): Row => [rpc, {}, "pageSize", NO_SIZES, "page_size"]),
  ["ListMovements", {}, "cursor", ["x".repeat(1_001)]],
  ["ListTransfers", {}, "fromSequence", ["-1"], "from_sequence"],
  ["CreateCreditGrant", GIFT, "priority", [-1, 1_001]],
  ["CreateCreditGrant", GIFT, "expiresAfter", NO_DURATIONS, "expires_after"],
  [
    "CreateCreditGrant",
    GIFT,
    "fundingMethod",
    ["FUNDING_METHOD_UNSPECIFIED", 99],
    "funding_method",
  ],
  [
    "CreateCharge",
    CHARGE,
    "settlementMode",
    ["SETTLEMENT_MODE_UNSPECIFIED", 99],
    "settlement_mode",
  ],
  ["ListMovements", {}, "types", [["MOVEMENT_TYPE_UNSPECIFIED"], [99]], "types[0]"],
  ["ListMovements", {}, "featureFilter", [{ anyOf: ["a"], noneOf: ["b"] }], "feature_filter"],
  ["GetBalance", {}, "asOf", ["1969-12-31T23:59:59Z", "9000-01-01T00:00:01Z"], "as_of"],
  ["GetBalance", {}, "asOf", ["2026-01-01T00:00:00.0000001Z"], "as_of"],
  ["CreateCreditGrant", GIFT, "expiresAt", ["9999-12-31T23:59:59Z"], "expires_at"],
  ["CreateCreditGrant", GIFT, "features", [["a", "a"]], "features"],
  ["CreateCreditGrant", GIFT, "features", [[""], ["a b"], ["x".repeat(129)]], "features[0]"],
  [
    "CreateCreditGrant",
    GIFT,
    "metadata",
    [{ ["k".repeat(41)]: "v" }],
    `metadata["${"k".repeat(41)}"]`,
  ],
  ["CreateCreditGrant", GIFT, "purchase", [{ ...USD, perUnitCost: "1" }]],
  ["BatchCreateCharges", {}, "requests", [[], Array.from({ length: 1_001 }, () => ({}))]],
  ["CreateRateCard", CARD, "price", [{}], "price.model"],
  ["CreateRateCard", CARD, "price", [{ perUnit: {} }], "price.per_unit.unit_amount"],
];

const REFUSED = { code: "INVALID_ARGUMENT", reason: "INVALID_REQUEST", facts: {} };

describe.each(EACH_PROTOCOL)("W3 malformed requests, over %s", (way, open) => {
  let story: Story;

  beforeAll(async () => {
    story = await Story.begin(callerOver(open(running)), way);
    await story.tell([
      step("gift", "CreateCreditGrant", GIFT),
      step("open", "CreateCharge", { ...CHARGE, capture: "CAPTURE_MANUAL" }),
      step("done", "CreateCharge", CHARGE),
    ]);
  });

  test.concurrent.each(ROWS.map(named))("%s %s", async (rpc, path, request, values, field) => {
    const told = values.map(async (value) => {
      const sound = story.requestOf(rpc, request, "malformed");
      return refusalOf(story.caller, rpc, spoil(sound, path.split("."), value));
    });
    for (const [index, { fields, ...rest }] of (await Promise.all(told)).entries()) {
      const value = JSON.stringify(values[index]);
      expect(rest, value).toEqual(REFUSED);
      expect(fields, value).toContain(field);
    }
  });
});

/** The blamed field is named as protobuf names it, which is mostly the path itself. */
function named([rpc, request, path, values, field = path]: Row) {
  return [rpc, path, request, values, field] as const;
}

function spoil(json: JsonObject, [name = "", ...rest]: string[], value: JsonValue): JsonObject {
  const inner = rest.length === 0 ? value : spoil(json[name] as JsonObject, rest, value);
  return { ...json, [name]: inner };
}

describe("W3 what only JSON can get wrong", () => {
  const balance = "BalanceService/GetBalance";
  const charge = "ChargeService/CreateCharge";

  test.each([
    [balance, `{"customerId":"${NOBODY}","currenci":"USD"}`, "currenci"],
    [balance, `{"customerId":"${NOBODY}","featureFilter":{"any":["a"]}}`, "feature_filter.any"],
    [balance, `{"customerId":"${NOBODY}","asOf":"yesterday"}`, "as_of"],
    [balance, `{"customerId":"${NOBODY}","asOf":"2026-13-01T00:00:00Z"}`, "as_of"],
    [balance, `{"customerId":"${NOBODY}","asOf":1700000000}`, "as_of"],
    [charge, `{"amount":1}`, "amount"],
    [charge, `{"amount":1e3}`, "amount"],
    [charge, `{"settlementMode":"CREDIT_ONLY"}`, "settlement_mode"],
    [charge, `{"metadata":{"a":1}}`, 'metadata["a"]'],
    [charge, `{"amount":"1","amount":"2"}`, ""],
    [charge, `{`, ""],
    [charge, `[]`, ""],
    [charge, ``, ""],
  ])("%s %s", async (path, body, field) => {
    const answer = await fetch(`${running.http}/drawdown.v1.${path}`, {
      method: "POST",
      headers: { ...AUTHORIZATION, "content-type": "application/json" },
      body,
    });
    const { code, details } = (await answer.json()) as {
      readonly code: string;
      readonly details: readonly { readonly type: string; readonly value: string }[];
    };
    const badRequest = details.find(({ type }) => type === "google.rpc.BadRequest");
    const { fieldViolations } = fromBinary(
      BadRequestSchema,
      Buffer.from(badRequest?.value ?? "", "base64"),
    );
    expect([answer.status, code]).toEqual([400, "invalid_argument"]);
    expect(fieldViolations.map((each) => each.field)).toContain(field);
  });
});
