/** Migrating as a step of its own: the service then has the application's access and no more. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { expect, inject, onTestFinished, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { isMigrated } from "../../src/database/check-role.ts";
import { migrate } from "../../src/database/migrate.ts";
import { openDatabaseOf } from "../../src/database-of.ts";
import { withDatabase } from "../database-url.ts";

test("a service with the application's access, and an audit, find what was migrated before", async () => {
  const name = `separate_${randomBytes(8).toString("hex")}`;
  const superuser = new pg.Client({ connectionString: inject("superuserUrl") });
  await superuser.connect();
  await superuser.query(`CREATE DATABASE ${name} OWNER drawdown_owner`);
  onTestFinished(async () => {
    await superuser.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await superuser.end();
  });
  const url = withDatabase(inject("appUrl"), name);
  const config = readConfig({
    environment: { DRAWDOWN_DATABASE_URL: url },
    workingDir: "/",
    command: "serve",
  });

  await expect(openDatabaseOf(config)).rejects.toThrow(/run `drawdown migrate`/);
  const asOwner = readConfig({
    environment: { DRAWDOWN_DATABASE_URL: withDatabase(inject("ownerUrl"), name) },
    workingDir: "/",
    command: "audit",
  });
  await expect(openDatabaseOf(asOwner, { readsOnly: true })).rejects.toThrow(/has no table/);
  await migrate(withDatabase(inject("ownerUrl"), name));
  const database = await openDatabaseOf(config);
  expect(await isMigrated(database.connections.reads)).toBe(true);
  await database.close();
});
