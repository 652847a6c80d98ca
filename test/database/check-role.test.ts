import pg from "pg";
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { checkRole } from "../../src/database/check-role.ts";
import { openDatabase } from "../../src/database/data-source.ts";
import { migrate } from "../../src/database/migrate.ts";
import { cloneDatabase, type TestDatabase } from "../database.ts";
import { withDatabase } from "../database-url.ts";

let clone: TestDatabase;

beforeEach(async () => {
  clone = await cloneDatabase();
});
afterEach(() => clone.drop());

async function check(url: string, runAsRole = false): Promise<void> {
  const database = await openDatabase({
    findUrl: () => url,
    runAsRole,
    readPoolMax: 1,
    writePoolMax: 1,
  });
  onTestFinished(() => database.close());
  await checkRole(database.reads);
}

async function asSuperuser(statement: string, url = clone.superuserUrl): Promise<void> {
  const superuser = new pg.Client({ connectionString: url });
  await superuser.connect();
  try {
    await superuser.query(statement);
  } finally {
    await superuser.end();
  }
}

const asRole = (statement: string) => asSuperuser(statement, clone.appUrl);

/** A login of this test only: roles belong to the whole server, which other tests use too. */
async function makeLogin(attributes: string): Promise<string> {
  const { name } = clone;
  await asSuperuser(`CREATE ROLE ${name} LOGIN PASSWORD '${name}' ${attributes}`);
  onTestFinished(() => asSuperuser(`DROP ROLE ${name}`, inject("superuserUrl")));
  const url = new URL(clone.appUrl);
  url.username = name;
  url.password = name;
  return url.href;
}

describe("the service starts", () => {
  test("as the application", async () => {
    await check(clone.appUrl);
  });

  test("with the owner's URL, as the application", async () => {
    await check(clone.ownerUrl, true);
  });

  test("as a login that only belongs to the application's role", async () => {
    await check(await makeLogin("IN ROLE drawdown_app"));
  });
});

describe("the service refuses to start", () => {
  test("where a dump was restored without the rights of the role, until it is migrated", async () => {
    await asSuperuser(
      `REVOKE ALL ON ALL TABLES IN SCHEMA public FROM drawdown_app;
        REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM drawdown_app;
        GRANT EXECUTE ON FUNCTION lock_tenants() TO PUBLIC`,
    );
    const starting = check(clone.appUrl);
    await expect(starting).rejects.toThrow(
      /lacks rights on api_key, balance, .*find_api_keys\(text\[\]\).*: run `drawdown migrate`/,
    );
    await expect(starting).rejects.toThrow("Everybody may call lock_tenants(): run");
    await migrate(clone.ownerUrl);
    await check(clone.appUrl);
    await expect(asRole("UPDATE transfer SET amount = 1")).rejects.toThrow("permission denied");
    await expect(asRole("UPDATE api_key SET name = ''")).rejects.toThrow("permission denied");
    await asRole("UPDATE api_key SET revoked_at = now() WHERE false");
  });

  test("as a superuser", async () => {
    await expect(check(clone.superuserUrl)).rejects.toThrow("is a superuser.");
  });

  test("as the owner", async () => {
    const starting = check(clone.ownerUrl);
    await expect(starting).rejects.toThrow(/drawdown_owner owns .*transfer/);
    await expect(starting).rejects.toThrow("may DELETE transfer.");
  });

  test("as one who belongs to the owner, and is exempt like the owner", async () => {
    const url = await makeLogin("IN ROLE drawdown_owner, drawdown_app");
    await expect(check(url)).rejects.toThrow(/belongs to the owner of .*transfer/);
  });

  test("as one who bypasses row-level security", async () => {
    const url = await makeLogin("BYPASSRLS IN ROLE drawdown_app");
    await expect(check(url)).rejects.toThrow("bypasses row-level security.");
  });

  test.each([
    ["GRANT UPDATE ON transfer TO drawdown_app", "may UPDATE transfer."],
    ["GRANT UPDATE (amount) ON transfer TO drawdown_app", "may UPDATE transfer."],
    ["GRANT DELETE ON transfer TO drawdown_app", "may DELETE transfer."],
    ["GRANT TRUNCATE ON transfer TO PUBLIC", "may TRUNCATE transfer."],
    ["GRANT DELETE ON request TO drawdown_app", "may DELETE request."],
    [
      "ALTER TABLE balance DISABLE ROW LEVEL SECURITY",
      "is not bound by row-level security on balance.",
    ],
    ["ALTER TABLE charge OWNER TO drawdown_app", "owns or belongs to the owner of charge."],
  ])("after %s", async (statement, problem) => {
    await asSuperuser(statement);
    await expect(check(clone.appUrl)).rejects.toThrow(`The role drawdown_app ${problem}`);
  });

  test("on a database that has not been migrated", async () => {
    const empty = `${clone.name}_empty`;
    await asSuperuser(`CREATE DATABASE ${empty}`);
    onTestFinished(() =>
      asSuperuser(`DROP DATABASE ${empty} WITH (FORCE)`, inject("superuserUrl")),
    );
    const starting = check(withDatabase(clone.appUrl, empty));
    await expect(starting).rejects.toThrow(/has no table tenant, .*: run `drawdown migrate`/);
  });
});
