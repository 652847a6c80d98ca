import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../database.ts";
import {
  insertRow,
  inTransaction,
  OTHER_TENANT,
  SAMPLE_ROWS,
  TABLES,
  type Table,
  TENANT,
} from "./sample-rows.ts";

const INSUFFICIENT_PRIVILEGE = "42501";

let database: TestDatabase;
let app: pg.Client;
let owner: pg.Client;

beforeAll(async () => {
  database = await cloneDatabase();
  app = new pg.Client({ connectionString: database.appUrl });
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await Promise.all([app.connect(), owner.connect()]);
  await owner.query("DELETE FROM tenant");
  for (const table of TABLES) await insertRow(owner, table, SAMPLE_ROWS[table]);
});
afterAll(async () => {
  await Promise.all([app.end(), owner.end()]);
  await database.drop();
});

const count = async (table: Table): Promise<number> =>
  (await app.query(`SELECT count(*)::integer AS count FROM ${table}`)).rows[0].count;

const refusalOf = (statement: Promise<unknown>): Promise<string | undefined> =>
  statement.then(
    () => undefined,
    (error: pg.DatabaseError) => error.code,
  );

describe("R8 a tenant's rows, by row-level security alone", () => {
  test("every table of the schema is in this test", async () => {
    const { rows } = await owner.query(
      `SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname <> 'migration'
        AND relnamespace = 'public'::regnamespace`,
    );
    expect(rows.map(({ relname }) => relname).toSorted()).toEqual(TABLES.toSorted());
  });

  test.each(TABLES)("%s: only its own tenant sees a row", async (table) => {
    expect(await inTransaction(app, TENANT, () => count(table))).toBe(1);
    expect(await inTransaction(app, OTHER_TENANT, () => count(table))).toBe(0);
    expect(await inTransaction(app, undefined, () => count(table))).toBe(0);
  });

  test.each(TABLES.filter((table) => table !== "tenant"))(
    "%s: no row can be put into another tenant, nor into none",
    async (table) => {
      await inTransaction(owner, undefined, async () => {
        // The row is valid but for its tenant: as the owner it can be written.
        await owner.query(`DELETE FROM ${table}`);
        await insertRow(owner, table, SAMPLE_ROWS[table]);
      });
      for (const tenantId of [OTHER_TENANT, undefined]) {
        const insert = () => refusalOf(insertRow(app, table, SAMPLE_ROWS[table]));
        expect(await inTransaction(app, tenantId, insert)).toBe(INSUFFICIENT_PRIVILEGE);
      }
    },
  );

  test.each(["tenant", "customer", "customer_head", "balance", "credit_grant", "charge"] as const)(
    "%s: no row of another tenant can be changed or taken over",
    async (table) => {
      const take = `UPDATE ${table} SET tenant_id = '${OTHER_TENANT}'`;
      await inTransaction(app, OTHER_TENANT, async () => {
        expect((await app.query(take)).rowCount).toBe(0);
      });
      const give = () => refusalOf(app.query(take));
      expect(await inTransaction(app, TENANT, give)).toBe(INSUFFICIENT_PRIVILEGE);
    },
  );

  test("what a transaction set is gone after it", async () => {
    await app.query(`BEGIN; SET LOCAL app.tenant = '${TENANT}'`);
    await app.query("COMMIT");
    expect(await count("transfer")).toBe(0);
  });

  test("the functions that look across tenants tell ids and numbers only", async () => {
    await inTransaction(app, OTHER_TENANT, async () => {
      const { customer_id } = SAMPLE_ROWS.customer;
      const watched = await app.query("SELECT * FROM customers_watched($1)", [[customer_id]]);
      expect(watched.rows).toEqual([{ customer_id, sequence: "1", next_due_at: null }]);
      expect((await app.query("SELECT * FROM customers_due(10)")).rows).toEqual([]);
      const { rows } = await app.query("SELECT * FROM tenants()");
      expect(rows).toEqual([{ tenant_id: TENANT, name: "sample" }]);
    });
  });

  test("a customer for whom something has fallen due is found, whoever asks", async () => {
    await owner.query("UPDATE customer_head SET next_due_at = ledger_clock()");
    const { rows } = await app.query("SELECT * FROM customers_due(10)");
    expect(rows).toEqual([{ tenant_id: TENANT, customer_id: SAMPLE_ROWS.customer.customer_id }]);
    expect((await app.query("SELECT * FROM customers_due(0)")).rows).toEqual([]);
  });
});

describe("L2 transfers are append-only", () => {
  test.each(
    ["transfer", "movement_note", "request", "tenant_request"].flatMap((table) => [
      [`UPDATE ${table} SET tenant_id = tenant_id`],
      [`DELETE FROM ${table}`],
      [`TRUNCATE ${table}`],
      [`DROP TABLE ${table}`],
      [`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`],
    ]),
  )("the application cannot %s", async (statement) => {
    const refusal = () => refusalOf(app.query(statement));
    expect(await inTransaction(app, TENANT, refusal)).toBe(INSUFFICIENT_PRIVILEGE);
  });

  test.each([
    ["a customer", "DELETE FROM customer"],
    ["a head", "DELETE FROM customer_head"],
    ["a grant", "DELETE FROM credit_grant"],
    ["a charge", "DELETE FROM charge"],
    ["an invoice", "DELETE FROM invoice"],
    ["an API key", "DELETE FROM api_key"],
  ])("the application cannot delete %s", async (_, statement) => {
    const refusal = () => refusalOf(app.query(statement));
    expect(await inTransaction(app, TENANT, refusal)).toBe(INSUFFICIENT_PRIVILEGE);
  });
});

describe("the ledger's clock", () => {
  const replacement = `CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz
    LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp() + interval ''1 day'''`;

  test("cannot be replaced or shadowed by the application", async () => {
    expect(await refusalOf(app.query(replacement))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await refusalOf(app.query("DROP FUNCTION ledger_clock()"))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await refusalOf(app.query("CREATE SCHEMA mine"))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  test("can be called by the application and moved by the owner", async () => {
    const ahead = async (): Promise<number> =>
      (
        await app.query(
          "SELECT round(extract(epoch FROM ledger_clock() - clock_timestamp()))::integer AS ahead",
        )
      ).rows[0].ahead;
    expect(await ahead()).toBe(0);
    await owner.query(replacement);
    expect(await ahead()).toBe(86_400);
  });
});
