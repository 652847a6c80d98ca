import type { Socket } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { withConnection } from "../../src/database/connection.ts";
import { type Database, openDatabase } from "../../src/database/data-source.ts";
import { readTransaction } from "../../src/database/read.ts";
import { databaseFailure, sqlStateOf } from "../../src/database/sql-state.ts";
import type { TenantId } from "../../src/ledger/ids.ts";
import { cloneDatabase, type TestDatabase } from "../database.ts";
import { OTHER_TENANT, TENANT } from "./sample-rows.ts";

let clone: TestDatabase;
let database: Database;

const open = (url: string, runAsRole = false): Promise<Database> =>
  openDatabase({ findUrl: () => url, runAsRole, readPoolMax: 1, writePoolMax: 1 });

beforeAll(async () => {
  clone = await cloneDatabase();
  database = await open(clone.appUrl);
});
afterAll(async () => {
  await database.close();
  await clone.drop();
});

interface Answer {
  readonly [column: string]: unknown;
  readonly pid?: number;
  readonly value?: string;
}

async function ask(pool: Database["reads"], statement: string): Promise<Answer[]> {
  return await withConnection(pool, async ({ client }) => (await client.query(statement)).rows);
}

const setting = async (pool: Database["reads"], name: string): Promise<unknown> =>
  (await ask(pool, `SELECT current_setting('${name}') AS value`))[0]?.value;

/** Ends the only session of a pool from outside, as a restart of the server would. */
async function endSession(pid: unknown): Promise<void> {
  const superuser = new pg.Client({ connectionString: clone.superuserUrl });
  await superuser.connect();
  try {
    await superuser.query(`SELECT pg_terminate_backend(${pid}, 5000)`);
  } finally {
    await superuser.end();
  }
}

describe("the sessions of the pools", () => {
  test.each([
    ["TimeZone", "UTC", "UTC"],
    ["search_path", "public", "public"],
    ["statement_timeout", "30s", "30s"],
    ["lock_timeout", "5s", "5s"],
    ["idle_in_transaction_session_timeout", "15s", "15s"],
    ["application_name", "drawdown reads", "drawdown writes"],
    ["jit", "off", "off"],
    ["enable_seqscan", "on", "off"],
    ["plan_cache_mode", "auto", "force_generic_plan"],
    ["enable_mergejoin", "on", "off"],
    ["enable_bitmapscan", "on", "off"],
  ])("%s is %s for reads and %s for writes", async (name, forReads, forWrites) => {
    expect(await setting(database.reads, name)).toBe(forReads);
    expect(await setting(database.writes, name)).toBe(forWrites);
  });

  test("an owner's URL runs as the application, and keeps its own options beside ours", async () => {
    const options = encodeURIComponent("-c work_mem=5MB -c TimeZone=Europe/Zurich");
    const asOwner = await open(`${clone.ownerUrl}?options=${options}`, true);
    onTestFinished(() => asOwner.close());
    const [who] = await ask(asOwner.writes, "SELECT current_user AS now, session_user AS login");

    expect(who).toEqual({ now: "drawdown_app", login: "drawdown_owner" });
    expect(await setting(asOwner.writes, "work_mem")).toBe("5MB");
    expect(await setting(asOwner.writes, "TimeZone")).toBe("UTC");
  });

  test("a server that cannot be reached, or refuses, leaves nothing open", async () => {
    await expect(open(clone.appUrl.replace(/:\d+\//, ":1/"))).rejects.toThrow("ECONNREFUSED");
    const wrong = new URL(clone.appUrl);
    wrong.password = "wrong";
    await expect(open(wrong.href)).rejects.toThrow("password authentication failed");
  });

  test("may be closed twice", async () => {
    const other = await open(clone.appUrl);
    await other.close();
    await other.close();
  });
});

describe("a read", () => {
  const read = (statement: string, tenantId: TenantId = TENANT) =>
    readTransaction(database.reads, tenantId, (manager) => manager.query(statement));

  test("has one snapshot, writes nothing and sees its own tenant", async () => {
    expect(await read("SHOW transaction_isolation")).toEqual([
      { transaction_isolation: "repeatable read" },
    ]);
    await expect(read("UPDATE tenant SET name = 'x'")).rejects.toMatchObject({
      cause: { message: "cannot execute UPDATE in a read-only transaction" },
    });
    expect(await read("SELECT count(*) AS count FROM tenant")).toEqual([{ count: 1n }]);
    expect(await read("SELECT count(*) AS count FROM tenant", OTHER_TENANT)).toEqual([
      { count: 0n },
    ]);
  });

  test("that fails gives back its only connection, clean", async () => {
    await expect(read("SELECT nothing")).rejects.toThrow('column "nothing" does not exist');
    const thrown = new Error("of the work itself");
    const failing = readTransaction(database.reads, TENANT, () => Promise.reject(thrown));
    await expect(failing).rejects.toBe(thrown);
    expect(
      await ask(database.reads, "SELECT nullif(current_setting('app.tenant', true), '') AS tenant"),
    ).toEqual([{ tenant: null }]);
  });

  test("that swallows the error of a statement is a bug", async () => {
    const swallowing = readTransaction(database.reads, TENANT, (manager) =>
      manager.query("SELECT nothing").catch(() => []),
    );
    await expect(swallowing).rejects.toThrow("lets every error of its statements through");
    expect(await read("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("of a tenant whose id is not one reaches no server", async () => {
    await expect(read("SELECT 1", "' OR true; --" as TenantId)).rejects.toThrow("is a UUID");
  });

  test("whose connection is lost is DATABASE_UNAVAILABLE, and the next one has another", async () => {
    const lost = readTransaction(database.reads, TENANT, async (manager) => {
      const [{ pid }] = await manager.query("SELECT pg_backend_pid() AS pid");
      await endSession(pid);
      return manager.query("SELECT 1 AS one");
    });
    await expect(lost).rejects.toMatchObject({ reason: "DATABASE_UNAVAILABLE" });
    expect(await read("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("whose connection ended while nobody used it is served by another", async () => {
    const [row] = await ask(database.reads, "SELECT pg_backend_pid() AS pid");
    await endSession(row?.pid);
    // The pool hears of it, or the read that comes first does: either way the second one is served.
    await read("SELECT 1 AS one").catch(() => undefined);
    expect(await read("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("that takes too long is DATABASE_UNAVAILABLE", async () => {
    const slow = readTransaction(database.reads, TENANT, async (manager) => {
      await manager.query("SET LOCAL statement_timeout = '20ms'");
      return manager.query("SELECT pg_sleep(10)");
    });
    await expect(slow).rejects.toMatchObject({ reason: "DATABASE_UNAVAILABLE" });
  });
});

describe("the connections of the pipeline", () => {
  test("a statement is sent before the one ahead of it is answered", async () => {
    await withConnection(database.writes, async ({ client }) => {
      const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } })
        .connection;
      const slow = client.query("SELECT pg_sleep(0.05)");
      const sentBefore = stream.bytesWritten;
      const next = client.query("SELECT 'sent at once'");
      expect(stream.bytesWritten).toBeGreaterThan(sentBefore);
      await Promise.all([slow, next]);
    });
  });

  test("statements are sent together and answered in order, and each fails alone", async () => {
    const outcomes = await withConnection(database.writes, async ({ client }) => {
      await client.query(`BEGIN; SET LOCAL app.tenant = '${TENANT}'`);
      const answers = await Promise.allSettled([
        client.query({ name: "one", text: "SELECT $1::int AS n", values: [1] }),
        client.query({ name: "fails", text: "SELECT 1 / $1::int AS n", values: [0] }),
        client.query({ name: "after", text: "SELECT $1::int AS n", values: [3] }),
      ]);
      const { command } = await client.query("COMMIT");
      return [
        ...answers.map((each) => each.status === "fulfilled" || sqlStateOf(each.reason)),
        command,
      ];
    });
    // In a transaction, what comes behind the failure is refused too, and COMMIT answers ROLLBACK.
    expect(outcomes).toEqual([true, "22012", "25P02", "ROLLBACK"]);
    const again = await withConnection(database.writes, ({ client }) =>
      client.query({ name: "after", text: "SELECT $1::int AS n", values: [3] }),
    );
    expect(again.rows).toEqual([{ n: 3 }]);
  });

  test("an assertion while statements are under way rolls all of them back", async () => {
    const failing = withConnection(database.writes, async ({ client }) => {
      await client.query(`BEGIN; SET LOCAL app.tenant = '${TENANT}'`);
      void client.query("UPDATE tenant SET name = 'changed'");
      throw new Error("a broken invariant");
    });
    await expect(failing).rejects.toThrow("a broken invariant");
    const [row] = await withConnection(database.writes, async ({ client }) => {
      await client.query(`BEGIN; SET LOCAL app.tenant = '${TENANT}'`);
      const { rows } = await client.query("SELECT name FROM tenant");
      await client.query("COMMIT");
      return rows;
    });
    expect(row).toEqual({ name: "default" });
  });

  test("a lost connection fails all that is under way, as lost, and is replaced", async () => {
    const failures = await withConnection(database.writes, async ({ client }) => {
      const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
      const answers = Promise.allSettled([
        client.query("SELECT pg_sleep(10)"),
        client.query("SELECT 2"),
      ]);
      await endSession(rows[0].pid);
      return (await answers).map(
        (each) => each.status === "rejected" && databaseFailure(each.reason),
      );
    });
    expect(failures).toEqual(["lost", "lost"]);
    expect(await ask(database.writes, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("errors pass through as they are", async () => {
    const failing = ask(database.writes, "SELECT nothing");
    await expect(failing).rejects.toMatchObject({ code: "42703" });
  });
});
