import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instant } from "../../src/money/time.ts";
import { LedgerReads } from "../../src/queries/ledger-reads.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";

const WHILE_WAITING_MS = 300;

let ledger: TestLedger;

beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());

describe("B2 L4 the trial balance of a moment that has passed", () => {
  test("holds what was being written then, also a customer's first movement", async () => {
    const customerId = await ledger.customer();
    const { superuser } = ledger;
    await superuser.query("BEGIN");
    await superuser.query("SELECT FROM customer_head WHERE customer_id = $1 FOR NO KEY UPDATE", [
      customerId,
    ]);
    await superuser.query(
      `INSERT INTO transfer (sequence, booked_at, created_at, event, debit_account,
          credit_account, tenant_id, customer_id, credit_grant_id, currency, amount,
          settled_after, pending_after, grant_remaining_after, grant_held_after)
        SELECT 1, clock_timestamp(), clock_timestamp(), 'FUNDED', 'promotion', 'customer_credit',
          $1, $2, $2, 'USD', 1, 1, 1, 1, 0`,
      [TENANT, customerId],
    );
    await superuser.query("UPDATE customer_head SET sequence = 1 WHERE customer_id = $1", [
      customerId,
    ]);
    await sleep(10);
    const asOf = instant(BigInt(Date.now()) * 1_000n);
    await sleep(10);

    const reads = new LedgerReads(ledger.connections);
    const ask = { currency: "USD", asOf } as const;
    const { signal } = new AbortController();
    const asked = reads.trialBalance(TENANT, ask, signal);
    await sleep(WHILE_WAITING_MS);
    await superuser.query("COMMIT");

    const first = await asked;
    expect(first.rows.map(({ account }) => account)).toEqual(["customer_credit", "promotion"]);
    expect(await reads.trialBalance(TENANT, ask, signal)).toEqual(first);
  });

  test("keeps nobody waiting beside the customer that it waits for", async () => {
    const free = await ledger.customer();
    const written = await ledger.customer();
    const { superuser } = ledger;
    await superuser.query("BEGIN");
    const lock = "SELECT FROM customer_head WHERE customer_id = $1 FOR NO KEY UPDATE";
    await superuser.query(lock, [written]);
    const asOf = instant(BigInt(Date.now()) * 1_000n - 1_000n);
    const reads = new LedgerReads(ledger.connections);
    const { signal } = new AbortController();
    const asked = reads.trialBalance(TENANT, { currency: "USD", asOf }, signal);
    await sleep(WHILE_WAITING_MS);

    const { rowCount } = await superuser.query(`${lock} SKIP LOCKED`, [free]);
    await superuser.query("COMMIT");
    expect(rowCount).toBe(1);
    await asked;
  });
});
