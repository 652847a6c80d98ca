/** What shares a batch or a lane with others neither harms them nor is harmed by them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DUE_BOUNDS } from "../../src/charge/book-due.ts";
import { correctCharge } from "../../src/charge/correct-charge.ts";
import { createCharge } from "../../src/charge/create-charge.ts";
import { settleCharge } from "../../src/charge/settle-charge.ts";
import { createCreditGrant } from "../../src/grant/create-credit-grant.ts";
import { issueInvoice, settleInvoicePayment, voidInvoice } from "../../src/invoice/verbs.ts";
import type { ChargeId, CustomerId, InvoiceId, TenantId } from "../../src/ledger/ids.ts";
import { formatAmount, parseAmount } from "../../src/money/amount.ts";
import type { Write } from "../../src/pipeline/job.ts";
import type { CommittedBatch } from "../../src/pipeline/observer.ts";
import { createRateCard } from "../../src/registry/create-rate-card.ts";
import { PLAIN_GRANT } from "../core/plain-grant.ts";
import { openLedger, TENANT, type TestLedger, writeOf } from "./ledger.ts";
import { registryWrite } from "./registry-writes.ts";

const OTHER_TENANT = "01900000-0000-7000-8000-000000000002" as TenantId;
/** More than one command may ask for, one after the other. */
const MANY = 70;

let ledger: TestLedger;
const batches: CommittedBatch[] = [];

beforeAll(async () => {
  ledger = await openLedger({
    batchCommitted: (batch) => batches.push(batch),
    commitAnswered: () => undefined,
    batchRetried: () => undefined,
    commitUnclear: () => undefined,
  });
  await ledger.superuser.query(
    "INSERT INTO tenant (tenant_id, name, created_at) VALUES ($1, 'other', now())",
    [OTHER_TENANT],
  );
});
afterAll(() => ledger.close());
beforeEach(() => {
  batches.length = 0;
});

const amountOf = (text: string) => parseAmount(text) ?? -1n;
const submit = <Result>(write: Write<Result, unknown>) => ledger.pipeline.submit(write);

type Command = Parameters<typeof createCreditGrant>[1];

const GRANT: Command = { ...PLAIN_GRANT, amount: amountOf("1") };

function grantOf(customerId: CustomerId, over: Partial<Command> = {}) {
  const command = { ...GRANT, ...over };
  return writeOf({
    customerId,
    verb: (book) => createCreditGrant(book, command),
    answer: ({ lot, invoice }) => ({ id: lot.id, invoiceId: invoice?.id ?? null }),
  });
}

function chargeOf(
  customerId: CustomerId,
  basis: Parameters<typeof createCharge>[1]["basis"],
  capture: "AUTOMATIC" | "MANUAL" = "AUTOMATIC",
) {
  return writeOf({
    customerId,
    keptIn: capture === "MANUAL" ? "request" : "charge",
    verb: (book) =>
      createCharge(book, { basis, capture, holdExpiresAt: null, description: "", metadata: {} }),
    answer: ({ id, invoiceId, amount }) => ({ id, invoiceId, amount: formatAmount(amount) }),
  });
}

/** So many grants of one command, which soon expire. */
const grantsOf = (customerId: CustomerId, count: number, expiresAfter: string) =>
  writeOf({
    customerId,
    verb: (book) => {
      for (let made = 0; made < count; made += 1) {
        createCreditGrant(book, { ...GRANT, amount: 1n, expiresAfter });
      }
    },
    answer: () => null,
  });

const credit = (amount: string) => ({ ...overage(amount), settlementMode: "CREDIT_ONLY" }) as const;

const overage = (amount: string) =>
  ({
    by: "amount",
    amount: amountOf(amount),
    currency: "USD",
    settlementMode: "CREDIT_THEN_INVOICE",
    featureKey: null,
  }) as const;
const priced = (rateCardKey: string) =>
  ({ by: "rate_card", rateCardKey, quantity: amountOf("1") }) as const;

const makeRateCard = (key: string, unitAmount: string, featureKey = "") =>
  ledger.pipeline.submitToRegistry(
    registryWrite(
      [
        { kind: "rate_card", key },
        { kind: "currency", code: "USD" },
      ],
      (registry) =>
        String(
          createRateCard(registry, {
            key,
            name: "",
            featureKey,
            currency: "USD",
            settlementMode: "CREDIT_THEN_INVOICE",
            price: { model: "per_unit", unitAmount: amountOf(unitAmount) },
            minimumAmount: null,
            maximumAmount: null,
          }).version,
        ),
    ),
  );

/** Makes a customer the other tenant's. */
async function moveToOther(customerId: CustomerId): Promise<void> {
  for (const table of ["customer", "customer_key", "customer_head"]) {
    await ledger.superuser.query(`UPDATE ${table} SET tenant_id = $1 WHERE customer_id = $2`, [
      OTHER_TENANT,
      customerId,
    ]);
  }
}

/** Two customers of one lane, of different tenants; for the other tenant's one something is due. */
async function neighbours(): Promise<readonly [own: CustomerId, others: CustomerId]> {
  await ledger.shiftClock("0 hours");
  const own = await ledger.customer();
  const others = await ledger.customerBeside(own);
  await moveToOther(others);
  await submit({ ...grantOf(others, { expiresAfter: "PT1S" }), tenantId: OTHER_TENANT });
  return [own, others];
}

describe("a command that cannot be stored", () => {
  test("leaves the commands of others in their order", async () => {
    await ledger.shiftClock("0 hours");
    const busy = await ledger.customer();
    const spoiler = await ledger.customerBeside(busy);
    // More falls due than one transaction books, so that a command has to wait for the rest.
    await submit(grantsOf(busy, DUE_BOUNDS.eventsMax, "PT1S"));
    await submit(grantsOf(busy, 1, "PT1S"));
    await submit(grantOf(busy));
    await ledger.shiftClock("1 hour");

    const first = submit(chargeOf(busy, credit("1")));
    const spoilt = submit(grantOf(spoiler, { description: "a\u0000b" }));
    const second = submit(chargeOf(busy, credit("1")));
    await expect(spoilt).rejects.toThrow();
    await expect(second).rejects.toMatchObject({ reason: "INSUFFICIENT_CREDITS" });
    expect(await first).toMatchObject({ amount: "1" });
  });

  test("fails alone, also beside customers for whom something is due", async () => {
    await ledger.shiftClock("0 hours");
    const spoiler = await ledger.customer();
    const neighbour = await ledger.customerBeside(spoiler);
    await submit(grantOf(neighbour, { expiresAfter: "PT1S" }));
    await ledger.shiftClock("1 hour");

    const due = ledger.pipeline.bookDue(TENANT, neighbour);
    const spoilt = submit(grantOf(spoiler, { description: "a\u0000b" }));
    await expect(spoilt).rejects.toThrow();
    await due;
    expect(await submit(grantOf(spoiler))).toHaveProperty("id");
  });
});

describe("M6 what is due for the customers of one tenant", () => {
  test("is booked while another tenant's commands keep the lane busy", async () => {
    const [own, others] = await neighbours();
    await ledger.shiftClock("1 hour");
    let isBooked = false;
    const load = Array.from({ length: 20 }, async () => {
      while (!isBooked) await submit(grantOf(own));
    });
    await ledger.pipeline.bookDue(OTHER_TENANT, others).then(() => {
      isBooked = true;
    });
    await Promise.all(load);
  });

  test("is booked while another process holds a customer of another one", async () => {
    const [own, others] = await neighbours();
    await submit(grantOf(own, { expiresAfter: "PT1S" }));
    await ledger.shiftClock("1 hour");
    await ledger.superuser.query("BEGIN");
    await ledger.superuser.query(
      "SELECT FROM customer_head WHERE customer_id = $1 FOR NO KEY UPDATE",
      [own],
    );
    const held = ledger.pipeline.bookDue(TENANT, own);
    await ledger.pipeline.bookDue(OTHER_TENANT, others);
    await ledger.superuser.query("COMMIT");
    await held;
  });

  test("is shared out over transactions where it is much", async () => {
    await ledger.shiftClock("0 hours");
    const first = await ledger.customer();
    const customers = [first];
    while (customers.length < 20) customers.push(await ledger.customerBeside(first));
    for (const customerId of customers) {
      const grants = Array.from({ length: 80 }, () =>
        grantOf(customerId, { expiresAfter: "PT1S" }),
      );
      await Promise.all(grants.map(submit));
    }
    await ledger.shiftClock("1 hour");
    batches.length = 0;
    await Promise.all(customers.map((customerId) => ledger.pipeline.bookDue(TENANT, customerId)));

    const booked = batches.map(({ dueTransfers }) => dueTransfers);
    expect(booked.reduce((sum, each) => sum + each, 0)).toBe(20 * 80);
    expect(Math.max(...booked)).toBeLessThanOrEqual(1_000);
  });
});

describe("M6 holds of many grants that time out", () => {
  test("are released although others fall due all the time", async () => {
    await ledger.shiftClock("0 hours");
    const others: CustomerId[] = [];
    const first = await ledger.customer();
    while (others.length < 30) others.push(await ledger.customerBeside(first));
    // Its id is the last: the others are met before it.
    const holder = await ledger.customerBeside(first);
    await Promise.all(others.map((customerId) => holdIn(customerId, 1, 1)));
    await holdIn(holder, 900, 6);
    await ledger.shiftClock("8 days");

    let released = 0;
    const released30 = (async () => {
      for (const customerId of others) {
        await ledger.pipeline.bookDue(TENANT, customerId);
        released += 1;
      }
    })();
    await ledger.pipeline.bookDue(TENANT, holder);
    expect(released).toBeLessThan(others.length);
    expect(await openChargesOf(holder)).toEqual([]);
    await released30;
  });

  test.each([
    ["alone", 0],
    ["with others in one batch", 15],
  ])("are all released, %s", async (_name, others) => {
    await ledger.shiftClock("0 hours");
    const holder = await ledger.customer();
    const all = [holder];
    while (all.length <= others) all.push(await ledger.customerBeside(holder));
    await Promise.all(all.map((customerId) => holdIn(customerId, 1, 1)));
    await holdIn(holder, 900, 3);
    await ledger.shiftClock("8 days");
    await Promise.all(all.map((customerId) => ledger.pipeline.bookDue(TENANT, customerId)));
    for (const customerId of all) expect(await openChargesOf(customerId)).toEqual([]);
  });
});

/** Makes a customer's charges that hold, each of as many new grants. */
async function holdIn(customerId: CustomerId, grants: number, holds: number): Promise<void> {
  for (let hold = 0; hold < holds; hold += 1) {
    await Promise.all(Array.from({ length: grants }, () => submit(grantOf(customerId))));
    await submit(chargeOf(customerId, overage(String(grants)), "MANUAL"));
  }
}

async function openChargesOf(customerId: CustomerId): Promise<readonly unknown[]> {
  const text = "SELECT number FROM charge WHERE customer_id = $1 AND status = 'OPEN'";
  return (await ledger.superuser.query(text, [customerId])).rows;
}

describe("D1 a rate card", () => {
  test("is not taken for the version of another one, whatever its key", async () => {
    await makeRateCard("gold", "1");
    await makeRateCard("gold", "2");
    await makeRateCard("gold@2", "1000");
    await makeRateCard("2 gold", "3000");
    const customerId = await ledger.customer();
    const { id } = (await submit(chargeOf(customerId, priced("gold"), "MANUAL"))) as {
      readonly id: ChargeId;
    };
    const settle = writeOf({
      customerId,
      verb: (book) => settleCharge(book, { chargeId: id, amount: null, quantity: amountOf("10") }),
      answer: ({ amount }) => formatAmount(amount),
    });
    const answers = await Promise.all([
      submit(chargeOf(customerId, priced("gold@2"))),
      submit(chargeOf(customerId, priced("2 gold"))),
      submit(settle),
    ]);
    expect(answers).toMatchObject([{ amount: "1000" }, { amount: "3000" }, "20"]);
  });
});

describe("many commands of one customer in one batch", () => {
  test("may each ask for something else: payments of invoices", async () => {
    const customerId = await ledger.customer();
    const purchase = {
      currency: "USD",
      perUnitCost: amountOf("1"),
      availability: "ON_SETTLEMENT",
    } as const;
    const made = await Promise.all(
      Array.from({ length: MANY }, () =>
        submit(grantOf(customerId, { fundingMethod: "INVOICE", purchase })),
      ),
    );
    const paid = made.map((each) => {
      const { invoiceId } = each as { readonly invoiceId: InvoiceId };
      return submit(
        writeOf({
          customerId,
          verb: (book) => settleInvoicePayment(book, { invoiceId }),
          answer: ({ status }) => status,
        }),
      );
    });
    expect(new Set(await Promise.all(paid))).toEqual(new Set(["PAID"]));
  });

  test("may each ask for something else: charges of features", async () => {
    const customerId = await ledger.customer();
    const keys = Array.from({ length: MANY }, (_, index) => `card ${index}`);
    await Promise.all(keys.map((key) => makeRateCard(key, "1", key)));
    const charges = keys.map((key) => submit(chargeOf(customerId, priced(key))));
    expect(await Promise.all(charges)).toHaveLength(MANY);
  });
});

describe("I1 an invoice whose credit lines stand on many others", () => {
  test("is refused to be voided, and not for their number", async () => {
    const customerId = await ledger.customer();
    const charge = async (amount: string) =>
      (await submit(chargeOf(customerId, overage(amount)))) as {
        readonly id: ChargeId;
        readonly invoiceId: InvoiceId;
      };
    const issue = (invoiceId: InvoiceId) =>
      submit(
        writeOf({
          customerId,
          verb: (book) => issueInvoice(book, { invoiceId }),
          answer: ({ status }) => status,
        }),
      );
    const { id: chargeId, invoiceId } = await charge("1000");
    await issue(invoiceId);
    for (let number = 0; number < MANY; number += 1) {
      const { invoiceId: next } = await charge("2");
      const correct = { chargeId, amount: amountOf("1"), reason: "a test" };
      await submit(
        writeOf({
          customerId,
          verb: (book) => correctCharge(book, correct),
          answer: () => "corrected",
        }),
      );
      await issue(next);
    }
    const voided = writeOf({
      customerId,
      verb: (book) => voidInvoice(book, { invoiceId }),
      answer: ({ status }) => status,
    });
    await expect(submit(voided)).rejects.toMatchObject({ reason: "INVOICE_TRANSITION_REFUSED" });
  });
});
