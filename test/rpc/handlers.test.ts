/**
 * Owns the handlers over a real pipeline and database, without a protocol around them: that they
 * ask for the right verbs, that each answer is replayed as it was first given, and that invoices
 * come with their lines.
 */
import { create, fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assert } from "../../src/errors.ts";
import { CustomerReads } from "../../src/queries/customer-reads.ts";
import { TenantReads } from "../../src/queries/tenant-reads.ts";
import { makeChargeService } from "../../src/rpc/charge-service.ts";
import { makeCreditGrantService } from "../../src/rpc/credit-grant-service.ts";
import { makeCustomerService } from "../../src/rpc/customer-service.ts";
import { makeInvoiceService } from "../../src/rpc/invoice-service.ts";
import type { ImplementedMethod } from "../../src/rpc/method.ts";
import { requireValid } from "../../src/rpc/validation.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";

let ledger: TestLedger;
let methods: ReadonlyMap<string, ImplementedMethod>;

beforeAll(async () => {
  ledger = await openLedger();
  const { pipeline, connections } = ledger;
  const bookDue = pipeline.bookDue.bind(pipeline);
  const reads = new CustomerReads({ reads: connections.reads, bookDue });
  const services = [
    makeChargeService({ pipeline, reads }),
    makeCreditGrantService({ pipeline, reads }),
    makeInvoiceService({ pipeline, reads }),
    makeCustomerService({ pipeline, reads: new TenantReads(connections.reads) }),
  ];
  methods = new Map(
    services.flatMap((service) => service.methods.map((each) => [each.method.name, each])),
  );
});

afterAll(() => ledger.close());

/** Calls an RPC as the guard does, in JSON. */
async function call(rpc: string, json: JsonObject): Promise<JsonObject> {
  const found = methods.get(rpc);
  assert(found?.handler.kind === "unary", `${rpc} is a unary RPC`);
  const { input, output } = found.method;
  const request = fromJson(input, json);
  requireValid(input, request);
  const { signal } = new AbortController();
  const answer = await found.handler.handle(request, {
    tenantId: TENANT,
    customerId: null,
    signal,
    noteBug: (error) => expect.unreachable(String(error)),
  });
  return toJson(output, create(output, answer)) as JsonObject;
}

/** The value at a path such as `invoice.lines.0.id`. */
function at(json: JsonValue | undefined, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = json;
  for (const name of path.split(".")) {
    assert(typeof value === "object" && value !== null, `there is something at ${path}`);
    value = (value as JsonObject)[name];
  }
  return value;
}

type Refer = (step: string, path: string) => string;

interface Step {
  readonly name: string;
  readonly rpc: string;
  readonly json: (refer: Refer) => JsonObject;
  /** What the answer says, by path. */
  readonly says: JsonObject;
}

function step(name: string, rpc: string, json: Step["json"], says: JsonObject): Step {
  return { name, rpc, json, says };
}

const USD = { currency: "USD" };
const CREDIT_ONLY = { ...USD, settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };
const THEN_INVOICE = { ...USD, settlementMode: "SETTLEMENT_MODE_CREDIT_THEN_INVOICE" };
const MANUAL = { capture: "CAPTURE_MANUAL" };
const purchase = { currency: "USD", perUnitCost: "2" };

const gift = { fundingMethod: "FUNDING_METHOD_PROMOTIONAL", ...USD, amount: "10" };
const sold = { fundingMethod: "FUNDING_METHOD_INVOICE", ...USD, amount: "5", purchase, name: "5" };
const elsewhere = { fundingMethod: "FUNDING_METHOD_EXTERNAL", ...USD, amount: "3", purchase };

const invoiceOf = (name: string) => (refer: Refer) => ({ invoiceId: refer(name, "invoice.id") });
const chargeOf =
  (name: string, more: JsonObject = {}) =>
  (refer: Refer) => ({
    chargeId: refer(name, "charge.id"),
    ...more,
  });
const grantOf =
  (name: string, more: JsonObject = {}) =>
  (refer: Refer) => ({
    creditGrantId: refer(name, "creditGrant.id"),
    ...more,
  });
const status = (word: string) => ({ status: `SETTLEMENT_STATUS_${word}` });

/** Every mutation of a customer, each with something to say. */
const STORY: readonly Step[] = [
  step("gift", "CreateCreditGrant", () => gift, {
    "creditGrant.remaining": "10",
    "creditGrant.priority": 10,
  }),
  step("sold", "CreateCreditGrant", () => sold, {
    "creditGrant.status": "CREDIT_GRANT_STATUS_PENDING",
    "creditGrant.purchase.availability": "AVAILABILITY_ON_SETTLEMENT",
    "invoice.total": "10",
    "invoice.lines.0.description": "5",
    "invoice.lines.0.amount": "10",
  }),
  step("authorized", "AuthorizeInvoicePayment", invoiceOf("sold"), {
    "invoice.status": "INVOICE_STATUS_AUTHORIZED",
    "invoice.lines.0.amount": "10",
  }),
  step("failed", "FailInvoicePayment", invoiceOf("sold"), {
    "invoice.status": "INVOICE_STATUS_PAYMENT_FAILED",
  }),
  step("paid", "SettleInvoicePayment", invoiceOf("sold"), {
    "invoice.status": "INVOICE_STATUS_PAID",
  }),
  step("elsewhere", "CreateCreditGrant", () => elsewhere, {
    "creditGrant.purchase.settlementStatus": "SETTLEMENT_STATUS_PENDING",
  }),
  step("settled elsewhere", "UpdateExternalSettlement", grantOf("elsewhere", status("SETTLED")), {
    "creditGrant.status": "CREDIT_GRANT_STATUS_ACTIVE",
    "creditGrant.remaining": "3",
  }),
  step("charge", "CreateCharge", () => ({ ...CREDIT_ONLY, amount: "4" }), {
    "charge.status": "CHARGE_STATUS_SETTLED",
    "charge.creditsApplied": "4",
    "charge.correctedAmount": "0",
  }),
  step("hold", "CreateCharge", () => ({ ...CREDIT_ONLY, ...MANUAL, amount: "2" }), {
    "charge.status": "CHARGE_STATUS_OPEN",
    "charge.creditsHeld": "2",
  }),
  step("settled", "SettleCharge", chargeOf("hold", { amount: "1" }), {
    "charge.creditsApplied": "1",
    "charge.estimatedAmount": "2",
  }),
  step("other hold", "CreateCharge", () => ({ ...CREDIT_ONLY, ...MANUAL, amount: "2" }), {
    "charge.creditsHeld": "2",
  }),
  step("canceled", "CancelCharge", chargeOf("other hold"), {
    "charge.status": "CHARGE_STATUS_CANCELED",
  }),
  step("corrected", "CorrectCharge", chargeOf("charge", { amount: "1", reason: "too much" }), {
    "charge.correctedAmount": "1",
    "movements.0.type": "MOVEMENT_TYPE_CORRECTED",
    "movements.0.description": "too much",
  }),
  step("given", "AdjustCredits", () => ({ ...USD, amount: "2", reason: "sorry" }), {
    "creditGrant.remaining": "2",
    "movements.0.type": "MOVEMENT_TYPE_ADJUSTED",
  }),
  step("taken", "AdjustCredits", () => ({ ...USD, amount: "-1", reason: "oops" }), {
    "movements.0.amount": "-1",
    "movements.0.description": "oops",
  }),
  step("taken from one", "AdjustCredits", takenFrom("given"), { "movements.0.amount": "-0.5" }),
  step("void", "VoidCreditGrant", grantOf("given", { reason: "mistake" }), {
    "creditGrant.status": "CREDIT_GRANT_STATUS_VOIDED",
    "creditGrant.voidReason": "mistake",
  }),
  step("overage", "CreateCharge", () => ({ ...THEN_INVOICE, amount: "20", description: "much" }), {
    "charge.creditsApplied": "13",
    "charge.invoicedAmount": "7",
  }),
  step("issued", "IssueInvoice", draftOf("overage"), {
    "invoice.status": "INVOICE_STATUS_OPEN",
    "invoice.number": "2",
    "invoice.lines.0.description": "much",
  }),
  step("waived", "VoidInvoice", draftOf("overage"), {
    "invoice.status": "INVOICE_STATUS_VOID",
    "invoice.lines.0.amount": "7",
  }),
  step("renamed", "UpdateCustomer", () => ({ name: "New" }), { "customer.name": "New" }),
];

function takenFrom(name: string): Step["json"] {
  const words = { ...USD, amount: "-0.5", reason: "oops" };
  return (refer) => ({ ...words, creditGrantId: refer(name, "creditGrant.id") });
}

function draftOf(name: string): Step["json"] {
  return (refer) => ({ invoiceId: refer(name, "charge.invoiceId") });
}

describe("W1 every mutation is answered, and replayed as it was first answered", () => {
  const answers = new Map<string, JsonObject>();
  const refer: Refer = (name, path) => String(at(answers.get(name), path));
  let customerId = "";
  const requestOf = ({ name, json }: Step) => ({ requestId: name, customerId, ...json(refer) });

  beforeAll(async () => {
    customerId = await ledger.customer();
    for (const each of STORY) answers.set(each.name, await call(each.rpc, requestOf(each)));
  });

  test.each(STORY)("$rpc: $name", async (each) => {
    const first = answers.get(each.name);
    for (const [path, value] of Object.entries(each.says)) {
      expect(at(first, path), path).toEqual(value);
    }

    expect(await call(each.rpc, requestOf(each)), "the replay").toEqual(first);
  });

  test.each([
    ["CreateCreditGrant", () => ({ ...gift, amount: "11" }), "gift"],
    ["CreateCharge", () => ({ ...CREDIT_ONLY, amount: "5" }), "charge"],
    ["CreateCharge", () => ({ ...CREDIT_ONLY, ...MANUAL, amount: "3" }), "hold"],
    ["SettleCharge", chargeOf("hold"), "settled"],
    ["CancelCharge", chargeOf("hold"), "hold"],
    ["UpdateCustomer", () => ({ name: "Newer" }), "renamed"],
  ] satisfies [string, Step["json"], string][])(
    "another %s under a used id is refused",
    async (rpc, json, name) => {
      const request = { requestId: name, customerId, ...json(refer) };
      await expect(call(rpc, request)).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
    },
  );

  test("no replay wrote anything", async () => {
    const page = await call("ListCharges", { customerId });
    expect(at(page, "charges")).toHaveLength(4);
  });
});

describe("D7 a correction into an expired grant", () => {
  test("describes what comes back by its reason, and what ends again by the grant", async () => {
    const customerId = await ledger.customer();
    const words = { description: "welcome", metadata: { campaign: "a" }, expiresAfter: "PT1H" };
    const grant = { requestId: "grant", customerId, ...gift, ...words };
    await call("CreateCreditGrant", grant);
    const charge = { requestId: "charge", customerId, ...CREDIT_ONLY, amount: "4" };
    const chargeId = String(at(await call("CreateCharge", charge), "charge.id"));
    await ledger.shiftClock("2 hours");
    const correction = { requestId: "correct", customerId, chargeId, reason: "too much" };
    const answer = await call("CorrectCharge", correction);

    const shown = ["type", "amount", "description"].map((name) =>
      [0, 1].map((index) => at(answer, `movements.${index}.${name}`)),
    );
    expect(shown).toEqual([
      ["MOVEMENT_TYPE_CORRECTED", "MOVEMENT_TYPE_EXPIRED"],
      ["4", "-4"],
      ["too much", "welcome"],
    ]);
    expect(at(answer, "movements.1.metadata")).toEqual({ campaign: "a" });
    await ledger.shiftClock("0");
  });
});

describe("W1 a batch of charges", () => {
  test("takes the way of single calls, of any customers, and replays inside itself", async () => {
    const [rich, poor] = [await ledger.customer(), await ledger.customer()];
    await call("CreateCreditGrant", { requestId: "grant", customerId: rich, ...gift });
    const item = { requestId: "a", customerId: rich, ...CREDIT_ONLY, amount: "6" };
    const requests = [
      item,
      { ...item, customerId: poor },
      { ...item, amount: "6.0" },
      { ...item, amount: "5" },
      { ...item, requestId: "b" },
      { ...item, requestId: "b", amount: "4" },
      { ...item, customerId: "0190a1b2-c3d4-7000-8000-00000000dead" },
    ];
    const { results } = await call("BatchCreateCharges", { requests });
    const outcomes = (results as JsonObject[]).map((result) =>
      "charge" in result ? at(result, "charge.amount") : at(result, "error.reason"),
    );

    expect(outcomes).toEqual([
      "6",
      "ERROR_REASON_INSUFFICIENT_CREDITS",
      "6",
      "ERROR_REASON_REQUEST_ID_REUSED",
      "ERROR_REASON_INSUFFICIENT_CREDITS",
      "4",
      "ERROR_REASON_CUSTOMER_NOT_FOUND",
    ]);
    expect(at({ results } as JsonObject, "results.0.charge")).toEqual(
      at(await call("CreateCharge", item), "charge"),
    );
  });
});

describe("D8 PreviewCharge", () => {
  test("says what would be drawn, and a refusal is an answer", async () => {
    const customerId = await ledger.customer();
    await call("CreateCreditGrant", { requestId: "grant", customerId, ...gift });
    const preview = await call("PreviewCharge", { customerId, ...CREDIT_ONLY, amount: "12" });

    expect(at(preview, "draws.0.amount")).toBe("10");
    expect(at(preview, "shortfall")).toBe("2");
    expect(at(preview, "refusal.metadata")).toEqual({
      required: "12",
      available: "10",
      currency: "USD",
    });
    const charges = await call("ListCharges", { customerId });
    expect(charges).toEqual({});
  });

  test("an unknown customer is an error", async () => {
    const customerId = "0190a1b2-c3d4-7000-8000-00000000dead";
    const preview = call("PreviewCharge", { customerId, ...CREDIT_ONLY, amount: "12" });
    await expect(preview).rejects.toMatchObject({ reason: "CUSTOMER_NOT_FOUND" });
  });
});
