import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NotLoaded } from "../../src/book/need.ts";
import { createCreditGrant } from "../../src/grant/create-credit-grant.ts";
import type { CustomerId, TenantId } from "../../src/ledger/ids.ts";
import { instant, MICROSECONDS_PER_SECOND } from "../../src/money/time.ts";
import { CurrencyCache } from "../../src/pipeline/currency-cache.ts";
import { lookAtBook } from "../../src/pipeline/look.ts";
import { PLAIN_GRANT } from "../core/plain-grant.ts";
import { openLedger, TENANT, type TestLedger, writeOf } from "./ledger.ts";

const GRANTS = 3;
const NOBODY = "01900000-0000-7000-8000-0000000000ff" as CustomerId;

let ledger: TestLedger;

beforeAll(async () => {
  ledger = await openLedger();
});

afterAll(() => ledger.close());

test("B2 a forecast beyond more than can be booked on a copy is refused, not a bug", async () => {
  const { pipeline, connections } = ledger;
  const customerId = await ledger.customer();
  const grant = { ...PLAIN_GRANT, amount: 1n, expiresAfter: "P1D" };
  const now = await pipeline.submit(
    writeOf({
      customerId,
      verb: (book) => {
        for (let count = 0; count < GRANTS; count += 1) createCreditGrant(book, grant);
        return book.now;
      },
      answer: String,
    }),
  );
  const until = instant(BigInt(String(now)) + 2n * 86_400n * MICROSECONDS_PER_SECOND);
  const parts = { reads: connections.reads, currencies: new CurrencyCache(), random32: () => 0 };
  const look = { tenantId: TENANT, customerId, needs: [], look: () => "seen" };
  const bounds = (eventsMax: number) => ({ eventsMax, transfersMax: 1_000 });

  expect(await lookAtBook(parts, { ...look, until }, bounds(GRANTS))).toBe("seen");
  await expect(lookAtBook(parts, { ...look, until }, bounds(GRANTS - 1))).rejects.toMatchObject({
    reason: "INVALID_REQUEST",
    fieldViolations: [{ field: "as_of" }],
  });
  await ledger.shiftClock("2 days");
  await expect(
    lookAtBook(parts, { ...look, until: null }, bounds(GRANTS - 1)),
  ).rejects.toMatchObject({ reason: "OVERLOADED" });
});

describe("a look", () => {
  const until = null;

  test("is run again with what it asked for, as often as it takes", async () => {
    const customerId = await ledger.customer();
    const seen = await ledger.pipeline.look({
      tenantId: TENANT,
      customerId,
      needs: [],
      until,
      look: (book) => [book.findDraft("USD"), book.findDraft("EUR"), book.getProfile().name],
    });
    expect(seen).toEqual([undefined, undefined, ""]);
  });

  test("is a bug when it asks for the same again and again", async () => {
    const customerId = await ledger.customer();
    let rounds = 0;
    const insatiable = ledger.pipeline.look({
      tenantId: TENANT,
      customerId,
      needs: [],
      until,
      look: () => {
        rounds += 1;
        throw new NotLoaded([{ kind: "draft", currency: "USD" }]);
      },
    });
    await expect(insatiable).rejects.toThrow("a look knows what it wants");
    expect(rounds).toBe(64);
  });

  test("shows its own failure, and no customer where there is none", async () => {
    const look = () => {
      throw new TypeError("a planted bug");
    };
    const of = (customerId: CustomerId) =>
      ledger.pipeline.look({ tenantId: TENANT, customerId, needs: [], until, look });
    await expect(of(await ledger.customer())).rejects.toThrow("a planted bug");
    await expect(of(NOBODY)).rejects.toMatchObject({
      reason: "CUSTOMER_NOT_FOUND",
      facts: { customer_id: NOBODY },
    });
  });
});

test("the currencies of so many tenants are remembered, and no more", () => {
  const cache = new CurrencyCache();
  const tenant = (number: number) => `tenant ${number}` as TenantId;
  const first = cache.ofTenant(tenant(0));
  for (let number = 1; number < 10_000; number += 1) cache.ofTenant(tenant(number));
  expect(cache.ofTenant(tenant(0))).toBe(first);
  cache.ofTenant(tenant(10_000));
  expect(cache.ofTenant(tenant(0))).not.toBe(first);
});
