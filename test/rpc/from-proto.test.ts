import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  CorrectChargeRequestSchema,
  CreateChargeRequestSchema,
  PreviewChargeRequestSchema,
  SettleChargeRequestSchema,
} from "../../gen/drawdown/v1/charge_service_pb.ts";
import {
  AdjustCreditsRequestSchema,
  CreateCreditGrantRequestSchema,
  UpdateExternalSettlementRequestSchema,
  VoidCreditGrantRequestSchema,
} from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { UpdateCustomerRequestSchema } from "../../gen/drawdown/v1/customer_service_pb.ts";
import type { Refusal } from "../../src/errors.ts";
import { amountFromDigits } from "../../src/money/amount.ts";
import { parseInstant } from "../../src/money/time.ts";
import {
  fromProtoCorrectCharge,
  fromProtoCreateCharge,
  fromProtoSettleCharge,
} from "../../src/rpc/from-proto/charge.ts";
import {
  fromProtoAdjustCredits,
  fromProtoCreateCreditGrant,
  fromProtoUpdateExternalSettlement,
  fromProtoVoidCreditGrant,
} from "../../src/rpc/from-proto/credit-grant.ts";
import { fromProtoUpdateCustomer } from "../../src/rpc/from-proto/customer.ts";
import { requireValid } from "../../src/rpc/validation.ts";

const ID = "0190a1b2-c3d4-7000-8000-00000000000a";
const amount = amountFromDigits;

function refusalOf(run: () => unknown): Pick<Refusal, "reason" | "fieldViolations"> {
  try {
    run();
  } catch (thrown) {
    const { reason, fieldViolations } = thrown as Refusal;
    return { reason, fieldViolations };
  }
  throw new Error("nothing was refused");
}

const byAmount = {
  amount: "1.50",
  currency: "USD",
  settlementMode: "SETTLEMENT_MODE_CREDIT_THEN_INVOICE",
};

describe("a charge request becomes a command", () => {
  const basis = {
    by: "amount",
    amount: amount("1.5"),
    currency: "USD",
    settlementMode: "CREDIT_THEN_INVOICE",
    featureKey: null,
  };
  const plain = {
    basis,
    capture: "AUTOMATIC",
    holdExpiresAt: null,
    description: "",
    metadata: {},
  };

  test.each<[what: string, json: JsonObject, command: object]>([
    ["by amount, settling at once unless said otherwise", byAmount, plain],
    [
      "with a feature",
      { ...byAmount, featureKey: "api" },
      { ...plain, basis: { ...basis, featureKey: "api" } },
    ],
    [
      "by rate card, where zero is a quantity",
      { rateCardKey: "calls", quantity: "0" },
      { ...plain, basis: { by: "rate_card", rateCardKey: "calls", quantity: 0n } },
    ],
    [
      "that holds, to the microsecond",
      { ...byAmount, capture: "CAPTURE_MANUAL", holdExpiresAt: "2026-02-01T00:00:00.000001Z" },
      {
        ...plain,
        capture: "MANUAL",
        holdExpiresAt: parseInstant("2026-02-01T00:00:00.000001Z"),
      },
    ],
    [
      "with words and whatever the caller keeps",
      { ...byAmount, description: "one", metadata: { ["__proto__"]: "a", b: "" } },
      {
        ...plain,
        description: "one",
        metadata: Object.fromEntries([
          ["__proto__", "a"],
          ["b", ""],
        ]),
      },
    ],
  ])("%s", (_what, json, command) => {
    const create = fromProtoCreateCharge(fromJson(CreateChargeRequestSchema, json));
    const preview = fromProtoCreateCharge(fromJson(PreviewChargeRequestSchema, json));

    expect({ ...create, metadata: { ...create.metadata } }).toEqual(command);
    expect(preview).toEqual(create);
  });

  test("a time finer than microseconds is refused by its field", () => {
    const json = { ...byAmount, holdExpiresAt: "2026-02-01T00:00:00.000000001Z" };
    const request = fromJson(CreateChargeRequestSchema, json);

    expect(refusalOf(() => fromProtoCreateCharge(request))).toEqual({
      reason: "INVALID_REQUEST",
      fieldViolations: [
        { field: "hold_expires_at", description: "must be a time in whole microseconds" },
      ],
    });
  });

  test.each<[what: string, json: JsonObject, command: object]>([
    ["nothing settles for the estimate", {}, { amount: null, quantity: null }],
    ["a final amount", { amount: "2.0" }, { amount: amount("2"), quantity: null }],
    ["an amount of zero", { amount: "0" }, { amount: 0n, quantity: null }],
    ["a final quantity", { quantity: "7" }, { amount: null, quantity: amount("7") }],
  ])("settling: %s", (_what, json, command) => {
    const request = fromJson(SettleChargeRequestSchema, { chargeId: ID.toUpperCase(), ...json });
    expect(fromProtoSettleCharge(request)).toEqual({ chargeId: ID, ...command });
  });

  test.each<[what: string, json: JsonObject, command: object]>([
    ["nothing takes back all that is left", {}, { amount: null }],
    ["a part", { amount: "0.1" }, { amount: amount("0.1") }],
  ])("correcting: %s", (_what, json, command) => {
    const request = fromJson(CorrectChargeRequestSchema, { chargeId: ID, reason: "no", ...json });
    expect(fromProtoCorrectCharge(request)).toEqual({ chargeId: ID, reason: "no", ...command });
  });
});

describe("a credit grant request becomes a command", () => {
  const gift = {
    fundingMethod: "FUNDING_METHOD_PROMOTIONAL",
    currency: "TOKENS",
    amount: "100",
  };
  const plain = {
    name: "",
    description: "",
    fundingMethod: "PROMOTIONAL",
    currency: "TOKENS",
    amount: amount("100"),
    priority: 10,
    effectiveAt: null,
    expiresAt: null,
    expiresAfter: null,
    features: [],
    purchase: null,
    metadata: {},
  };
  const purchase = { currency: "USD", perUnitCost: "0.35" };
  const bought = { currency: "USD", perUnitCost: amount("0.35"), availability: "ON_SETTLEMENT" };

  test.each<[what: string, json: JsonObject, command: object]>([
    ["with the default priority, from now on, for ever", {}, {}],
    ["with a priority", { priority: 1 }, { priority: 1 }],
    [
      "between two moments",
      { effectiveAt: "2026-02-01T00:00:00Z", expiresAt: "2026-03-01T00:00:00.5Z" },
      {
        effectiveAt: parseInstant("2026-02-01T00:00:00Z"),
        expiresAt: parseInstant("2026-03-01T00:00:00.5Z"),
      },
    ],
    ["for a while", { expiresAfter: "P1M" }, { expiresAfter: "P1M" }],
    ["for the longest while", { expiresAfter: "P100Y" }, { expiresAfter: "P100Y" }],
    ["for features", { features: ["b", "a"] }, { features: ["b", "a"] }],
    [
      "bought, available on settlement unless said otherwise",
      { fundingMethod: "FUNDING_METHOD_INVOICE", purchase },
      { fundingMethod: "INVOICE", purchase: bought },
    ],
    [
      "bought, available on creation",
      {
        fundingMethod: "FUNDING_METHOD_EXTERNAL",
        purchase: { ...purchase, availability: "AVAILABILITY_ON_CREATION" },
      },
      { fundingMethod: "EXTERNAL", purchase: { ...bought, availability: "ON_CREATION" } },
    ],
  ])("%s", (_what, json, command) => {
    const request = fromJson(CreateCreditGrantRequestSchema, { ...gift, ...json });
    expect(fromProtoCreateCreditGrant(request)).toEqual({ ...plain, ...command });
  });

  test.each<[json: JsonObject, field: string]>([
    [{ effectiveAt: "2026-02-01T00:00:00.0000001Z" }, "effective_at"],
    [{ expiresAt: "2026-02-01T00:00:00.0000001Z" }, "expires_at"],
    [{ expiresAfter: "P100Y1D" }, "expires_after"],
  ])("%j is refused by its field", (json, field) => {
    const request = fromJson(CreateCreditGrantRequestSchema, { ...gift, ...json });

    const { reason, fieldViolations } = refusalOf(() => fromProtoCreateCreditGrant(request));
    expect(reason).toBe("INVALID_REQUEST");
    expect(fieldViolations.map((violation) => violation.field)).toEqual([field]);
  });

  test("a void names the grant and the reason, which may be empty", () => {
    const request = fromJson(VoidCreditGrantRequestSchema, { creditGrantId: ID.toUpperCase() });
    expect(fromProtoVoidCreditGrant(request)).toEqual({ grantId: ID, reason: "" });
  });

  test.each(["PENDING", "AUTHORIZED", "SETTLED", "FAILED"])(
    "an external settlement is %s",
    (word) => {
      const json = { creditGrantId: ID, status: `SETTLEMENT_STATUS_${word}` };
      const request = fromJson(UpdateExternalSettlementRequestSchema, json);
      expect(fromProtoUpdateExternalSettlement(request)).toEqual({ grantId: ID, status: word });
    },
  );

  test.each<[what: string, json: JsonObject, command: object]>([
    ["gives", { amount: "5" }, { amount: amount("5"), grantId: null }],
    ["takes from all", { amount: "-0.50" }, { amount: amount("-0.5"), grantId: null }],
    ["takes from one", { amount: "-5", creditGrantId: ID }, { amount: amount("-5"), grantId: ID }],
  ])("an adjustment %s", (_what, json, command) => {
    const words = { currency: "USD", reason: "late", metadata: { a: "1" } };
    const request = fromJson(AdjustCreditsRequestSchema, { ...words, ...json });
    expect(fromProtoAdjustCredits(request)).toEqual({ ...words, ...command });
  });
});

describe("a customer update becomes a command", () => {
  const metadata = { a: "1" };

  test.each<[what: string, json: JsonObject, command: object]>([
    ["no mask, nothing set", {}, { name: null, metadata: null }],
    ["no mask, a name", { name: "A" }, { name: "A", metadata: null }],
    ["no mask, metadata", { metadata }, { name: null, metadata }],
    ["an empty mask is no mask", { name: "A", updateMask: "" }, { name: "A", metadata: null }],
    ["a masked name", { name: "A", metadata, updateMask: "name" }, { name: "A", metadata: null }],
    ["a name to be emptied", { updateMask: "name" }, { name: "", metadata: null }],
    ["metadata to be emptied", { name: "A", updateMask: "metadata" }, { name: null, metadata: {} }],
    ["both", { name: "A", metadata, updateMask: "metadata,name" }, { name: "A", metadata }],
  ])("%s", (_what, json, command) => {
    const request = fromJson(UpdateCustomerRequestSchema, { customerId: ID, ...json });
    expect(fromProtoUpdateCustomer(request)).toEqual(command);
  });

  test("a mask of another field is refused by its path", () => {
    const json = { requestId: "r", customerId: ID, updateMask: "key" };
    const request = fromJson(UpdateCustomerRequestSchema, json);

    const { reason, fieldViolations } = refusalOf(() =>
      requireValid(UpdateCustomerRequestSchema, request),
    );
    expect(reason).toBe("INVALID_REQUEST");
    expect(fieldViolations.map((violation) => violation.field)).toEqual(["update_mask"]);
  });
});
