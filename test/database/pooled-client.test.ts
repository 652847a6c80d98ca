import { afterAll, beforeAll, expect, test } from "vitest";
import { PooledClient } from "../../src/database/pooled-client.ts";
import { cloneDatabase, type TestDatabase } from "../database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneDatabase();
});
afterAll(() => database.drop());

test("a client to which nobody listens any more may be told why its session ends", async () => {
  const client = new PooledClient({ connectionString: database.superuserUrl });
  const other = new PooledClient({ connectionString: database.superuserUrl });
  await Promise.all([client.connect(), other.connect()]);
  const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
  const ended = new Promise<void>((resolve) => client.once("end", resolve));

  await other.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);

  // Without a listener the process would end here by an error that nobody has thrown.
  await ended;
  await expect(client.query("SELECT 1")).rejects.toThrow();
  await other.end();
});
