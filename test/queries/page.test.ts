import { describe, expect, test } from "vitest";
import { gatherPage, PAGE_BYTES_MAX } from "../../src/queries/page.ts";

/** A table of so many rows, which notes what was read of it. */
function table(rowsCount: number) {
  const reads: string[] = [];
  const read = async (last: number | undefined, limit: number) => {
    const start = last === undefined ? 0 : last + 1;
    reads.push(`${start}+${limit}`);
    return Array.from({ length: rowsCount }, (_, row) => row).slice(start, start + limit);
  };
  return { reads, read };
}

const HALF = PAGE_BYTES_MAX / 2;

describe("a page", () => {
  test.each([
    // rows there are, rows asked for, bytes of each, rows it has, whether more follow
    [0, 3, 1, 0, false],
    [2, 3, 1, 2, false],
    [3, 3, 1, 3, false],
    [4, 3, 1, 3, true],
    [250, 250, 1, 250, false],
    [251, 250, 1, 250, true],
    // It ends early when the next row would make it too large, and never before its first row.
    [5, 5, HALF, 2, true],
    [2, 5, HALF, 2, false],
    [5, 5, HALF + 1, 1, true],
    [5, 5, 10 * PAGE_BYTES_MAX, 1, true],
    [1, 5, 10 * PAGE_BYTES_MAX, 1, false],
  ])("of %i rows, asked for %i of %i bytes, has %i", async (count, rowsMax, bytes, has, more) => {
    const { read } = table(count);

    const page = await gatherPage({ rowsMax, read, bytesOf: () => bytes });

    expect(page).toEqual({ rows: Array.from({ length: has }, (_, row) => row), more });
  });

  test("is read in slices, so that large rows are not all in memory", async () => {
    const { read, reads } = table(1_000);

    await gatherPage({ rowsMax: 250, read, bytesOf: () => 1 });

    expect(reads).toEqual(["0+100", "100+100", "200+51"]);
  });
});
