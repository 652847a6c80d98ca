/** Which statements a transaction of customers sends: no more than what it has to say. */
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { updateCustomer } from "../../src/customer/update-customer.ts";
import { instant, MICROSECONDS_PER_SECOND } from "../../src/money/time.ts";
import { Account, clockOf } from "../queries/account.ts";
import { openLedger, TENANT, type TestLedger } from "./ledger.ts";

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());
afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs a command; answers the names of the statements that were sent, or their first words. */
async function statementsOf(command: () => Promise<unknown>): Promise<readonly string[]> {
  const query = vi.spyOn(pg.Client.prototype, "query");
  await command().catch(() => undefined);
  return query.mock.calls.map(([statement]: readonly unknown[]) => {
    if (typeof statement !== "string") return (statement as { readonly name: string }).name;
    return statement.split(" ")[0] ?? "";
  });
}

/** Rows that were changed have a new version, elsewhere or of another transaction. */
async function versionsOf(account: Account): Promise<unknown> {
  const { rows } = await ledger.superuser.query(
    `SELECT 'head', xmin::text FROM customer_head WHERE customer_id = $1
      UNION ALL SELECT 'profile', xmin::text FROM customer WHERE customer_id = $1
      UNION ALL SELECT 'balance', xmin::text FROM balance WHERE customer_id = $1
      UNION ALL SELECT 'grant', xmin::text FROM credit_grant WHERE customer_id = $1`,
    [account.id],
  );
  return rows;
}

const READS = ["lock_free_heads", "read_opening"];

describe("what a transaction sends", () => {
  test("six statements for a charge from one grant", async () => {
    const account = await Account.open(ledger);
    await account.grant("40");
    await account.charge("1");
    expect(await statementsOf(() => account.charge("1"))).toEqual([
      "BEGIN",
      ...READS,
      "load_shelves",
      "store heads balances lots new charges transfers",
      "COMMIT",
    ]);
  });

  test("nothing to be stored for a refused command, and nothing is changed by it", async () => {
    const account = await Account.open(ledger);
    await account.grant("40");
    const before = await versionsOf(account);
    const refused = () => account.charge("41");
    expect(await statementsOf(refused)).toEqual(["BEGIN", ...READS, "load_shelves", "COMMIT"]);
    vi.restoreAllMocks();
    expect(await versionsOf(account)).toEqual(before);
  });

  test("the profile of a customer when it has changed, and then nothing of its credit", async () => {
    const account = await Account.open(ledger);
    await account.grant("40");
    const update = (name: string | null) =>
      account.run(
        (book) => updateCustomer(book, { name, metadata: name === null ? null : { of: name } }),
        (profile) => profile.name,
      );
    const loaded = ["BEGIN", ...READS, "load_profiles"];
    expect(await statementsOf(() => update(null))).toEqual([...loaded, "store requests", "COMMIT"]);
    vi.restoreAllMocks();
    expect(await statementsOf(() => update("Ada"))).toEqual([
      ...loaded,
      "store profiles",
      "store requests",
      "COMMIT",
    ]);
    vi.restoreAllMocks();
    const { rows } = await ledger.superuser.query(
      "SELECT name, metadata FROM customer WHERE customer_id = $1",
      [account.id],
    );
    expect(rows).toEqual([{ name: "Ada", metadata: { of: "Ada" } }]);
  });

  test("nothing of grants but what is due, where only something is due", async () => {
    const account = await Account.open(ledger);
    const expiresAt = instant((await clockOf(ledger)) + MICROSECONDS_PER_SECOND);
    await account.grant("40", { expiresAt });
    await ledger.shiftClock("1 hour");
    const sent = await statementsOf(() => ledger.pipeline.bookDue(TENANT, account.id));
    expect(sent).toEqual([
      "BEGIN",
      ...READS,
      "load_due_lots",
      "load_due_charges",
      "load_next_due",
      "store heads balances lots transfers",
      "COMMIT",
    ]);
  });
});
