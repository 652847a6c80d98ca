import fc from "fast-check";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { arrayOf, type ElementOf, type ElementType } from "../../src/database/array-parameter.ts";
import { typeParsers } from "../../src/database/pg-types.ts";
import { parseAmount } from "../../src/money/amount.ts";
import { instant, LATEST_INSTANT } from "../../src/money/time.ts";

let client: pg.Client;

beforeAll(async () => {
  client = new pg.Client({ connectionString: inject("superuserUrl"), types: typeParsers });
  await client.connect();
});
afterAll(() => client.end());

/** The values as the server has read them, sent back in its own spelling. */
async function readBack<Type extends ElementType>(
  type: Type,
  values: readonly (ElementOf[Type] | null)[],
): Promise<unknown[]> {
  const text = `SELECT v FROM unnest($1::${type}[]) WITH ORDINALITY AS n(v, place) ORDER BY place`;
  const { rows } = await client.query(text, [arrayOf(type, values)]);
  return rows.map(({ v }) => v);
}

const amount = (text: string) => parseAmount(text) ?? -1n;
const widest = `${"9".repeat(24)}.${"9".repeat(12)}`;

describe("a list arrives as it was sent", () => {
  const cases: { readonly [Type in ElementType]: readonly (ElementOf[Type] | null)[] } = {
    bigint: [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), null],
    boolean: [true, false, null],
    bytea: [Buffer.from([0, 255, 92]), Buffer.alloc(0), null],
    integer: [0, 2 ** 31 - 1, -(2 ** 31), null],
    numeric: ["0", "1", "-1", "0.000000000001", "10000", widest, `-${widest}`].map(amount),
    text: ["", "a", "NULL", '{"a",\\}', "ß€😀", "é".repeat(50), "x".repeat(50), null],
    tid: ["(0,1)", "(4294967295,65535)", "(130000,7)", null],
    timestamptz: [instant(0n), instant(946_684_800_000_001n), LATEST_INSTANT, null],
    uuid: ["019a0000-0000-7000-8000-0123456789ab", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", null],
  };
  const asRead = (value: unknown) =>
    typeof value === "string" && /^F{8}-/.test(value) ? value.toLowerCase() : value;

  test.each(Object.entries(cases))("%s", async (type, values) => {
    const read = await readBack(type as ElementType, values as never);

    expect(read).toEqual(values.map(asRead));
  });

  test("an empty one", async () => {
    expect(await readBack("uuid", [])).toEqual([]);
  });

  test("a time before or after all others", async () => {
    const text = "SELECT ($1::timestamptz[])::text AS v";
    const { rows } = await client.query(text, [arrayOf("timestamptz", ["-infinity", "infinity"])]);

    expect(rows).toEqual([{ v: "{-infinity,infinity}" }]);
  });

  test("whatever amounts and words", async () => {
    const amounts = fc.bigInt({ min: -(10n ** 36n), max: 10n ** 36n });
    const small = fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n });
    const words = fc.string({ unit: "grapheme", maxLength: 60 }).filter((w) => !w.includes("\0"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(amounts, small)),
        fc.array(words),
        async (numbers, texts) => {
          expect(await readBack("numeric", numbers)).toEqual(numbers);
          expect(await readBack("text", texts)).toEqual(texts);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test.each(["", "019a0000-0000-7000-8000-0123456789a", "019a0000-0000-7000-8000-0123456789ag"])(
  "%j is no id, and is not sent as one",
  (id) => {
    expect(() => arrayOf("uuid", [id])).toThrow(/an id is a UUID/);
  },
);
