import { hash } from "node:crypto";
import {
  create,
  createFileRegistry,
  type DescMethodUnary,
  fromBinary,
  fromJson,
  type JsonObject,
  toBinary,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import {
  BatchCreateChargesRequestSchema,
  ChargeService,
  CreateChargeRequestSchema,
} from "../../gen/drawdown/v1/charge_service_pb.ts";
import { CreditGrantService } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { CurrencyService } from "../../gen/drawdown/v1/currency_service_pb.ts";
import { CustomerService } from "../../gen/drawdown/v1/customer_service_pb.ts";
import { InvoiceService } from "../../gen/drawdown/v1/invoice_service_pb.ts";
import { RateCardService } from "../../gen/drawdown/v1/rate_card_service_pb.ts";
import { assert } from "../../src/errors.ts";
import { compileIdentity, type IdentifiedRequest } from "../../src/rpc/fingerprint.ts";

const METHODS = Object.fromEntries(
  [
    CustomerService,
    CurrencyService,
    CreditGrantService,
    InvoiceService,
    RateCardService,
    ChargeService,
  ].flatMap((service) => service.methods.map((method) => [method.name, method])),
);

function methodOf(name: string): DescMethodUnary {
  const method = METHODS[name];
  assert(method?.methodKind === "unary", `${name} is a unary RPC`);
  return method as DescMethodUnary;
}

/** The fingerprint of a request that is given as JSON. */
function fingerprintOf(rpc: string, json: JsonObject): string {
  return identify(methodOf(rpc), { requestId: "r", ...json });
}

function identify(method: DescMethodUnary, json: JsonObject): string {
  const request = { ...fromJson(method.input, json), requestId: "r" };
  return hexOf(compileIdentity(method)(request));
}

function hexOf({ request }: IdentifiedRequest): string {
  return Buffer.from(request.fingerprint).toString("hex");
}

const CUSTOMER_ID = "0190a1b2-c3d4-7000-8000-00000000000a";
const OTHER_ID = "0190a1b2-c3d4-7000-8000-00000000000b";

const CHARGE = {
  customerId: CUSTOMER_ID,
  amount: "1.5",
  currency: "USD",
  settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY",
  featureKey: "api",
  capture: "CAPTURE_MANUAL",
  holdExpiresAt: "2026-02-01T00:00:00Z",
  description: "one call",
  metadata: { a: "1", b: "2" },
} as const satisfies JsonObject;

const purchase = (perUnitCost: string) => ({ currency: "USD", perUnitCost });

const GRANT = {
  customerId: CUSTOMER_ID,
  fundingMethod: "FUNDING_METHOD_EXTERNAL",
  currency: "TOKENS",
  amount: "1000",
  priority: 5,
  features: ["api", "web"],
  purchase: purchase("0.35"),
} as const satisfies JsonObject;

const TIERS = { tiers: [{ upTo: "10", unitAmount: "1" }, { unitAmount: "0.5" }] };

const RATE_CARD = {
  key: "calls",
  featureKey: "api",
  currency: "USD",
  settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY",
  price: { volume: TIERS },
} as const satisfies JsonObject;

const SAME_PRICE = {
  price: { volume: { tiers: [{ upTo: "10.0", unitAmount: "1" }, { unitAmount: "0.50" }] } },
};
const ADJUSTMENT = { customerId: CUSTOMER_ID, currency: "USD", amount: "-10", reason: "late" };
const IN_ANOTHER_ZONE = "2026-02-01T02:00:00+02:00";
const TWO_PAIRS_IN_ONE = { metadata: { a: "1;12:1=b;1=2" } };

describe("W1 the fingerprint covers the decoded message in a canonical form", () => {
  /** Each row says what of the first request reads otherwise in the second. */
  test.each<[what: string, rpc: string, request: JsonObject, change: JsonObject]>([
    ["map keys in another order", "CreateCharge", CHARGE, { metadata: { b: "2", a: "1" } }],
    ["zeros at the end of an amount", "CreateCharge", CHARGE, { amount: "1.500" }],
    ["zeros after a minus", "AdjustCredits", ADJUSTMENT, { amount: "-10.00" }],
    ["zeros inside a message", "CreateCreditGrant", GRANT, { purchase: purchase("0.350") }],
    ["zeros inside a list", "CreateRateCard", { price: { volume: TIERS } }, SAME_PRICE],
    ["another request id", "CreateCharge", CHARGE, { requestId: "another" }],
    ["an id in capitals", "CreateCharge", CHARGE, { customerId: CUSTOMER_ID.toUpperCase() }],
    ["a time in another zone", "CreateCharge", CHARGE, { holdExpiresAt: IN_ANOTHER_ZONE }],
    ["enum values as numbers", "CreateCharge", CHARGE, { capture: 2, settlementMode: 2 }],
    ["zero values said aloud", "CreateCharge", CHARGE, { quantity: "", rateCardKey: null }],
    ["an empty map said aloud", "CreateCharge", {}, { metadata: {}, capture: 0 }],
    ["an integer as text", "CreateCreditGrant", GRANT, { priority: "5" }],
  ])("%s makes no other request", (_what, rpc, request, change) => {
    expect(fingerprintOf(rpc, { ...request, ...change })).toBe(fingerprintOf(rpc, request));
  });

  test.each<[what: string, rpc: string, request: JsonObject, change: JsonObject]>([
    ["the customer", "CreateCharge", CHARGE, { customerId: OTHER_ID }],
    ["the amount", "CreateCharge", CHARGE, { amount: "15" }],
    ["the currency", "CreateCharge", CHARGE, { currency: "EUR" }],
    ["the settlement mode", "CreateCharge", CHARGE, { settlementMode: 1 }],
    ["the feature", "CreateCharge", CHARGE, { featureKey: "API" }],
    ["the rate card", "CreateCharge", { rateCardKey: "a" }, { rateCardKey: "b" }],
    ["a quantity of zero", "CreateCharge", { rateCardKey: "a" }, { quantity: "0" }],
    ["the capture", "CreateCharge", CHARGE, { capture: 1 }],
    ["a stated default", "CreateCharge", {}, { capture: 1 }],
    ["a microsecond", "CreateCharge", CHARGE, { holdExpiresAt: "2026-02-01T00:00:00.000001Z" }],
    ["the description", "CreateCharge", CHARGE, { description: "one call " }],
    ["a value of the metadata", "CreateCharge", CHARGE, { metadata: { a: "1", b: "3" } }],
    ["a pair of the metadata", "CreateCharge", CHARGE, { metadata: { a: "1" } }],
    ["zeros in a text", "CreateCharge", { description: "1.50" }, { description: "1.5" }],
    [
      "the field of a text",
      "CreateCharge",
      { description: "a" },
      { description: "", currency: "a" },
    ],
    ["where a key ends", "CreateCharge", { metadata: { a: "b" } }, { metadata: { ab: "" } }],
    ["where a value ends", "CreateCharge", { metadata: { a: "1", b: "2" } }, TWO_PAIRS_IN_ONE],
    ["the order of a list", "CreateCreditGrant", GRANT, { features: ["web", "api"] }],
    ["where an item ends", "CreateCreditGrant", GRANT, { features: ["api;12:3=web"] }],
    ["an empty message", "CreateCreditGrant", {}, { purchase: {} }],
    ["a field of a message", "CreateCreditGrant", GRANT, { purchase: purchase("0.36") }],
    ["the priority", "CreateCreditGrant", GRANT, { priority: 6 }],
    ["the choice of a oneof", "CreateRateCard", RATE_CARD, { price: { graduated: TIERS } }],
    ["the sign", "AdjustCredits", ADJUSTMENT, { amount: "10" }],
    ["the mask", "UpdateCustomer", { updateMask: "name" }, { updateMask: "name,metadata" }],
  ])("%s makes another request", (_what, rpc, request, change) => {
    expect(fingerprintOf(rpc, { ...request, ...change })).not.toBe(fingerprintOf(rpc, request));
  });

  test("the same words to another RPC are another request", () => {
    const json = { customerId: CUSTOMER_ID, invoiceId: OTHER_ID };
    const verbs = [
      "IssueInvoice",
      "VoidInvoice",
      "AuthorizeInvoicePayment",
      "SettleInvoicePayment",
    ];
    expect(new Set(verbs.map((rpc) => fingerprintOf(rpc, json))).size).toBe(verbs.length);
  });

  test("binary agrees with JSON, whatever the order of its fields, and unknown ones are dropped", () => {
    const identifyCharge = compileIdentity(ChargeService.method.createCharge);
    const json = fromJson(CreateChargeRequestSchema, CHARGE);
    const [front, back] = [
      create(CreateChargeRequestSchema, { description: "one call", metadata: { b: "2" } }),
      create(CreateChargeRequestSchema, { ...json, description: "", metadata: { a: "1" } }),
    ].map((part) => toBinary(CreateChargeRequestSchema, part));
    assert(front !== undefined && back !== undefined, "both parts are encoded");
    // Field 99, a varint of one byte: what a later version of the contract may send.
    const bytes = Buffer.concat([front, Uint8Array.of(0x98, 0x06, 0x01), back]);
    const binary = fromBinary(CreateChargeRequestSchema, bytes);

    expect(binary.$unknown).toHaveLength(1);
    expect(hexOf(identifyCharge(binary))).toBe(hexOf(identifyCharge(json)));
  });

  test("an item of a batch is the single call", () => {
    const identifyCharge = compileIdentity(ChargeService.method.createCharge);
    const batch = fromJson(BatchCreateChargesRequestSchema, { requests: [CHARGE] });
    const [item] = batch.requests;
    assert(item !== undefined, "the batch has an item");

    expect(hexOf(identifyCharge(item))).toBe(fingerprintOf("CreateCharge", CHARGE));
  });
});

describe("W1 a fingerprint is stored as long as the ledger", () => {
  /** Stored requests are compared with these: a change here breaks every replay of the RPC. */
  test.each<[rpc: string, json: JsonObject, fingerprint: string]>([
    [
      "CreateCustomer",
      { key: "acme", name: "Acme", metadata: { tier: "1" } },
      "7ded2d0d269becde5ac03ab10595b974",
    ],
    [
      "UpdateCustomer",
      { customerId: CUSTOMER_ID, name: "Acme", updateMask: "name" },
      "e089a2013a1087cd045cc307557a6e83",
    ],
    [
      "CreateCurrency",
      { code: "TOKENS", name: "Tokens", exponent: 2 },
      "3dae1a98302ea62bddde14f0b3b91689",
    ],
    ["CreateCreditGrant", GRANT, "b0079d32ba296c07b09155c0b409a72a"],
    [
      "VoidCreditGrant",
      { customerId: CUSTOMER_ID, creditGrantId: OTHER_ID, reason: "no" },
      "a35bee3b1c9007b879df967b8d03eb09",
    ],
    [
      "UpdateExternalSettlement",
      { customerId: CUSTOMER_ID, creditGrantId: OTHER_ID, status: 3 },
      "11e4b9afaaa24f1c958f2d0f2b280f49",
    ],
    [
      "AdjustCredits",
      { customerId: CUSTOMER_ID, currency: "USD", amount: "-1.5", reason: "no" },
      "e38f70bd28495e6ff4a87a68324eacab",
    ],
    [
      "IssueInvoice",
      { customerId: CUSTOMER_ID, invoiceId: OTHER_ID },
      "42eb730ec4902aea3211380e0994dead",
    ],
    [
      "FailInvoicePayment",
      { customerId: CUSTOMER_ID, invoiceId: OTHER_ID, reason: "no" },
      "8c95339cf7675fe4d8010d249ec2df8d",
    ],
    ["CreateRateCard", RATE_CARD, "e2031219a7213098a7944b16f70132d9"],
    ["ArchiveRateCard", { key: "calls" }, "d0c032f795f546f96b032a238910f6b4"],
    ["CreateCharge", CHARGE, "f6766520372fc775b42521ed688ead4c"],
    [
      "SettleCharge",
      { customerId: CUSTOMER_ID, chargeId: OTHER_ID, quantity: "0" },
      "503dd003db96992027904ea9262ac4b3",
    ],
    [
      "CorrectCharge",
      { customerId: CUSTOMER_ID, chargeId: OTHER_ID, reason: "no" },
      "d95921a710a850a139c4e6e705ee6a14",
    ],
  ])("of %s never changes", (rpc, json, fingerprint) => {
    expect(fingerprintOf(rpc, json)).toBe(fingerprint);
  });

  test("it is the first half of the SHA-256 of a text", () => {
    const form = [
      "drawdown.v1.ChargeService/CreateCharge\n",
      `2:36=${CUSTOMER_ID};`,
      "3:3=1.5;",
      "4:3=USD;",
      "5:2;",
      "6:3=api;",
      "9:2;",
      "10:{1:1769904000;}",
      "11:8=one call;",
      "12:1=a;1=1;12:1=b;1=2;",
    ].join("");
    expect(fingerprintOf("CreateCharge", CHARGE)).toBe(hash("sha256", form).slice(0, 32));
  });

  test("a field that is added later leaves requests without it as they were", () => {
    const json = { request_id: "r", name: "one" };
    const [before, after, used] = [
      identifyByContract(["request_id", "name"], json),
      identifyByContract(["request_id", "name", "note"], json),
      identifyByContract(["request_id", "name", "note"], { ...json, note: "two" }),
    ];
    expect(after).toBe(before);
    expect(used).not.toBe(before);
  });
});

/** The fingerprint of a request to an RPC whose request has these fields of text. */
function identifyByContract(fields: readonly string[], json: JsonObject): string {
  const Request = {
    name: "Request",
    field: fields.map((name, index) => ({
      name,
      number: index + 1,
      label: FieldDescriptorProto_Label.OPTIONAL,
      type: FieldDescriptorProto_Type.STRING,
    })),
  };
  const method = { name: "Do", inputType: ".later.Request", outputType: ".later.Request" };
  const file = {
    name: "later.proto",
    package: "later",
    syntax: "proto3",
    messageType: [Request],
    service: [{ name: "Service", method: [method] }],
  };
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  const later = registry.getService("later.Service")?.methods[0];
  assert(later?.methodKind === "unary", "the service has its method");
  return identify(later as DescMethodUnary, json);
}
