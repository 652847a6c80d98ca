import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createCreditGrant } from "../../src/grant/create-credit-grant.ts";
import type { CustomerId, TenantId } from "../../src/ledger/ids.ts";
import { amountFromDigits } from "../../src/money/amount.ts";
import { Sweeper } from "../../src/pipeline/sweep.ts";
import { PLAIN_GRANT } from "../core/plain-grant.ts";
import { openLedger, TENANT, type TestLedger, writeOf } from "./ledger.ts";
import { customerWrite } from "./registry-writes.ts";

const OTHER_TENANT = "01900000-0000-7000-8000-0000000000ff" as TenantId;

let ledger: TestLedger;
let sweeper: Sweeper;
let reported: unknown[];
let customers = 0;

beforeAll(async () => {
  ledger = await openLedger();
  await ledger.superuser.query(
    "INSERT INTO tenant (tenant_id, name, created_at) VALUES ($1, 'other', clock_timestamp())",
    [OTHER_TENANT],
  );
});
afterAll(() => ledger.close());

function openSweeper(): void {
  reported = [];
  const { reads } = ledger.connections;
  sweeper = new Sweeper({
    reads,
    pipeline: ledger.pipeline,
    report: (error) => reported.push(error),
  });
}
afterEach(() => sweeper.stop());

/** Makes a customer whose credit expires after a day. */
async function withExpiringCredit(tenantId: TenantId = TENANT): Promise<CustomerId> {
  customers += 1;
  const { pipeline } = ledger;
  const write = customerWrite(`customer ${customers}`, { tenantId });
  const customerId = (await pipeline.submitToRegistry(write)) as CustomerId;
  await pipeline.submit({
    ...writeOf({
      customerId,
      verb: (book) =>
        createCreditGrant(book, {
          ...PLAIN_GRANT,
          amount: amountFromDigits("5"),
          expiresAfter: "P1D",
        }),
      answer: ({ lot }) => lot.id,
    }),
    tenantId,
  });
  return customerId;
}

async function countExpired(ids: readonly CustomerId[]): Promise<number> {
  const { rows } = await ledger.superuser.query(
    `SELECT count(*)::integer AS count FROM transfer
      WHERE customer_id = ANY($1) AND event = 'EXPIRED'`,
    [ids],
  );
  return rows[0].count;
}

describe("M6 the sweeper books what is due for idle customers", () => {
  test("of all tenants, many at once, and only what is due", async () => {
    openSweeper();
    const ids = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        withExpiringCredit(index % 2 === 0 ? TENANT : OTHER_TENANT),
      ),
    );
    await sweeper.sweep();
    expect(await countExpired(ids)).toBe(0);

    await ledger.shiftClock("2 days");
    await sweeper.sweep();
    expect(await countExpired(ids)).toBe(40);
    await sweeper.sweep();
    expect(await countExpired(ids)).toBe(40);
    expect(reported).toEqual([]);
  });

  test("what fails is reported, and the next sweep makes it good", async () => {
    openSweeper();
    const id = await withExpiringCredit();
    await ledger.shiftClock("4 days");
    const { superuser } = ledger;

    await superuser.query("ALTER FUNCTION customers_due RENAME TO customers_due_elsewhere");
    await sweeper.sweep();
    await superuser.query("ALTER FUNCTION customers_due_elsewhere RENAME TO customers_due");
    expect(reported).toHaveLength(1);

    await superuser.query("REVOKE INSERT ON transfer FROM drawdown_app");
    await sweeper.sweep();
    await superuser.query("GRANT INSERT ON transfer TO drawdown_app");
    expect(reported).toHaveLength(2);
    expect(await countExpired([id])).toBe(0);

    await sweeper.sweep();
    expect(reported).toHaveLength(2);
    expect(await countExpired([id])).toBe(1);
  });

  test("once started it sweeps by itself", async () => {
    openSweeper();
    const id = await withExpiringCredit();
    await ledger.shiftClock("6 days");
    sweeper.start();
    await expect.poll(() => countExpired([id]), { timeout: 10_000 }).toBe(1);

    const later = await withExpiringCredit();
    await ledger.shiftClock("8 days");
    await expect.poll(() => countExpired([later]), { timeout: 10_000 }).toBe(1);
  });

  test("once stopped it submits nothing", async () => {
    openSweeper();
    const id = await withExpiringCredit();
    await ledger.shiftClock("10 days");
    const sweeping = sweeper.sweep();
    sweeper.stop();
    await sweeping;
    expect(await countExpired([id])).toBe(0);
  });

  test("once stopped it waits for no other sweep and reports nothing", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      openSweeper();
      sweeper.start();
      expect(vi.getTimerCount()).toBe(1);
      sweeper.stop();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }

    openSweeper();
    const { superuser } = ledger;
    await superuser.query("ALTER FUNCTION customers_due RENAME TO customers_due_elsewhere");
    const sweeping = sweeper.sweep();
    sweeper.stop();
    await sweeping;
    await superuser.query("ALTER FUNCTION customers_due_elsewhere RENAME TO customers_due");
    expect(reported).toEqual([]);
  });
});
