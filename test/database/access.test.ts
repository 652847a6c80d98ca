import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../database.ts";
import { insertRow, inTransaction, OTHER_TENANT, SAMPLE_ROWS, TENANT } from "./sample-rows.ts";

const INSUFFICIENT_PRIVILEGE = "42501";
const LOCK_NOT_AVAILABLE = "55P03";
const { api_key_id: ID, prefix: PREFIX, secret_hash: HASH } = SAMPLE_ROWS.api_key;

let database: TestDatabase;
let app: pg.Client;
let owner: pg.Client;

beforeAll(async () => {
  database = await cloneDatabase();
  app = new pg.Client({ connectionString: database.appUrl });
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await Promise.all([app.connect(), owner.connect()]);
});
afterAll(async () => {
  await Promise.all([app.end(), owner.end()]);
  await database.drop();
});
beforeEach(async () => {
  await owner.query("DELETE FROM api_key");
  await insertRow(owner, "api_key", SAMPLE_ROWS.api_key);
});

const find = async () =>
  (await app.query("SELECT * FROM find_api_keys($1)", [[PREFIX, "ddk_nobodys"]])).rows;

const change = (what: string) => owner.query(`UPDATE api_key SET ${what}`);

describe("an API key in the database", () => {
  test("is found by how its secret begins, before any tenant is known", async () => {
    expect(await find()).toEqual([
      {
        prefix: PREFIX,
        secret_hash: HASH,
        api_key_id: ID,
        tenant_id: TENANT,
        customer_id: SAMPLE_ROWS.api_key.customer_id,
        role: "READER",
        expires_in_ms: expect.any(Number),
      },
    ]);
  });

  test("says by the ledger's clock how long it is good for", async () => {
    await change("expires_at = ledger_clock() + interval '1 hour'");
    const [{ expires_in_ms: hour }] = await find();
    expect(hour).toBeGreaterThan(3_590_000);
    expect(hour).toBeLessThanOrEqual(3_600_000);
    await change("expires_at = NULL");
    expect(await find()).toMatchObject([{ expires_in_ms: null }]);
  });

  test.each([
    ["was revoked", "revoked_at = ledger_clock()"],
    ["has expired", "expires_at = ledger_clock()"],
  ])("that %s is not found", async (_what, state) => {
    await change(state);
    expect(await find()).toEqual([]);
  });

  test("is found on an index, however many there are", async () => {
    await owner.query(
      `INSERT INTO api_key (number, created_at, role, tenant_id, api_key_id, name, prefix,
          secret_hash)
        SELECT n, ledger_clock(), 'READER', $1, gen_random_uuid(), '', 'ddk_' || n, $2
        FROM generate_series(2, 20000) n`,
      [TENANT, HASH],
    );
    await owner.query("ANALYZE api_key");
    const { rows: functions } = await owner.query(
      "SELECT prosrc FROM pg_proc WHERE proname = 'find_api_keys'",
    );
    const statement = functions[0].prosrc.replace("ANY(prefixes)", "ANY(ARRAY['ddk_7', 'ddk_8'])");
    const { rows } = await owner.query(`EXPLAIN ${statement}`);
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    expect(plan).toMatch(/(Index|Bitmap Index) Scan (using|on) api_key_prefix/);
    expect(plan).not.toContain("Seq Scan");
  });

  test.each([
    "role = 'ADMIN'",
    "secret_hash = secret_hash",
    "expires_at = NULL",
    "customer_id = NULL",
  ])("cannot be given more by the application: %s", async (more) => {
    const refused = await inTransaction(app, TENANT, () =>
      app.query(`UPDATE api_key SET ${more}`).catch((error: pg.DatabaseError) => error.code),
    );
    expect(refused).toBe(INSUFFICIENT_PRIVILEGE);
  });
});

describe("the use of an API key", () => {
  const use = (client = app) => client.query("SELECT record_api_key_use($1)", [[ID]]);
  const usedAt = async () =>
    (await owner.query("SELECT last_used_at::text AS at FROM api_key")).rows[0].at;

  test("is recorded once a minute, however often it is told", async () => {
    await use();
    const first = await usedAt();
    expect(first).not.toBeNull();
    await use();
    expect(await usedAt()).toBe(first);
    await change("last_used_at = last_used_at - interval '61 seconds'");
    const earlier = await usedAt();
    await use();
    expect(await usedAt()).not.toBe(earlier);
  });

  test("never waits for whoever is at the same row", async () => {
    await owner.query("BEGIN");
    try {
      await owner.query("SELECT FROM api_key FOR UPDATE");
      await app.query("SET statement_timeout = 2000");
      await use();
    } finally {
      await owner.query("ROLLBACK");
      await app.query("RESET statement_timeout");
    }
    expect(await usedAt()).toBeNull();
  });
});

describe("tenants", () => {
  test("are created one after the other, so none turns up before one that was listed", async () => {
    const other = new pg.Client({ connectionString: database.appUrl });
    await other.connect();
    const newest = async (client: pg.Client) =>
      (await client.query("SELECT tenant_count, newest_created_at::text FROM lock_tenants()")).rows;
    const create = [[OTHER_TENANT], ["other"], ["2999-01-01T00:00:00Z"]];
    try {
      await app.query("BEGIN");
      expect(await newest(app)).toMatchObject([{ tenant_count: "1" }]);
      await app.query("SELECT FROM create_tenants($1, $2, $3)", create);

      await other.query("BEGIN; SET LOCAL lock_timeout = 100");
      const waiting = newest(other).catch((error: pg.DatabaseError) => error.code);
      expect(await waiting).toBe(LOCK_NOT_AVAILABLE);
      await other.query("ROLLBACK; BEGIN");
      await app.query("COMMIT");
      expect(await newest(other)).toEqual([
        { tenant_count: "2", newest_created_at: "2999-01-01 00:00:00+00" },
      ]);
    } finally {
      await other.end();
      await app.query("ROLLBACK");
    }
  });
});
