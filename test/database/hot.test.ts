import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../database.ts";
import { insertRow, SAMPLE_ROWS } from "./sample-rows.ts";

let database: TestDatabase;
let owner: pg.Client;

beforeAll(async () => {
  database = await cloneDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

const UPDATES = 1_000;
/**
 * A row moves to another page when its page is full of versions that some snapshot may still see,
 * which depends on who else uses the server.
 */
const MOVED_MAX = 200;

interface Counts {
  readonly updates: number;
  readonly hot: number;
  /** Not HOT for want of room in the page, whatever the indexes are. */
  readonly moved: number;
}

async function counts(table: string): Promise<Counts> {
  await owner.query("SELECT pg_stat_force_next_flush()");
  const { rows } = await owner.query(
    `SELECT n_tup_upd::integer AS updates, n_tup_hot_upd::integer AS hot,
      n_tup_newpage_upd::integer AS moved
      FROM pg_stat_user_tables WHERE relname = '${table}'`,
  );
  return rows[0];
}

describe("what every charge updates stays a HOT update, which touches no index", () => {
  test.each([
    [
      "customer_head",
      "sequence = sequence + 1, last_booked_at = ledger_clock(), object_count = object_count + 2",
    ],
    ["balance", "credit = credit - 0.001, held = held + 0.001"],
    [
      "credit_grant",
      "remaining = remaining - 0.001, accrued = accrued + 0.001, held = held - 0.0001",
    ],
  ] as const)("%s", async (table, change) => {
    await insertRow(owner, table, SAMPLE_ROWS[table]);
    // One transaction for each, as charges come: what a long one leaves cannot be used again.
    for (let update = 0; update < UPDATES; update += 1) {
      await owner.query({ name: `update ${table}`, text: `UPDATE ${table} SET ${change}` });
    }
    const { updates, hot, moved } = await counts(table);
    expect({ updates, hotOrMoved: hot + moved }).toEqual({ updates: UPDATES, hotOrMoved: UPDATES });
    expect(moved).toBeLessThan(MOVED_MAX);
  });

  test("the end of a grant's credit is the one that touches an index", async () => {
    const before = await counts("credit_grant");
    await owner.query("UPDATE credit_grant SET remaining = 0, held = 0, open = false");
    const after = await counts("credit_grant");
    expect([after.updates, after.hot]).toEqual([before.updates + 1, before.hot]);
  });
});
