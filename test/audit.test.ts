import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { audit } from "../src/audit.ts";
import { readConfig } from "../src/config.ts";
import { openLedger, type TestLedger } from "./pipeline/ledger.ts";
import { Account } from "./queries/account.ts";

let ledger: TestLedger;
let account: Account;
beforeAll(async () => {
  ledger = await openLedger();
  account = await Account.open(ledger);
  await account.grant("40");
  // A tenant that knows no customer, and is asked first.
  await ledger.superuser.query(
    `INSERT INTO tenant (tenant_id, name, created_at)
      VALUES ('00000000-0000-7000-8000-000000000001', 'other', clock_timestamp())`,
  );
});
afterAll(() => ledger.close());

/** Runs the command; answers its exit code and what it printed. */
async function run(...words: string[]) {
  const printed: string[] = [];
  const print = (text: string | Uint8Array) => {
    printed.push(String(text));
    return true;
  };
  const out = vi.spyOn(process.stdout, "write").mockImplementation(print);
  const error = vi.spyOn(process.stderr, "write").mockImplementation(print);
  try {
    const { appUrl, ownerUrl } = ledger.database;
    const environment = { DRAWDOWN_DATABASE_URL: appUrl, DRAWDOWN_OWNER_DATABASE_URL: ownerUrl };
    const config = readConfig({ environment, workingDir: "/", command: "audit" });
    return { code: await audit(config, words), printed: printed.join("") };
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
}

test("books that are right end with 0, of all customers and of one, whosever it is", async () => {
  const all = await run();
  expect(all.code).toBe(0);
  expect(all.printed).toContain("tenant other: 0 customers, 0 transfers, 0 findings\n");
  expect(all.printed).toContain("tenant default: 1 customers, 1 transfers, 0 findings\n");
  expect((await run(account.id)).code).toBe(0);
});

test("a finding is one line of JSON, and ends with 1", async () => {
  await ledger.superuser.query("UPDATE balance SET held = held + 1, credit = credit - 1");
  const { code, printed } = await run();
  await ledger.superuser.query("UPDATE balance SET held = held - 1, credit = credit + 1");

  expect(code).toBe(1);
  const lines = printed.split("\n").filter((line) => line.startsWith("{"));
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { check: "customer_balance", customerId: account.id, expected: "40", found: "39" },
    { check: "customer_held", customerId: account.id, expected: "0", found: "1" },
  ]);
});

test("who asks for what is not there is told so", async () => {
  const nobody = "01900000-0000-7000-8000-00000000dead";
  expect(await run(nobody)).toEqual({ code: 2, printed: `There is no customer ${nobody}.\n` });
  expect((await run("all")).code).toBe(2);
});
