import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NotLoaded } from "../../src/book/need.ts";
import type { Charge } from "../../src/book/nouns.ts";
import { createCharge } from "../../src/charge/create-charge.ts";
import { AssertionFailure, refuse } from "../../src/errors.ts";
import { createCreditGrant } from "../../src/grant/create-credit-grant.ts";
import type { CustomerId } from "../../src/ledger/ids.ts";
import { formatAmount, parseAmount } from "../../src/money/amount.ts";
import { LOAD_ROUNDS_MAX } from "../../src/pipeline/batch-book.ts";
import type { Pipeline } from "../../src/pipeline/pipeline.ts";
import { PLAIN_GRANT } from "../core/plain-grant.ts";
import { openLedger, TENANT, type TestLedger, writeOf } from "./ledger.ts";

let ledger: TestLedger;

beforeAll(async () => {
  ledger = await openLedger();
});

afterAll(async () => {
  await ledger.close();
});

const amountOf = (text: string) => parseAmount(text) ?? -1n;

function grant(pipeline: Pipeline, customerId: CustomerId, amount: string, expiresAfter?: string) {
  return pipeline.submit(
    writeOf({
      customerId,
      verb: (book) =>
        createCreditGrant(book, {
          ...PLAIN_GRANT,
          amount: amountOf(amount),
          expiresAfter: expiresAfter ?? null,
        }),
      answer: ({ lot }) => ({ id: lot.id, remaining: formatAmount(lot.remaining) }),
    }),
  );
}

function charge(
  pipeline: Pipeline,
  customerId: CustomerId,
  amount: string,
  over: { requestId?: string; fingerprint?: string; mode?: Charge["settlementMode"] } = {},
) {
  return pipeline.submit(
    writeOf({
      customerId,
      ...over,
      keptIn: "charge",
      needs: [
        { kind: "currency", code: "USD" },
        { kind: "shelf", currency: "USD", featureKey: null },
      ],
      verb: (book) =>
        createCharge(book, {
          basis: {
            by: "amount",
            amount: amountOf(amount),
            currency: "USD",
            settlementMode: over.mode ?? "CREDIT_ONLY",
            featureKey: null,
          },
          capture: "AUTOMATIC",
          holdExpiresAt: null,
          description: "",
          metadata: {},
        }),
      answer: (result) => ({
        id: result.id,
        draws: result.allocations.map(({ amount: part }) => formatAmount(part)),
        invoiced: formatAmount(result.invoicedAmount),
      }),
    }),
  );
}

async function balanceOf(customerId: CustomerId) {
  const { rows } = await ledger.superuser.query(
    "SELECT trim_scale(credit) AS credit, trim_scale(held) AS held FROM balance WHERE customer_id = $1",
    [customerId],
  );
  return rows[0];
}

describe("W1 every write", () => {
  test("grants and charges become durable rows", async () => {
    const customer = await ledger.customer();
    await grant(ledger.pipeline, customer, "40");
    const answer = await charge(ledger.pipeline, customer, "15");
    expect(answer).toMatchObject({ draws: ["15"], invoiced: "0" });
    expect(await balanceOf(customer)).toEqual({ credit: "25", held: "0" });
  });

  test("the same id delivered eight times at once is one charge with one answer", async () => {
    const customer = await ledger.customer();
    await grant(ledger.pipeline, customer, "40");
    const other = await ledger.replica();
    const deliveries = Array.from({ length: 8 }, (_, index) =>
      charge(index % 2 === 0 ? ledger.pipeline : other.pipeline, customer, "3", { requestId: "a" }),
    );
    const answers = await Promise.all(deliveries);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await balanceOf(customer)).toEqual({ credit: "37", held: "0" });
    await other.close();
  });

  test("the same id with another request is refused", async () => {
    const customer = await ledger.customer();
    await grant(ledger.pipeline, customer, "40");
    await charge(ledger.pipeline, customer, "3", { requestId: "b", fingerprint: "one" });
    await expect(
      charge(ledger.pipeline, customer, "4", { requestId: "b", fingerprint: "two" }),
    ).rejects.toMatchObject({
      reason: "REQUEST_ID_REUSED",
      facts: { request_id: "b" },
      fieldViolations: [{ field: "request_id" }],
    });
  });

  test("an id is kept for all commands, whichever row keeps it", async () => {
    const customer = await ledger.customer();
    await grant(ledger.pipeline, customer, "40");
    await charge(ledger.pipeline, customer, "3", { requestId: "c", fingerprint: "one" });
    const reused = ledger.pipeline.submit(
      writeOf({ customerId: customer, requestId: "c", verb: () => 1, answer: (result) => result }),
    );
    await expect(reused).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
  });
});

describe("D3 settlement modes", () => {
  test("of 64 concurrent charges of 1 against 40 of credit exactly 40 succeed", async () => {
    const customer = await ledger.customer();
    await grant(ledger.pipeline, customer, "40");
    const other = await ledger.replica();
    const results = await Promise.allSettled(
      Array.from({ length: 64 }, (_, index) =>
        charge(index % 2 === 0 ? ledger.pipeline : other.pipeline, customer, "1"),
      ),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(40);
    for (const result of results) {
      if (result.status === "rejected") {
        expect(result.reason).toMatchObject({ reason: "INSUFFICIENT_CREDITS" });
      }
    }
    expect(await balanceOf(customer)).toEqual({ credit: "0", held: "0" });
    await other.close();
  });
});

describe("M6 nothing depends on a background job", () => {
  test("what is due is booked before the next command, dated when it fell due", async () => {
    const customer = await ledger.customer();
    await grant(ledger.pipeline, customer, "40", "P1D");
    await ledger.shiftClock("2 days");
    try {
      await expect(charge(ledger.pipeline, customer, "1")).rejects.toMatchObject({
        reason: "INSUFFICIENT_CREDITS",
      });
      const { rows } = await ledger.superuser.query(
        `SELECT event, created_at - booked_at > interval '20 hours' AS earlier FROM transfer
          WHERE customer_id = $1 ORDER BY sequence`,
        [customer],
      );
      expect(rows).toEqual([
        { event: "FUNDED", earlier: false },
        { event: "EXPIRED", earlier: true },
      ]);
    } finally {
      await ledger.shiftClock("0");
    }
  });

  test("a refused command leaves what fell due booked", async () => {
    const customer = await ledger.customer();
    await grant(ledger.pipeline, customer, "40", "P1D");
    await ledger.shiftClock("2 days");
    try {
      await ledger.pipeline.bookDue(TENANT, customer);
      expect(await balanceOf(customer)).toEqual({ credit: "0", held: "0" });
    } finally {
      await ledger.shiftClock("0");
    }
  });
});

describe("a failure of one is not a failure of all", () => {
  test("a bug in one customer's command is INTERNAL for that customer alone", async () => {
    const [broken, sound] = [await ledger.customer(), await ledger.customer()];
    await grant(ledger.pipeline, sound, "40");
    const results = await Promise.allSettled([
      ledger.pipeline.submit(
        writeOf({
          customerId: broken,
          verb: () => {
            throw new TypeError("a planted bug");
          },
          answer: () => null,
        }),
      ),
      charge(ledger.pipeline, sound, "1"),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(results[0]).toMatchObject({
      reason: {
        name: "AssertionFailure",
        message: "a command failed in a way that no rule foresees",
        cause: { message: "a planted bug" },
      },
    });
  });

  test.each([
    ["throws", () => new TypeError("a planted bug"), "no rule foresees"],
    ["refuses", () => refuse("OVERLOADED", "a planted bug"), "no rule foresees"],
    ["asks for more", () => new NotLoaded([{ kind: "profile" }]), "no rule foresees"],
    ["claims", () => new AssertionFailure("a planted claim"), "a planted claim"],
  ])("one that %s after it has posted leaves nothing of its book", async (_, thrown, message) => {
    const broken = await ledger.customer();
    const sound = await ledger.customerBeside(broken);
    const before = grant(ledger.pipeline, broken, "40");
    const bug = ledger.pipeline.submit(
      writeOf({
        customerId: broken,
        needs: [{ kind: "currency", code: "USD" }],
        verb: (book) => {
          createCreditGrant(book, { ...PLAIN_GRANT, amount: amountOf("1") });
          throw thrown();
        },
        answer: () => null,
      }),
    );
    const other = grant(ledger.pipeline, sound, "40");
    const results = await Promise.allSettled([before, bug, other]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
    for (const result of results.slice(0, 2)) {
      expect(result).toMatchObject({ reason: { message: expect.stringContaining(message) } });
    }
    expect(await balanceOf(broken)).toBeUndefined();
    // The id of the first one is free: nothing of it was stored.
    expect(await grant(ledger.pipeline, broken, "2")).toMatchObject({ remaining: "2" });
  });

  test("a command that never has enough is a bug, after as many rounds as any may take", async () => {
    const customer = await ledger.customer();
    let rounds = 0;
    const insatiable = ledger.pipeline.submit(
      writeOf({
        customerId: customer,
        verb: () => {
          rounds += 1;
          throw new NotLoaded([{ kind: "draft", currency: "USD" }]);
        },
        answer: () => null,
      }),
    );
    await expect(insatiable).rejects.toMatchObject({ name: "AssertionFailure" });
    expect(rounds).toBe(LOAD_ROUNDS_MAX + 1);
  });

  test("an unknown customer is answered in the same batch", async () => {
    const unknown = "019a0000-0000-7000-8000-000000000000" as CustomerId;
    await expect(charge(ledger.pipeline, unknown, "1")).rejects.toMatchObject({
      reason: "CUSTOMER_NOT_FOUND",
    });
  });
});

test("whoever listens hears what was committed, until it listens no more", async () => {
  const { notices } = ledger.pipeline;
  const customer = await ledger.customer();
  const heard: unknown[] = [];
  const stop = notices.subscribe((...notice) => heard.push(notice));
  await grant(ledger.pipeline, customer, "40");
  await expect(charge(ledger.pipeline, customer, "41")).rejects.toThrow();
  await charge(ledger.pipeline, customer, "15");
  stop();
  await charge(ledger.pipeline, customer, "15");
  expect(heard).toEqual([
    [customer, 1n],
    [customer, 2n],
  ]);
});
