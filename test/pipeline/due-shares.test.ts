import { describe, expect, test } from "vitest";
import { cutCharges, divide, shareOf } from "../../src/pipeline/due-shares.ts";

const bounds = (transfersMax: number) => ({ eventsMax: 1_000, transfersMax });

/** Charges that hold so many grants each. */
const rowsOf = (...draws: readonly number[]) =>
  draws.map((count) => ({ draw_credit_grant_ids: Array.from({ length: count }, () => "grant") }));

describe("M6 what is due is booked in shares", () => {
  test("the customers of a transaction together have the bounds of one", () => {
    expect(shareOf({ eventsMax: 1_000, transfersMax: 5_000 }, 1)).toEqual({
      eventsMax: 1_000,
      transfersMax: 5_000,
    });
    expect(shareOf({ eventsMax: 1_000, transfersMax: 5_000 }, 3)).toEqual({
      eventsMax: 334,
      transfersMax: 1_667,
    });
  });

  test.each<[draws: readonly number[], transfersMax: number, count: number, held: number]>([
    [[], 10, 0, 0],
    [[2, 2, 1], 10, 3, 5],
    [[2, 2, 2], 10, 2, 4],
    // The first one always, however many grants it holds.
    [[9, 1], 10, 1, 9],
    [[0, 0, 6], 10, 2, 0],
    [[0, 5], 10, 2, 5],
    [[3, 2], 9, 1, 3],
  ])(
    "of charges that hold %j grants, with %i transfers, %i are taken",
    (draws, most, count, held) => {
      const rows = rowsOf(...draws);
      const cut = cutCharges(rows, 100, bounds(most));
      expect(cut).toEqual({ rows: rows.slice(0, count), more: count < rows.length, draws: held });
    },
  );

  test("where as many rows were found as were asked for there may be more", () => {
    expect(cutCharges(rowsOf(1, 1), 2, bounds(10)).more).toBe(true);
    expect(cutCharges(rowsOf(1, 1), 3, bounds(10)).more).toBe(false);
  });

  test.each<[draws: readonly number[], booked: readonly number[], left: readonly number[]]>([
    [[], [], []],
    [[1, 2, 3], [3, 2, 1], []],
    [[4, 6], [6, 4], []],
    [[5, 6], [6], [5]],
    [[1, 5, 6], [6, 1], [5]],
    // One alone may hold more than together are released, and nobody who holds nothing waits.
    [[12, 0, 3, 0], [12, 0, 0], [3]],
    [[0, 12], [12, 0], []],
  ])("of customers with %j grants to release at most ten together", (draws, booked, left) => {
    expect(divide(draws, (count) => count, bounds(10))).toEqual({ booked, left });
  });
});
