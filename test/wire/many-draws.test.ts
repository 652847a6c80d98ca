/** Owns the largest draw at the wire: 1,000 grants are drawn at once, 1,001 are refused. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callerOver, refusalOf, valueAt } from "./caller.ts";
import { type Running, startService, TWO_WAYS } from "./running.ts";
import { Story } from "./story.ts";

const DRAWS_MAX = 1_000;
const CHARGE = { currency: "USD", settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };
const GIFT = { currency: "USD", amount: "1", reason: "x" };

let running: Running;

beforeAll(async () => {
  running = await startService();
});
afterAll(() => running.close());

describe("D2 a draw from many grants", () => {
  test("takes 1,000 of them, and no more", async () => {
    const callers = TWO_WAYS.map(([, open]) => callerOver(open(running)));
    const [json, grpc] = callers;
    if (json === undefined || grpc === undefined) throw new Error("there are two ways");
    const story = await Story.begin(grpc, "many");
    const gifts = Array.from({ length: DRAWS_MAX + 1 }, (_, index) =>
      story.call("AdjustCredits", GIFT, `gift ${index}`),
    );
    await Promise.all(gifts);

    const tooMuch = { ...CHARGE, amount: `${DRAWS_MAX}.5` };
    for (const caller of callers) {
      const request = story.requestOf("CreateCharge", tooMuch, "charge");
      expect(await refusalOf(caller, "CreateCharge", request)).toEqual({
        code: "FAILED_PRECONDITION",
        reason: "TOO_MANY_DRAWS",
        facts: { draws_max: String(DRAWS_MAX) },
        fields: [],
      });
    }
    const most = { ...CHARGE, amount: String(DRAWS_MAX) };
    const first = await story.call("CreateCharge", most, "charge");
    expect(valueAt(first, "charge.allocations")).toHaveLength(DRAWS_MAX);
    const again = await json.call("CreateCharge", story.requestOf("CreateCharge", most, "charge"));
    expect(again).toEqual(first);
  });
});
