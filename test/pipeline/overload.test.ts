/**
 * Owns what a lane does when it is asked for too much, and when one of its customers is slow or
 * broken: bounds hold at once, and nobody else waits for it.
 */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { refuse } from "../../src/errors.ts";
import { LANE_BYTES_MAX, LANE_COMMANDS_MAX } from "../../src/pipeline/command-queue.ts";
import type { Write } from "../../src/pipeline/job.ts";
import { Account } from "../queries/account.ts";
import { openLedger, type TestLedger, writeOf } from "./ledger.ts";

/** More than there are lanes, so that some share one, whichever way they are chosen. */
const NEIGHBORS = 6;

let ledger: TestLedger;

beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());

/** Another process holds the customer until it is let go. */
async function hold({ id }: Account): Promise<() => Promise<void>> {
  const other = new pg.Client({ connectionString: ledger.database.superuserUrl });
  await other.connect();
  await other.query("BEGIN");
  await other.query("SELECT FROM customer_head WHERE customer_id = $1 FOR UPDATE", [id]);
  let held = true;
  const letGo = async () => {
    if (held) await other.end();
    held = false;
  };
  onTestFinished(letGo);
  return letGo;
}

/** What a promise has come to by now. */
function follow(promise: Promise<unknown>): { state: "waits" | "answered" | string } {
  const followed: { state: string } = { state: "waits" };
  promise.then(
    () => {
      followed.state = "answered";
    },
    (error: { readonly reason?: string }) => {
      followed.state = error.reason ?? String(error);
    },
  );
  return followed;
}

/** A command that does nothing but count itself. */
function counting({ id }: Account, over: Partial<Write<unknown, unknown>>, ran: string[] = []) {
  const write = writeOf({
    customerId: id,
    verb: () => ran.push(over.request?.id ?? "ran"),
    answer: () => null,
  }) as Write<unknown, unknown>;
  return ledger.pipeline.submit({ ...write, ...over });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function fundedAccounts(count: number): Promise<readonly Account[]> {
  const accounts: Account[] = [];
  for (let number = 0; number < count; number += 1) accounts.push(await Account.open(ledger));
  await Promise.all(accounts.map((account) => account.grant("100")));
  return accounts;
}

describe("a customer that another process holds", () => {
  test("keeps nobody else waiting, and has its turn when it is let go", async () => {
    const [slow, ...others] = await fundedAccounts(1 + NEIGHBORS);
    const letGo = await hold(slow as Account);
    const slowCharges = [slow?.charge("1"), slow?.charge("2")].map((each) =>
      follow(each as Promise<unknown>),
    );

    for (let round = 0; round < 3; round += 1) {
      await Promise.all(others.map((other) => other.charge("1")));
    }
    expect(slowCharges).toEqual([{ state: "waits" }, { state: "waits" }]);
    await letGo();
    await expect
      .poll(() => slowCharges.map(({ state }) => state))
      .toEqual(["answered", "answered"]);
  });

  test("is given up in the end, and its commands are refused as not written", async () => {
    const [slow] = await fundedAccounts(1);
    await hold(slow as Account);

    await expect(slow?.charge("1")).rejects.toMatchObject({ reason: "DATABASE_UNAVAILABLE" });
  }, 20_000);
});

describe("a lane that is full", () => {
  test("refuses what is more in commands at once, and takes up again later", async () => {
    const [busy] = await fundedAccounts(1);
    const states = Array.from({ length: LANE_COMMANDS_MAX + 2 }, () =>
      follow(counting(busy as Account, {})),
    );
    await turn();

    expect(states.slice(LANE_COMMANDS_MAX)).toEqual([
      { state: "OVERLOADED" },
      { state: "OVERLOADED" },
    ]);
    expect(states[0]).toEqual({ state: "waits" });
    await ledger.pipeline.idle();
    expect(states.slice(0, LANE_COMMANDS_MAX).every(({ state }) => state === "answered")).toBe(
      true,
    );
    await busy?.charge("1");
  }, 60_000);

  test("refuses what is more in bytes at once", async () => {
    const [busy] = await fundedAccounts(1);
    const half = LANE_BYTES_MAX / 2;
    const states = [half, half, 1].map((sizeBytes) =>
      follow(counting(busy as Account, { sizeBytes })),
    );
    await turn();

    expect(states.at(-1)).toEqual({ state: "OVERLOADED" });
    await ledger.pipeline.idle();
    expect(states.slice(0, 2)).toEqual([{ state: "answered" }, { state: "answered" }]);
  });
});

test("a command whose deadline passes before its batch begins is never run", async () => {
  const [account] = await fundedAccounts(1);
  const deadline = new AbortController();
  const ran: string[] = [];
  const kept = follow(counting(account as Account, {}, ran));
  const late = follow(counting(account as Account, { signal: deadline.signal }, ran));
  deadline.abort(refuse("OUTCOME_UNKNOWN", "stands for the deadline's own error"));

  await expect.poll(() => [kept.state, late.state]).toEqual(["answered", "OUTCOME_UNKNOWN"]);
  expect(ran).toEqual(["ran"]);
});

test("a command that the database refuses to store fails alone", async () => {
  const accounts = await fundedAccounts(1 + NEIGHBORS);
  const [broken, ...others] = accounts;
  const results = await Promise.allSettled([
    broken?.charge("1", { description: "no text of PostgreSQL has a \0" }),
    ...others.map((other) => other.charge("1")),
  ]);

  expect(results.map(({ status }) => status)).toEqual([
    "rejected",
    ...others.map(() => "fulfilled"),
  ]);
  await broken?.charge("1");
});
