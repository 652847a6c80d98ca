/**
 * Owns what time does to credit, at the wire: the database's clock is moved, and what a caller
 * reads must be what the rules say, with no background job having run.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { collect } from "../server/edges.ts";
import { callerOver, valueAt } from "./caller.ts";
import { type Running, startService, TWO_WAYS } from "./running.ts";
import { type Says, Story, step } from "./story.ts";

let running: Running;

beforeAll(async () => {
  running = await startService();
});
afterAll(() => running.close());

const USD = { currency: "USD" };
const GIFT = { ...USD, fundingMethod: "FUNDING_METHOD_PROMOTIONAL", amount: "100" };
const CREDIT_ONLY = { ...USD, settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };
const HOLD = { ...CREDIT_ONLY, capture: "CAPTURE_MANUAL" };

const balance = (settled: string, held: string, pending: string): Says => ({
  "balances.0.settled": settled,
  "balances.0.held": held,
  "balances.0.pending": pending,
});

/** The whole history, oldest first, a line for each movement. */
async function historyOf({ caller, customer }: Story): Promise<readonly string[]> {
  const oldestFirst = { customerId: customer, order: "MOVEMENT_ORDER_OLDEST_FIRST" };
  const pages = await collect(caller.stream("StreamMovements", oldestFirst));
  return pages.flatMap((page) =>
    ((valueAt(page, "movements") ?? []) as JsonObject[]).map((each) => {
      const { type, amount, balanceBefore, balanceAfter } = each;
      return `${String(type).slice(14)} ${amount}: ${balanceBefore} -> ${balanceAfter}`;
    }),
  );
}

describe.each(TWO_WAYS)("time, over %s", (way, open) => {
  let story: Story;
  let customers = 0;

  beforeEach(async () => {
    await running.ledger.shiftClock("0");
    customers += 1;
    story = await Story.begin(callerOver(open(running)), `${way} ${customers}`);
  });

  test("D6 a hold outlives its grant, and what it releases ends at once", async () => {
    await story.tell([
      step("gift", "CreateCreditGrant", { ...GIFT, expiresAfter: "P1D" }),
      step("hold", "CreateCharge", { ...HOLD, amount: "60" }),
    ]);
    await running.ledger.shiftClock("2 days");
    await story.tell([
      step("expired", "GetBalance", USD, balance("60", "60", "0")),
      step(
        "grant",
        "GetCreditGrant",
        { creditGrantId: "$gift.creditGrant.id" },
        {
          "creditGrant.status": "CREDIT_GRANT_STATUS_EXPIRED",
          "creditGrant.remaining": "60",
          "creditGrant.held": "60",
        },
      ),
      step(
        "settled",
        "SettleCharge",
        { chargeId: "$hold.charge.id", amount: "45" },
        {
          "charge.creditsApplied": "45",
          "charge.estimatedAmount": "60",
        },
      ),
      step("over", "GetBalance", USD, balance("0", "0", "0")),
    ]);
    expect(await historyOf(story)).toEqual([
      "FUNDED 100: 0 -> 100",
      "EXPIRED -40: 100 -> 60",
      "CONSUMED -45: 60 -> 15",
      "EXPIRED -15: 15 -> 0",
    ]);
  });

  test("D4 a hold that nobody settles is released after seven days", async () => {
    await story.tell([
      step("gift", "CreateCreditGrant", GIFT),
      step("hold", "CreateCharge", { ...HOLD, amount: "60" }),
    ]);
    await running.ledger.shiftClock("6 days 23 hours");
    await story.tell([step("held", "GetBalance", USD, balance("100", "60", "40"))]);
    await running.ledger.shiftClock("7 days");
    await story.tell([
      step("released", "GetBalance", USD, balance("100", "0", "100")),
      step(
        "charge",
        "GetCharge",
        { chargeId: "$hold.charge.id" },
        {
          "charge.status": "CHARGE_STATUS_CANCELED",
          "charge.canceledAt": "$hold.charge.holdExpiresAt",
        },
      ),
    ]);
  });

  test("D7 a correction into an expired grant comes back and ends at once", async () => {
    await story.tell([
      step("gift", "CreateCreditGrant", { ...GIFT, expiresAfter: "P1D" }),
      step("charge", "CreateCharge", { ...CREDIT_ONLY, amount: "30" }),
    ]);
    await running.ledger.shiftClock("2 days");
    await story.tell([
      step(
        "correction",
        "CorrectCharge",
        { chargeId: "$charge.charge.id", reason: "wrong" },
        {
          "charge.correctedAmount": "30",
          "charge.allocations.0.returned": "30",
          "movements.0.type": "MOVEMENT_TYPE_CORRECTED",
          "movements.0.description": "wrong",
          "movements.1.type": "MOVEMENT_TYPE_EXPIRED",
          "movements.1.chargeId": "$charge.charge.id",
          "movements.1.bookedAt": "$correction.movements.0.bookedAt",
        },
      ),
      step("over", "GetBalance", USD, balance("0", "0", "0")),
    ]);
    expect(await historyOf(story)).toEqual([
      "FUNDED 100: 0 -> 100",
      "CONSUMED -30: 100 -> 70",
      "EXPIRED -70: 70 -> 0",
      "CORRECTED 30: 0 -> 30",
      "EXPIRED -30: 30 -> 0",
    ]);
  });

  test("D7 a correction into a voided grant comes back and ends at once", async () => {
    await story.tell([
      step("gift", "CreateCreditGrant", GIFT),
      step("charge", "CreateCharge", { ...CREDIT_ONLY, amount: "30" }),
      step("void", "VoidCreditGrant", { creditGrantId: "$gift.creditGrant.id", reason: "x" }),
      step("correction", "CorrectCharge", {
        chargeId: "$charge.charge.id",
        amount: "10",
        reason: "wrong",
      }),
      step(
        "grant",
        "GetCreditGrant",
        { creditGrantId: "$gift.creditGrant.id" },
        {
          "creditGrant.status": "CREDIT_GRANT_STATUS_VOIDED",
          "creditGrant.remaining": "0",
        },
      ),
    ]);
    expect(await historyOf(story)).toEqual([
      "FUNDED 100: 0 -> 100",
      "CONSUMED -30: 100 -> 70",
      "VOIDED -70: 70 -> 0",
      "CORRECTED 10: 0 -> 10",
      "VOIDED -10: 10 -> 0",
    ]);
  });

  test("B2 what is read as of T1, T5 and T10 stays what it was, before, then and after", async () => {
    const moments = new Map<string, string>();
    const at = async (day: number) => {
      await running.ledger.shiftClock(`${day} days`);
      const { asOf } = await story.call("GetBalance", USD, `now ${day}`);
      moments.set(`T${day}`, String(asOf));
    };
    const asOf = (name: string) => ({ ...USD, asOf: moments.get(name) ?? "" });
    await at(0);
    await story.call("CreateCreditGrant", { ...GIFT, expiresAfter: "P7D" }, "gift");
    await at(1);
    await running.ledger.shiftClock("2 days");
    await story.call("CreateCharge", { ...HOLD, amount: "30" }, "hold");
    const forecast = new Date(Date.parse(moments.get("T1") ?? "") + 9 * 86_400_000).toISOString();
    await at(5);
    await story.tell([
      step("forecast", "GetBalance", { ...USD, asOf: forecast }, balance("0", "0", "0")),
      step("T0 at T5", "GetBalance", asOf("T0"), balance("0", "0", "0")),
      step("T1 at T5", "GetBalance", asOf("T1"), balance("100", "0", "100")),
      step("T5 at T5", "GetBalance", asOf("T5"), balance("100", "30", "70")),
      step("settled", "SettleCharge", { chargeId: "$hold.charge.id" }),
    ]);
    await at(10);
    const answers = async () => {
      const each = ["T0", "T1", "T5", "T10"].map(async (name) => {
        const answer = await story.call("GetBalance", asOf(name), name);
        return ["settled", "held", "pending"].map((field) =>
          valueAt(answer, `balances.0.${field}`),
        );
      });
      return Promise.all(each);
    };
    const first = await answers();
    expect(first).toEqual([
      ["0", "0", "0"],
      ["100", "0", "100"],
      ["100", "30", "70"],
      ["0", "0", "0"],
    ]);
    await story.call("CorrectCharge", { chargeId: "$hold.charge.id", reason: "x" }, "correction");
    await running.ledger.shiftClock("11 days");
    expect(await answers()).toEqual(first);
  });
});
