/** Holds how an amount is written on the wire: zero or more, above zero, or with a sign. */
import { type DescMessage, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  CreateChargeRequestSchema,
  SettleChargeRequestSchema,
} from "../../gen/drawdown/v1/charge_service_pb.ts";
import {
  AdjustCreditsRequestSchema,
  CreateCreditGrantRequestSchema,
} from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { validateMessage } from "../../src/rpc/validation.ts";

const ID = "019a9a3e-5c00-7000-8000-000000000001";
const WRITE = { requestId: "r-1", customerId: ID, currency: "USD" };
const SETTLE = { requestId: "r-1", customerId: ID, chargeId: ID };
const CHARGE = { ...WRITE, settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };
const GRANT = { ...WRITE, fundingMethod: "FUNDING_METHOD_PROMOTIONAL" };
const ADJUST = { ...WRITE, reason: "a gift too many" };

/** The fields that are blamed; empty when the request is well formed. */
function blamed(schema: DescMessage, json: JsonObject): string {
  return validateMessage(schema, fromJson(schema, json))
    .map(({ field }) => field)
    .join(" ");
}

const AMOUNTS: readonly (readonly [
  text: string,
  amount: boolean,
  positive: boolean,
  signed: boolean,
])[] = [
  ["0", true, false, false],
  ["0.0", true, false, false],
  ["1", true, true, true],
  ["0.000000000001", true, true, true],
  ["0.0000000000001", false, false, false],
  ["9".repeat(24), true, true, true],
  [`1${"0".repeat(24)}`, false, false, false],
  ["-1", false, false, true],
  ["-0", false, false, false],
  ["-0.5", false, false, true],
  ["--1", false, false, false],
  ["+1", false, false, false],
  ["1e3", false, false, false],
  ["NaN", false, false, false],
  ["Infinity", false, false, false],
  ["1,0", false, false, false],
  ["01", false, false, false],
  ["1.", false, false, false],
  [".5", false, false, false],
  ["0x10", false, false, false],
  [" 1", false, false, false],
  ["1\n", false, false, false],
  ["١", false, false, false],
];

describe("M1 amounts", () => {
  test.each(AMOUNTS)("%j", (text, amount, positive, signed) => {
    expect(blamed(SettleChargeRequestSchema, { ...SETTLE, amount: text })).toBe(
      amount ? "" : "amount",
    );
    expect(blamed(CreateChargeRequestSchema, { ...CHARGE, amount: text })).toBe(
      positive ? "" : "amount",
    );
    expect(blamed(AdjustCreditsRequestSchema, { ...ADJUST, amount: text })).toBe(
      signed ? "" : "amount",
    );
  });

  test("an empty one is refused where one is required", () => {
    expect(blamed(CreateCreditGrantRequestSchema, { ...GRANT, amount: "" })).toBe("amount");
    expect(blamed(AdjustCreditsRequestSchema, { ...ADJUST, amount: "" })).toBe("amount");
  });
});
