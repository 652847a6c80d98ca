/** Owns the checks of how ids are made. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GrantId, makeId } from "../../src/ledger/ids.ts";
import { instant, parseInstant } from "../../src/money/time.ts";

const AT = parseInstant("2026-11-22T11:01:10.123456Z");
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const COUNTER_MAX = (1n << 42n) - 1n;

/** The parts of a UUIDv7, read back by their place in its 128 bits. */
function partsOf(id: string) {
  const bits = BigInt(`0x${id.replaceAll("-", "")}`);
  const take = (from: bigint, length: bigint) =>
    (bits >> (128n - from - length)) & ((1n << length) - 1n);
  return {
    milliseconds: take(0n, 48n),
    version: take(48n, 4n),
    counter: (take(52n, 12n) << 30n) | take(66n, 30n),
    variant: take(64n, 2n),
    random: Number(take(96n, 32n)),
  };
}

describe("H4 ids are UUIDv7 that carry the creation sequence", () => {
  test.each([
    ["the first", 1n, 0, "01a202ea-c56b-7000-8000-000100000000"],
    ["all random bits", 1n, 0xffff_ffff, "01a202ea-c56b-7000-8000-0001ffffffff"],
    ["the highest random bit", 1n, 0x8000_0000, "01a202ea-c56b-7000-8000-000180000000"],
    ["the last of the low 30 bits", (1n << 30n) - 1n, 0, "01a202ea-c56b-7000-bfff-ffff00000000"],
    ["the first of the high 12 bits", 1n << 30n, 0, "01a202ea-c56b-7001-8000-000000000000"],
    ["the last of all", COUNTER_MAX, 0, "01a202ea-c56b-7fff-bfff-ffff00000000"],
  ])("%s", (_name, counter, random, expected) => {
    expect(makeId<GrantId>(AT, counter, random)).toBe(expected);
  });

  test("version, variant, time, counter and random bits stand in their places", () => {
    const anyMoment = fc.bigInt({ min: 0n, max: 221_845_392_000_000_000n });
    const anyCounter = fc.bigInt({ min: 0n, max: COUNTER_MAX });
    const random32 = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(anyMoment, anyCounter, random32, (at, counter, random) => {
        const id = makeId<GrantId>(instant(at), counter, random);
        expect(id).toMatch(UUID_V7);
        expect(partsOf(id)).toEqual({
          milliseconds: at / 1_000n,
          version: 7n,
          counter,
          variant: 2n,
          random,
        });
      }),
    );
  });

  test("ids sort as they were created, within a millisecond and across, whatever is random", () => {
    const step = fc.record({
      microseconds: fc.bigInt({ min: 0n, max: 2_000n }),
      objects: fc.bigInt({ min: 1n, max: 1n << 31n }),
      random: fc.integer({ min: 0, max: 0xffff_ffff }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 20 }), (steps) => {
        let at = AT as bigint;
        let counter = 0n;
        const ids = steps.map(({ microseconds, objects, random }) => {
          at += microseconds;
          counter += objects;
          return makeId<GrantId>(instant(at), counter, random);
        });
        expect(ids.toSorted()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });
});
