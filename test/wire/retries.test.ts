/**
 * Owns what happens when a request arrives more than once, whatever it came by, and when many
 * arrive at the same moment (W1, W2, D3).
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Caller, callerOver, refusalOf, valueAt } from "./caller.ts";
import { EACH_PROTOCOL, EVERY_WAY, type Running, startService } from "./running.ts";
import { Story } from "./story.ts";

let running: Running;
let callers: readonly Caller[];

beforeAll(async () => {
  running = await startService();
  callers = EACH_PROTOCOL.map(([, open]) => callerOver(open(running)));
});
afterAll(() => running.close());

const USD = { currency: "USD" };
const GIFT = { ...USD, fundingMethod: "FUNDING_METHOD_PROMOTIONAL", amount: "40" };
const CREDIT_ONLY = { ...USD, settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };

async function customerWithGift(key: string): Promise<Story> {
  const [caller] = callers;
  if (caller === undefined) throw new Error("there is no way to the service");
  const story = await Story.begin(caller, key);
  await story.call("CreateCreditGrant", GIFT, "gift");
  return story;
}

async function settledOf({ caller, customer: customerId }: Story): Promise<unknown> {
  return valueAt(await caller.call("GetBalance", { customerId, ...USD }), "balances.0.settled");
}

describe("W1 the same request over another protocol", () => {
  test("is the same request, however its amounts, its map and its ids are written", async () => {
    const story = await customerWithGift("one request");
    const request = {
      requestId: "charge",
      customerId: story.customer,
      ...CREDIT_ONLY,
      amount: "1.50",
      metadata: { a: "1", b: "2" },
    };
    const spellings = [
      request,
      { ...request, amount: "1.5" },
      { ...request, metadata: { b: "2", a: "1" } },
      { ...request, customerId: story.customer.toUpperCase() },
      { ...request, description: "" },
    ];

    const answers: JsonObject[] = [];
    for (const [index, [, open]] of EVERY_WAY.entries()) {
      const spelling = spellings[index % spellings.length] ?? request;
      answers.push(await callerOver(open(running)).call("CreateCharge", spelling));
    }
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await settledOf(story)).toBe("38.5");
  });

  test("with other contents it is refused, over every protocol", async () => {
    const story = await customerWithGift("another request");
    const charge = { requestId: "charge", customerId: story.customer, ...CREDIT_ONLY, amount: "1" };
    await story.caller.call("CreateCharge", charge);

    for (const caller of callers) {
      for (const other of [{ amount: "2" }, { featureKey: "api" }, { metadata: { a: "1" } }]) {
        expect(await refusalOf(caller, "CreateCharge", { ...charge, ...other })).toMatchObject({
          code: "ALREADY_EXISTS",
          reason: "REQUEST_ID_REUSED",
          facts: { request_id: "charge" },
        });
      }
    }
    expect(await settledOf(story)).toBe("39");
  });

  test("is answered as it was first, whatever has happened since", async () => {
    const story = await customerWithGift("first answer");
    const hold = { ...CREDIT_ONLY, amount: "10", capture: "CAPTURE_MANUAL" };
    const first = await story.call("CreateCharge", hold, "hold");
    await story.call("SettleCharge", { chargeId: "$hold.charge.id", amount: "7" }, "settle");
    await story.call("CorrectCharge", { chargeId: "$hold.charge.id", reason: "x" }, "correct");

    const again = story.requestOf("CreateCharge", hold, "hold");
    for (const caller of callers) expect(await caller.call("CreateCharge", again)).toEqual(first);
  });

  test("a refused request id may later succeed", async () => {
    const story = await customerWithGift("refused first");
    const charge = story.requestOf("CreateCharge", { ...CREDIT_ONLY, amount: "41" }, "charge");
    const refused = { reason: "INSUFFICIENT_CREDITS" };
    expect(await refusalOf(story.caller, "CreateCharge", charge)).toMatchObject(refused);
    await story.call("AdjustCredits", { ...USD, amount: "1", reason: "sorry" }, "adjustment");

    const answers = await Promise.all(callers.map((each) => each.call("CreateCharge", charge)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await settledOf(story)).toBe("0");
  });
});

describe("W1 eight deliveries of one request at the same moment", () => {
  test.each([
    ["CreateCharge", { ...CREDIT_ONLY, amount: "30" }, "10"],
    ["CreateCreditGrant", { ...GIFT, amount: "5" }, "45"],
    ["AdjustCredits", { ...USD, amount: "-30", reason: "x" }, "10"],
  ])("%s has one effect and one answer", async (rpc, request, settled) => {
    const story = await customerWithGift(`eight ${rpc}`);
    const full = story.requestOf(rpc, request, "eight times");
    const deliveries = Array.from({ length: 8 }, (_, index) => callers[index % callers.length]);
    const answers = await Promise.all(deliveries.map((caller) => caller?.call(rpc, full)));

    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(await settledOf(story)).toBe(settled);
  });

  test("CreateCustomer makes one customer", async () => {
    const request = { requestId: "eight customers", key: "eight", name: "Eight" };
    const deliveries = Array.from({ length: 8 }, (_, index) => callers[index % callers.length]);
    const answers = await Promise.all(
      deliveries.map((caller) => caller?.call("CreateCustomer", request)),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });
});

describe("D3 many charges against too little credit", () => {
  test("of 64 charges of 1 at the same moment against 40 exactly 40 succeed", async () => {
    const story = await customerWithGift("sixty-four");
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        const caller = callers[index % callers.length] ?? story.caller;
        const charge = story.requestOf(
          "CreateCharge",
          { ...CREDIT_ONLY, amount: "1" },
          `charge ${index}`,
        );
        return caller.call("CreateCharge", charge).then(
          () => "charged",
          () => refusalOf(caller, "CreateCharge", charge),
        );
      }),
    );

    const refused = outcomes.filter((each) => each !== "charged");
    expect(outcomes.length - refused.length).toBe(40);
    for (const each of refused) {
      expect(each).toEqual({
        code: "FAILED_PRECONDITION",
        reason: "INSUFFICIENT_CREDITS",
        facts: { required: "1", available: "0", currency: "USD" },
        fields: [],
      });
    }
    const { movements } = await story.caller.call("ListMovements", {
      customerId: story.customer,
      types: ["MOVEMENT_TYPE_CONSUMED"],
    });
    const after = (movements as JsonObject[]).map((each) => Number(valueAt(each, "balanceAfter")));
    expect(after).toEqual(Array.from({ length: 40 }, (_, index) => index));
  });
});

describe.each(EACH_PROTOCOL)("W1 a batch of charges, over %s", (way, open) => {
  test("each item succeeds or fails alone, in order, and is the same as the single call", async () => {
    const caller = callerOver(open(running));
    const [rich, poor] = [await customerWithGift(`rich ${way}`), await Story.begin(caller, way)];
    const charge = { customerId: rich.customer, ...CREDIT_ONLY, amount: "30" };
    const requests: readonly JsonObject[] = [
      { ...charge, requestId: "a" },
      { ...charge, requestId: "b" },
      { ...charge, requestId: "b", amount: "10" },
      { ...charge, requestId: "a" },
      { ...charge, requestId: "a", amount: "31" },
      { ...charge, requestId: "c", customerId: poor.customer },
      { ...charge, requestId: "d", amount: "1e3" },
      { ...charge, requestId: "", amount: "1" },
      { ...charge, requestId: "e", customerId: "0190a1b2-c3d4-7000-8000-00000000dead" },
      { ...charge, requestId: "f", currency: "XXQ" },
      {},
    ];
    const { results } = await caller.call("BatchCreateCharges", { requests: [...requests] });

    expect((results as JsonObject[]).map(outcomeOf)).toEqual([
      "charged 30",
      "9 INSUFFICIENT_CREDITS",
      "charged 10",
      "charged 30",
      "6 REQUEST_ID_REUSED request_id",
      "9 INSUFFICIENT_CREDITS",
      "3 INVALID_REQUEST amount",
      "3 INVALID_REQUEST request_id",
      "5 CUSTOMER_NOT_FOUND",
      "5 CURRENCY_NOT_FOUND",
      "3 INVALID_REQUEST request_id customer_id amount",
    ]);
    const single = await caller.call("CreateCharge", requests[2] ?? {});
    expect(valueAt(results, "2.charge")).toEqual(valueAt(single, "charge"));
    expect(await settledOf(rich)).toBe("0");
  });
});

/** `charged 30`, or the code, the reason and the fields of a refusal. */
function outcomeOf(result: JsonObject): string {
  const amount = valueAt(result, "charge.amount");
  if (amount !== undefined) return `charged ${amount}`;
  const reason = String(valueAt(result, "error.reason")).replace("ERROR_REASON_", "");
  const violations = (valueAt(result, "error.fieldViolations") ?? []) as JsonObject[];
  const fields = violations.map(({ field }) => field);
  return [valueAt(result, "error.code"), reason, ...fields].join(" ");
}
