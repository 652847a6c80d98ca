/**
 * Owns the promise that a charge costs the same whatever has been before it and whoever comes with
 * it: as many rows are read after a long history as after a short one, and the statements of a
 * batch do not depend on its size.
 */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Account } from "../queries/account.ts";
import { fillJournal } from "../queries/long-journal.ts";
import { openLedger, type TestLedger } from "./ledger.ts";

/** The journal of the customer begins with 210 grants; then come charges. */
const SHORT_TRANSFERS = 220;
const LONG_TRANSFERS = 20_000;
const BATCH_CUSTOMERS = 100;

/** What a transaction of the pipeline has done, asked on its own connection before it commits. */
interface Transaction {
  readonly statements: readonly string[];
  readonly rowsRead: number;
}

/** What a backend has counted and not told yet would be counted again: it is told at the end. */
const ROWS_READ = `SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::integer AS sum,
    pg_stat_force_next_flush()
  FROM pg_stat_xact_user_tables`;

let ledger: TestLedger;
const transactions: Transaction[] = [];

beforeAll(async () => {
  ledger = await openLedger();
  watch();
});

afterAll(async () => {
  vi.restoreAllMocks();
  await ledger.close();
});

/** Listens to what is sent to the database, and asks a question of its own before each COMMIT. */
function watch(): void {
  const query = pg.Client.prototype.query as (
    this: pg.Client,
    ...words: unknown[]
  ) => Promise<never>;
  const sent = new WeakMap<pg.Client, string[]>();
  vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
    this: pg.Client,
    ...words: unknown[]
  ) {
    const [statement] = words as [string | { readonly name?: string }];
    const statements = sent.get(this) ?? [];
    sent.set(this, statements);
    if (typeof statement === "object") statements.push(statement.name ?? "");
    if (statement !== "COMMIT") return query.apply(this, words);
    const own = statements.splice(0);
    const asked = query.call(this, ROWS_READ) as Promise<{ rows: { sum: number }[] }>;
    return asked.then(({ rows: [row] }) => {
      transactions.push({ statements: own, rowsRead: row?.sum ?? 0 });
      return query.apply(this, words);
    });
  } as never);
}

/** The transactions that some work takes. */
async function during(work: () => Promise<unknown>): Promise<readonly Transaction[]> {
  transactions.length = 0;
  await work();
  return transactions.filter(({ statements }) => statements.length > 0);
}

async function accountWith(transfers: number): Promise<Account> {
  const account = await Account.open(ledger);
  await fillJournal(ledger.superuser, account.id, transfers);
  return account;
}

describe("a charge costs the same", () => {
  test("after a long history as after a short one", async () => {
    const short = await accountWith(SHORT_TRANSFERS);
    const [afterShort] = await during(() => short.charge("1"));
    const long = await accountWith(LONG_TRANSFERS);
    const [afterLong] = await during(() => long.charge("1"));

    expect(afterShort?.rowsRead).toBeGreaterThan(0);
    expect(afterLong).toEqual(afterShort);
  });

  test("in a small batch and in a large one", async () => {
    const accounts = await Promise.all(
      Array.from({ length: BATCH_CUSTOMERS }, () => Account.open(ledger)),
    );
    await Promise.all(accounts.map((account) => account.grant("10")));
    const [first] = accounts;
    const small = await during(async () => first?.charge("1"));
    const large = await during(() => Promise.all(accounts.map((account) => account.charge("1"))));

    expect(small).toHaveLength(1);
    // One batch in each lane: all of them were submitted at once.
    expect(large.length).toBeLessThanOrEqual(3);
    for (const { statements } of large) expect(statements).toEqual(small[0]?.statements);
  });
});
