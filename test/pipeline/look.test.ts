import { afterAll, beforeAll, expect, test } from "vitest";
import { createCreditGrant } from "../../src/grant/create-credit-grant.ts";
import { instant, MICROSECONDS_PER_SECOND } from "../../src/money/time.ts";
import { CurrencyCache } from "../../src/pipeline/currency-cache.ts";
import { lookAtBook } from "../../src/pipeline/look.ts";
import { openLedger, TENANT, type TestLedger, writeOf } from "./ledger.ts";

const GRANTS = 3;

let ledger: TestLedger;

beforeAll(async () => {
  ledger = await openLedger();
});

afterAll(() => ledger.close());

test("B2 a forecast beyond more than can be booked on a copy is refused, not a bug", async () => {
  const { pipeline, connections } = ledger;
  const customerId = await ledger.customer();
  const grant = {
    name: "",
    description: "",
    fundingMethod: "PROMOTIONAL",
    currency: "USD",
    amount: 1n,
    priority: 10,
    effectiveAt: null,
    expiresAt: null,
    expiresAfter: "P1D",
    features: [],
    purchase: null,
    metadata: {},
  } as const;
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
