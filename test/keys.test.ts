/** Owns what the operator's command does on the database, and what it prints where. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { readConfig } from "../src/config.ts";
import { openDatabase } from "../src/database/data-source.ts";
import { DEFAULT_TENANT_ID } from "../src/database/migrations/1_ledger.ts";
import { Refusal } from "../src/errors.ts";
import { keys } from "../src/keys.ts";
import { findApiKeys } from "../src/queries/api-keys.ts";
import { prefixOfSecret } from "../src/rpc/secret.ts";
import { cloneDatabase, type TestDatabase } from "./database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await cloneDatabase();
});
afterAll(() => database.drop());

const printed = { stdout: "", stderr: "" };
beforeEach(() => {
  for (const name of ["stdout", "stderr"] as const) {
    printed[name] = "";
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      printed[name] += String(text);
      return true;
    });
  }
  return () => vi.restoreAllMocks();
});

function run(...words: readonly string[]): Promise<number> {
  const environment = { DRAWDOWN_DATABASE_URL: database.ownerUrl };
  return keys(readConfig({ environment, workingDir: "/", command: "keys" }), words);
}

async function created(...words: readonly string[]): Promise<string> {
  printed.stdout = "";
  expect(await run("create", ...words)).toBe(0);
  return printed.stdout.trimEnd();
}

/** The API keys that open something, as the service finds them. */
async function found(secret: string) {
  const pools = { readPoolMax: 1, writePoolMax: 1, runAsRole: false };
  const { reads, close } = await openDatabase({ findUrl: () => database.appUrl, ...pools });
  try {
    return await findApiKeys(reads, [prefixOfSecret(secret) ?? ""]);
  } finally {
    await close();
  }
}

describe("drawdown keys", () => {
  test("create prints the secret alone on stdout, and it opens the tenant", async () => {
    const secret = await created("--name", "billing", "--role", "writer");
    expect(await found(secret)).toMatchObject([
      { tenantId: DEFAULT_TENANT_ID, role: "WRITER", customerId: null, expiresInMs: null },
    ]);
    expect(printed.stderr).toMatch(/^created [0-9a-f-]{36} {2}ddk_\w{10}… {2}writer {2}"billing"/);
    expect(printed.stderr).not.toContain(secret);
  });

  test("list shows every API key without its secret", async () => {
    const secret = await created(
      "--name",
      "portal",
      "--role",
      "reader",
      "--expires-at",
      "2999-01-31T00:00:00Z",
    );
    printed.stdout = "";
    expect(await run("list")).toBe(0);
    expect(printed.stdout).toContain(`${secret.slice(0, 14)}…  reader  "portal"  created 2`);
    expect(printed.stdout).toContain("expires 2999-01-31T00:00:00Z");
    expect(printed.stdout).not.toContain(secret);
  });

  test("revoke ends it", async () => {
    const secret = await created("--name", "leaked", "--role", "reader");
    const [{ id } = expect.fail()] = await found(secret);
    expect(await run("revoke", id)).toBe(0);
    expect(await found(secret)).toEqual([]);
    expect(printed.stdout).toMatch(new RegExp(`revoked ${id} .* revoked 2`));
  });

  test.each([
    [[]],
    [["forget"]],
    [["create", "--name", "x"]],
    [["create", "--role", "reader"]],
    [["create", "--name", "x", "--role", "reader", "more"]],
    [["create", "--name", "x", "--role", "reader", "--secret", "mine"]],
    [["list", "more"]],
    [["revoke"]],
    [["revoke", "one", "two"]],
  ])("%j is answered by the usage", async (words) => {
    expect(await run(...words)).toBe(2);
    expect(printed.stderr).toMatch(/^Usage:\n/);
    expect(printed.stdout).toBe("");
  });

  const NOBODY = "0190a1b2-c3d4-7000-8000-00000000dead";
  test.each([
    [["create", "--name", "x", "--role", "king"], "INVALID_REQUEST"],
    [["create", "--name", "x", "--role", "reader", "--expires-at", "soon"], "INVALID_REQUEST"],
    [["create", "--name", "x", "--role", "reader", "--tenant", "acme"], "INVALID_REQUEST"],
    [["create", "--name", "x", "--role", "reader", "--tenant", NOBODY], "TENANT_NOT_FOUND"],
    [["create", "--name", "x", "--role", "reader", "--customer", NOBODY], "CUSTOMER_NOT_FOUND"],
    [["list", "--tenant", NOBODY], "TENANT_NOT_FOUND"],
    [["revoke", NOBODY], "API_KEY_NOT_FOUND"],
  ])("%j is refused with %s", async (words, reason) => {
    const refused = await run(...words).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refusal);
    expect((refused as Refusal).reason).toBe(reason);
    expect(printed.stdout).toBe("");
  });
});
