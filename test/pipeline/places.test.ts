import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { transact } from "../../src/pipeline/commit.ts";
import { type Placed, Places } from "../../src/pipeline/places.ts";
import type { Session } from "../../src/pipeline/session.ts";
import { rowsToStore } from "../../src/pipeline/statement.ts";
import * as writes from "../../src/pipeline/writes.ts";
import { Account, amount } from "../queries/account.ts";
import { openLedger, TENANT, type TestLedger } from "./ledger.ts";

let ledger: TestLedger;

beforeAll(async () => {
  ledger = await openLedger();
});

afterAll(() => ledger.close());

const balanceOf = async (account: Account) => {
  const { rows } = await ledger.superuser.query<Placed<{ readonly credit: string }>>(
    "SELECT ctid::text, credit::text FROM balance WHERE customer_id = $1",
    [account.name.customerId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the customer has a balance");
  return row;
};

/** Stores a balance of 7 for the first customer at the place of some row. */
const storeAt = (account: Account, at: Placed<object>) => {
  const { customerId } = account.name;
  const seven = amount("7");
  const balance = { currency: "USD" as never, credit: seven, held: 0n as never, issued: seven };
  const places = new Places();
  places.keep(balance, at);
  const owned = { customers: [customerId], rows: [balance] };
  const rows = rowsToStore(writes.updateBalances, owned, places);
  const work = async (session: Session) => {
    await session.begun;
    await session.storeTogether([rows]);
  };
  return transact(
    { writes: ledger.connections.writes, tenantId: TENANT, observer: undefined },
    work,
  );
};

describe("L3 a row is changed where it was found", () => {
  test("at its own place, and at no other row's", async () => {
    const [own, other] = [await Account.open(ledger), await Account.open(ledger)];
    for (const account of [own, other]) await account.grant("10");

    await expect(storeAt(own, await balanceOf(other))).rejects.toThrow("1 rows are stored, not 0");
    expect((await balanceOf(other)).credit).toBe("10.000000000000");

    await storeAt(own, await balanceOf(own));
    expect((await balanceOf(own)).credit).toBe("7.000000000000");
  });

  test("not where it stood before it was changed", async () => {
    const own = await Account.open(ledger);
    await own.grant("10");
    const before = await balanceOf(own);
    await own.grant("1");

    await expect(storeAt(own, before)).rejects.toThrow("1 rows are stored, not 0");
    expect((await balanceOf(own)).credit).toBe("11.000000000000");
  });
});

test("what was not loaded has no place", () => {
  expect(() => new Places().of({})).toThrow("what is changed was loaded");
});
