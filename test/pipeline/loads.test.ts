/** What the books of a batch load: each its own, in order, and as far as it is needed. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { correctCharge } from "../../src/charge/correct-charge.ts";
import { createCharge } from "../../src/charge/create-charge.ts";
import { createCreditGrant } from "../../src/grant/create-credit-grant.ts";
import { issueInvoice, voidInvoice } from "../../src/invoice/verbs.ts";
import type { ChargeId, CustomerId, InvoiceId } from "../../src/ledger/ids.ts";
import { instant, MICROSECONDS_PER_SECOND } from "../../src/money/time.ts";
import { PLAIN_GRANT } from "../core/plain-grant.ts";
import { Account, amount, clockOf } from "../queries/account.ts";
import { openLedger, type TestLedger, writeOf } from "./ledger.ts";

/** More than the first page of a shelf has, and the second one. */
const GRANTS = 300;

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());

/** Later than all others, and a number that JSON knows. */
const NEVER = Number.MAX_SAFE_INTEGER;
const DAY_MICROSECONDS = 86_400n * MICROSECONDS_PER_SECOND;

describe("D2 a charge that draws from more grants than are loaded at once", () => {
  test.each([7, 8, 9, 136, 137, GRANTS])("draws from %i in their order", async (count) => {
    const account = await Account.open(ledger);
    const now = await clockOf(ledger);
    // Priorities and ends that come again and again, in no order, some without an end.
    const made = await account.run(
      (book) =>
        Array.from({ length: GRANTS }, (_, index) => {
          const days = (index * 37) % 11;
          const expiresAt = days === 0 ? null : instant(now + BigInt(days) * DAY_MICROSECONDS);
          const priority = (index * 7) % 5;
          const command = { ...PLAIN_GRANT, amount: amount("1"), priority, expiresAt };
          return createCreditGrant(book, command).lot;
        }),
      (lots) =>
        lots.map(({ id, priority, expiresAt }) => {
          return { id, priority, endsAt: expiresAt === null ? NEVER : Number(expiresAt - now) };
        }),
    );
    const byPriority = made.toSorted((one, other) => {
      if (one.priority !== other.priority) return one.priority - other.priority;
      return one.endsAt === other.endsAt ? 0 : one.endsAt - other.endsAt;
    });
    const basis = {
      by: "amount",
      amount: amount(String(count)),
      currency: "USD",
      settlementMode: "CREDIT_ONLY",
      featureKey: null,
    } as const;
    const drawn = await account.run(
      (book) =>
        createCharge(book, {
          basis,
          capture: "AUTOMATIC",
          holdExpiresAt: null,
          description: "",
          metadata: {},
        }),
      ({ allocations }) => allocations.map(({ grantId }) => grantId),
      { keptIn: "charge" },
    );
    expect(drawn).toEqual(byPriority.slice(0, count).map(({ id }) => id));
  });
});

describe("I1 invoices that are voided in one batch", () => {
  test("lose each its own credit lines, and nobody else's", async () => {
    const first = await ledger.customer();
    const customers = [first, await ledger.customerBeside(first)];
    const invoices: { customerId: CustomerId; invoiceId: InvoiceId }[] = [];
    for (const customerId of customers) {
      const charges: ChargeId[] = [];
      for (const text of ["1", "2"]) {
        const { id, invoiceId } = await charge(customerId, text);
        await run(customerId, (book) => issueInvoice(book, { invoiceId }));
        charges.push(id);
        invoices.push({ customerId, invoiceId });
      }
      for (const chargeId of charges) {
        await run(customerId, (book) =>
          correctCharge(book, { chargeId, amount: amount("0.4"), reason: "a test" }),
        );
      }
      await charge(customerId, "5");
    }
    expect(await draftOf(first)).toEqual(["-0.4", "-0.4", "5"]);

    const [one, , other] = invoices;
    if (one === undefined || other === undefined) throw new Error("there are four invoices");
    const voids = [one, other].map(({ customerId, invoiceId }) =>
      run(customerId, (book) => voidInvoice(book, { invoiceId })),
    );
    await Promise.all(voids);
    for (const customerId of customers) {
      expect(await draftOf(customerId)).toEqual(["-0.4", "5"]);
    }
  });
});

function run(customerId: CustomerId, verb: Parameters<typeof writeOf>[0]["verb"]) {
  return ledger.pipeline.submit(writeOf({ customerId, verb, answer: () => "done" }));
}

async function charge(customerId: CustomerId, text: string) {
  const basis = {
    by: "amount",
    amount: amount(text),
    currency: "USD",
    settlementMode: "CREDIT_THEN_INVOICE",
    featureKey: null,
  } as const;
  const command = { basis, capture: "AUTOMATIC", holdExpiresAt: null } as const;
  const made = await ledger.pipeline.submit(
    writeOf({
      customerId,
      keptIn: "charge",
      verb: (book) => createCharge(book, { ...command, description: "", metadata: {} }),
      answer: ({ id, invoiceId }) => ({ id, invoiceId }),
    }),
  );
  return made as { readonly id: ChargeId; readonly invoiceId: InvoiceId };
}

/** The amounts of the lines of the customer's draft. */
async function draftOf(customerId: CustomerId): Promise<readonly string[]> {
  const { rows } = await ledger.superuser.query<{ amount: string }>(
    `SELECT trim_scale(l.amount) AS amount FROM invoice_line l
      JOIN invoice i USING (customer_id, invoice_id)
      WHERE l.customer_id = $1 AND i.status = 'DRAFT' ORDER BY l.amount`,
    [customerId],
  );
  return rows.map((row) => row.amount);
}
