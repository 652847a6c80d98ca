import { randomBytes } from "node:crypto";
import pg from "pg";
import { MigrationExecutor } from "typeorm";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { migrate, migrations, ownerSource, supportedMajor } from "../../src/database/migrate.ts";
import { withDatabase } from "../database-url.ts";
import { describeSchema } from "./describe-schema.ts";

let superuser: pg.Client;

beforeAll(async () => {
  superuser = new pg.Client({ connectionString: inject("superuserUrl") });
  await superuser.connect();
});
afterAll(() => superuser.end());

/** An empty database of the owner, who is no superuser; answers the owner's URL. */
async function emptyDatabase(): Promise<string> {
  const name = `migrate_${randomBytes(8).toString("hex")}`;
  await superuser.query(`CREATE DATABASE ${name} OWNER drawdown_owner`);
  onTestFinished(async () => {
    await superuser.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
  return withDatabase(inject("ownerUrl"), name);
}

async function ask(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

const executed = "SELECT name FROM migration ORDER BY id";
const all = migrations.map(({ name }) => ({ name }));

describe("migrations", () => {
  test("bring an empty database up, and run once however often they are asked for", async () => {
    const url = await emptyDatabase();
    await migrate(url);
    await migrate(url);

    expect(await ask(url, executed)).toEqual(all);
    await expect(await describeSchema(url)).toMatchFileSnapshot("schema.sql");
    expect(await ask(url, "SELECT name FROM tenant")).toEqual([{ name: "default" }]);
  });

  test("run once when five replicas start at the same moment", async () => {
    const url = await emptyDatabase();
    await Promise.all(Array.from({ length: 5 }, () => migrate(url)));

    expect(await ask(url, executed)).toEqual(all);
  });

  test("go down to nothing and up again", async () => {
    const url = await emptyDatabase();
    await migrate(url);
    const owner = ownerSource(url);
    await owner.initialize();
    for (const _ of migrations) await new MigrationExecutor(owner).undoLastMigration();
    await owner.destroy();

    expect(await describeSchema(url)).not.toMatch(
      /CREATE TYPE|FUNCTION|POLICY|TABLE (?!migration)/,
    );
    await migrate(url);
    await expect(await describeSchema(url)).toMatchFileSnapshot("schema.sql");
  });

  test("that fail leave nothing behind, and can be run again", async () => {
    const url = await emptyDatabase();
    await ask(url, "CREATE TABLE transfer (mine text)");
    await expect(migrate(url)).rejects.toThrow('relation "transfer" already exists');
    expect(await ask(url, executed)).toEqual([]);

    await ask(url, "DROP TABLE transfer");
    await migrate(url);
    expect(await ask(url, executed)).toEqual(all);
  });

  test("by an owner who may not make roles use the role that exists", async () => {
    const name = `plain_${randomBytes(8).toString("hex")}`;
    await superuser.query(`CREATE ROLE ${name} LOGIN PASSWORD '${name}'`);
    await superuser.query(`CREATE DATABASE ${name} OWNER ${name}`);
    onTestFinished(async () => {
      await superuser.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await superuser.query(`DROP ROLE ${name}`);
    });
    const url = new URL(withDatabase(inject("ownerUrl"), name));
    url.username = name;
    url.password = name;

    await migrate(url.href);
    expect(await ask(url.href, executed)).toEqual(all);
  });

  test("take the application's role into a database that keeps everybody out", async () => {
    const url = await emptyDatabase();
    const name = new URL(url).pathname.slice(1);
    await superuser.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    await ask(
      withDatabase(inject("superuserUrl"), name),
      "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    );
    await migrate(url);

    const appUrl = withDatabase(inject("appUrl"), name);
    expect(await ask(appUrl, "SELECT name FROM tenants()")).toEqual([{ name: "default" }]);
  });
});

describe("the version of the server", () => {
  test.each([
    [150_000, 15],
    [150_014, 15],
    [180_004, 18],
  ])("%s is new enough", (versionNumber, major) => {
    expect(supportedMajor(versionNumber)).toBe(major);
  });

  test.each([149_999, 140_020, 90_624])("%s is too old", (versionNumber) => {
    expect(() => supportedMajor(versionNumber)).toThrow(
      /PostgreSQL \d+; Drawdown needs 15 or newer/,
    );
  });
});
