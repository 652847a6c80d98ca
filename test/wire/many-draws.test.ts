/** Owns the largest draw at the wire: 1,000 grants are drawn at once, 1,001 are refused. */
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callerOver, refusalOf, valueAt } from "./caller.ts";
import { type Running, startService, TWO_WAYS } from "./running.ts";
import { Story } from "./story.ts";

const DRAWS_MAX = 1_000;
const CHARGE = { currency: "USD", settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };
const GIFT = { currency: "USD", amount: "1", reason: "x" };

/** How many bytes of words a movement of an adjustment has. */
const wordsOf = (of: { readonly reason: string; readonly metadata: Record<string, string> }) =>
  [of.reason, ...Object.entries(of.metadata).flat()].join("").length;

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

  test("and an answer that repeats long words of so many is one that clients take", async () => {
    const [json, grpc] = TWO_WAYS.map(([, open]) => callerOver(open(running)));
    if (json === undefined || grpc === undefined) throw new Error("there are two ways");
    const story = await Story.begin(grpc, "wordy");
    const gifts = Array.from({ length: DRAWS_MAX }, (_, index) =>
      story.call("AdjustCredits", GIFT, `gift ${index}`),
    );
    await Promise.all(gifts);

    const pairs = Array.from({ length: 50 }, (_, index) => [`key ${index}`, "x".repeat(500)]);
    const metadata = Object.fromEntries(pairs);
    const all = { currency: "USD", amount: `-${DRAWS_MAX}`, reason: "r".repeat(1_000), metadata };
    const answer = await story.call("AdjustCredits", all, "all");
    const movements = valueAt(answer, "movements") as JsonObject[];
    expect(movements).toHaveLength(DRAWS_MAX);
    const described = movements.filter((movement) => "description" in movement).length;
    expect(described).toBe(Math.floor(1_048_576 / wordsOf(all)));
    expect(JSON.stringify(answer).length).toBeLessThan(2_000_000);
    expect(await json.call("AdjustCredits", story.requestOf("AdjustCredits", all, "all"))).toEqual(
      answer,
    );
  });
});
