/** Owns the tables of draw-down: which lot comes first, and what is taken from each. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CHARGE_DRAWS_MAX,
  compareDrawOrder,
  type DrawKey,
  planDraws,
} from "../../src/ledger/draw-order.ts";
import type { GrantId } from "../../src/ledger/ids.ts";
import type { Lot } from "../../src/ledger/lot.ts";
import { instant } from "../../src/money/time.ts";
import { lotOf } from "./lot-of.ts";

function key(priority: number, expires: number | null, first: number | null): DrawKey {
  const expiresAt = expires === null ? null : instant(BigInt(expires));
  return { priority, expiresAt, firstSequence: first === null ? null : BigInt(first) };
}

function lot(name: string, remaining: bigint, held = 0n): Lot {
  return lotOf({ id: name as GrantId, remaining, held });
}

describe("D2 draw-down order", () => {
  const never = null;
  test.each([
    ["the lower priority", key(1, never, 9), key(2, 5, 1), -1],
    ["priority is a number, not a word", key(9, never, 9), key(10, 5, 1), -1],
    ["the earlier expiry", key(1, 5, 9), key(1, 6, 1), -1],
    ["an expiry before never", key(1, 1_000_000, 9), key(1, never, 1), -1],
    ["the earlier first movement", key(1, 5, 1), key(1, 5, 2), -1],
    ["the first movement of two without end", key(1, never, 9), key(1, never, 10), -1],
    ["one and the same", key(1, 5, 1), key(1, 5, 1), 0],
  ])("first comes %s", (_name, left, right, sign) => {
    expect(Math.sign(compareDrawOrder(left, right))).toBe(sign);
    expect(Math.sign(compareDrawOrder(right, left))).toBe(sign === 0 ? 0 : -sign);
  });

  test("the order is total: sorting any lots gives the same line whatever they came in", () => {
    const anyKey = fc
      .tuple(
        fc.integer({ min: 1, max: 3 }),
        fc.option(fc.integer({ min: 1, max: 3 })),
        fc.integer({ min: 1, max: 9 }),
      )
      .map(([priority, expires, first]) => key(priority, expires, first));
    const text = ({ priority, expiresAt, firstSequence }: DrawKey) =>
      `${priority} ${expiresAt} ${firstSequence}`;
    fc.assert(
      fc.property(fc.array(anyKey, { maxLength: 12 }), (keys) => {
        const sorted = keys.toSorted(compareDrawOrder).map(text);
        expect(keys.toReversed().toSorted(compareDrawOrder).map(text)).toEqual(sorted);
      }),
    );
  });
});

describe("D2 D4 the plan of a draw", () => {
  const lots = [lot("A", 10n), lot("B", 5n, 5n), lot("C", 10n, 4n), lot("D", 1n)];
  test.each([
    ["nothing", 0n, [], 0n],
    ["less than the first has", 9n, ["A:9"], 9n],
    ["all that the first has", 10n, ["A:10"], 10n],
    ["more: what others hold is passed over", 11n, ["A:10", "C:1"], 11n],
    ["all that is free", 17n, ["A:10", "C:6", "D:1"], 17n],
    ["more than is free", 18n, ["A:10", "C:6", "D:1"], 17n],
  ])("%s", (_name, amount, draws, covered) => {
    const plan = planDraws(lots, amount);
    expect(plan.draws.map((draw) => `${draw.lot.id}:${draw.amount}`)).toEqual(draws);
    expect(plan.covered).toBe(covered);
    expect(plan.cut).toBe(false);
  });

  test("nothing is asked of the lots once the amount is covered", () => {
    let asked = 0;
    function* counted() {
      for (const each of lots) {
        asked += 1;
        yield each;
      }
    }
    planDraws(counted(), 10n);
    expect(asked).toBe(1);
    planDraws(counted(), 0n);
    expect(asked).toBe(1);
  });

  test.each([
    ["as many draws as there may be", 2, 16n, 16n, false],
    ["one more would be needed", 2, 17n, 16n, true],
    ["what is missing is nowhere", 3, 18n, 17n, false],
  ])("%s", (_name, drawsMax, amount, covered, cut) => {
    const plan = planDraws(lots, amount, drawsMax);
    expect([plan.covered, plan.cut]).toEqual([covered, cut]);
    expect(plan.draws.length).toBeLessThanOrEqual(drawsMax);
  });

  test("a charge draws from at most 1,000 grants", () => {
    const many = Array.from({ length: 1_001 }, (_, index) => lot(`L${index}`, 1n));
    expect(CHARGE_DRAWS_MAX).toBe(1_000);
    expect(planDraws(many, 1_000n)).toMatchObject({ covered: 1_000n, cut: false });
    expect(planDraws(many, 1_001n)).toMatchObject({ covered: 1_000n, cut: true });
  });
});
