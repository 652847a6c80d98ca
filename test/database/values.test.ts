import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withConnection } from "../../src/database/connection.ts";
import { type Database, openDatabase } from "../../src/database/data-source.ts";
import { charges } from "../../src/database/entities/charge.ts";
import { creditGrants } from "../../src/database/entities/credit-grant.ts";
import { balances, customerHeads, requests } from "../../src/database/entities/customer.ts";
import { currencies, rateCards } from "../../src/database/entities/tenant.ts";
import { transfers } from "../../src/database/entities/transfer.ts";
import { readTransaction } from "../../src/database/read.ts";
import { parseAmount } from "../../src/money/amount.ts";
import { instant, parseInstant } from "../../src/money/time.ts";
import { cloneDatabase, type TestDatabase } from "../database.ts";
import { AT, GRANT_ID, insertRow, LATER, SAMPLE_ROWS, TABLES, TENANT } from "./sample-rows.ts";

let clone: TestDatabase;
let database: Database;

beforeAll(async () => {
  clone = await cloneDatabase();
  const { appUrl: url } = clone;
  database = await openDatabase({
    findUrl: () => url,
    runAsRole: false,
    readPoolMax: 2,
    writePoolMax: 1,
  });
  await withConnection(database.writes, async ({ client }) => {
    await client.query(`BEGIN; SET LOCAL app.tenant = '${TENANT}'`);
    for (const table of TABLES) {
      if (table !== "tenant") await insertRow(client, table, SAMPLE_ROWS[table]);
    }
    await client.query("COMMIT");
  });
});
afterAll(async () => {
  await database.close();
  await clone.drop();
});

/** The only value of a statement, as it arrives. */
const value = (expression: string): Promise<unknown> =>
  readTransaction(database.reads, TENANT, async (manager) => {
    const [row] = await manager.query(`SELECT ${expression} AS value`);
    return row.value;
  });

const amount = (text: string): bigint => parseAmount(text) ?? -1n;

describe("values arrive as the ledger's own", () => {
  test.each([
    ["int8", "9007199254740993::int8", 9_007_199_254_740_993n],
    ["a negative int8", "(-9223372036854775808)::int8", -(2n ** 63n)],
    ["a count", "count(*)", 1n],
    ["an empty cell", "NULL::int8", null],
    ["numeric", "123.000000000001::numeric(38,12)", amount("123.000000000001")],
    ["a negative numeric", "-0.5::numeric", amount("-0.5")],
    ["a whole numeric", "7::numeric", amount("7")],
    [
      "the widest numeric",
      "99999999999999999999999999.999999999999::numeric(38,12)",
      10n ** 38n - 1n,
    ],
    ["timestamptz", `'${AT}'::timestamptz`, parseInstant(AT)],
    ["a whole second", "'2026-11-22T11:01:10Z'::timestamptz", parseInstant("2026-11-22T11:01:10Z")],
    ["the epoch", "'1970-01-01T01:00:00+01'::timestamptz", instant(0n)],
    [
      "the last microsecond",
      "'9000-01-01'::timestamptz - interval '1 microsecond'",
      instant(221_845_391_999_999_999n),
    ],
    ["int8[]", "ARRAY[1, -2]::int8[]", [1n, -2n]],
    ["an empty int8[]", "ARRAY[]::int8[]", []],
    ["numeric[]", "ARRAY[1.5, 0.000000000001]::numeric[]", [amount("1.5"), 1n]],
    ["an empty numeric[]", "ARRAY[]::numeric[]", []],
    ["timestamptz[]", `ARRAY['${AT}', '${LATER}']::timestamptz[]`, [AT, LATER].map(parseInstant)],
    ["uuid[]", `ARRAY['${GRANT_ID}', '${TENANT}']::uuid[]`, [GRANT_ID, TENANT]],
    ["an empty uuid[]", "ARRAY[]::uuid[]", []],
    ["text[]", `ARRAY['a,b', '"', '\\', 'NULL', '']`, ["a,b", '"', "\\", "NULL", ""]],
    ["an empty text[]", "ARRAY[]::text[]", []],
    ["jsonb", `'{"a": ["b", null]}'::jsonb`, { a: ["b", null] }],
    ["bytea", "'\\x00ff'::bytea", Buffer.from([0, 255])],
    ["an enum", "'OPEN'::charge_status", "OPEN"],
    ["boolean", "true", true],
    ["int4", "7::int4", 7],
  ])("%s: %s", async (_, expression, expected) => {
    expect(await value(expression)).toStrictEqual(expected);
  });

  test.each([
    ["more than 12 decimals", "0.0000000000001::numeric"],
    ["no number", "'NaN'::numeric"],
    ["no end", "'Infinity'::numeric"],
    ["no moment", "'infinity'::timestamptz"],
    ["an empty place in an array", "ARRAY[1, NULL]::int8[]"],
  ])("%s is a bug and not read as something else", async (_, expression) => {
    await expect(value(expression)).rejects.toThrow(/is an amount|not a time|holds a null/);
    expect(await value("1")).toBe(1);
  });

  test("the process's own parsers are left alone", async () => {
    const { types } = (await import("pg")).default;
    expect(types.getTypeParser(20)("1")).toBe("1");
  });
});

describe("repositories carry values unchanged", () => {
  test("a row is read with bigint, Amount and Instant to the microsecond", async () => {
    const [grant, head, charge, card, request] = await readTransaction(
      database.reads,
      TENANT,
      async (manager) => [
        await manager.getRepository(creditGrants).findOneByOrFail({ credit_grant_id: GRANT_ID }),
        await manager.getRepository(customerHeads).findOneByOrFail({ sequence: 1n }),
        await manager.getRepository(charges).findOneByOrFail({ status: "OPEN" }),
        await manager.getRepository(rateCards).findOneByOrFail({ version: 1 }),
        await manager.getRepository(requests).findOneByOrFail({ request_id: "r-2" }),
      ],
    );
    expect(grant).toMatchObject({
      number: 1n,
      effective_at: parseInstant(AT),
      expires_at: parseInstant(LATER),
      due_at: null,
      priority: 10,
      status: "ACTIVE",
      open: true,
      remaining: amount("10"),
      per_unit_cost: null,
      features: ["api", 'a "quoted", feature'],
      metadata: { note: "é" },
    });
    expect(head).toMatchObject({ sequence: 1n, object_count: 3n, last_booked_at: null });
    expect(charge).toMatchObject({
      draw_credit_grant_ids: [GRANT_ID],
      draw_amounts: [amount("4.000000000001")],
      draw_returned: [0n],
      fingerprint: Buffer.from("f"),
    });
    expect(card).toMatchObject({ price: { model: "flat" }, archived_at: null });
    expect(request.answer).toStrictEqual(Buffer.from([0, 255]));
  });

  test("a row is found by a time, an amount and a sequence", async () => {
    const found = await readTransaction(database.reads, TENANT, async (manager) => [
      await manager.getRepository(transfers).countBy({ booked_at: parseInstant(AT) }),
      await manager.getRepository(transfers).countBy({ booked_at: parseInstant(LATER) }),
      await manager.getRepository(balances).countBy({ credit: amount("6") }),
      await manager.getRepository(balances).countBy({ credit: amount("6.000000000001") }),
      await manager.getRepository(transfers).countBy({ sequence: 1n }),
    ]);
    // TypeORM counts in numbers; counts of rows are no amounts.
    expect(found.map(Number)).toEqual([1, 0, 1, 0, 1]);
  });

  test("a row that is inserted and updated through a repository comes back the same", async () => {
    const created_at = parseInstant(LATER);
    const row = {
      tenant_id: TENANT,
      code: "POINTS" as never,
      name: "Points",
      exponent: 3,
      created_at,
    };
    await withConnection(database.writes, async ({ client, manager }) => {
      await client.query(`BEGIN; SET LOCAL app.tenant = '${TENANT}'`);
      await manager.getRepository(currencies).insert(row);
      expect(await manager.getRepository(currencies).findOneByOrFail({ code: row.code })).toEqual(
        row,
      );

      const changed = {
        first_consumed_sequence: 2n ** 53n + 1n,
        canceled_at: parseInstant(AT),
        amount: amount("0.000000000001"),
        draw_amounts: [amount("1.5")],
        metadata: { a: "b" },
      };
      await manager.getRepository(charges).update({ status: "OPEN" }, changed);
      expect(await manager.getRepository(charges).findOneByOrFail({})).toMatchObject(changed);
      await client.query("ROLLBACK");
    });
  });
});
