import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { updateExternalSettlement } from "../../src/grant/update-external-settlement.ts";
import type { TenantId } from "../../src/ledger/ids.ts";
import { formatAmount } from "../../src/money/amount.ts";
import { instant, MICROSECONDS_PER_SECOND } from "../../src/money/time.ts";
import { CustomerReads } from "../../src/queries/customer-reads.ts";
import { LedgerReads } from "../../src/queries/ledger-reads.ts";
import { StreamTurns } from "../../src/queries/stream-turns.ts";
import { streamTransfers } from "../../src/queries/transfers.ts";
import type { TrialBalance } from "../../src/queries/trial-balance.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";
import { Account, clockOf } from "./account.ts";
import { fillJournal } from "./long-journal.ts";

let ledger: TestLedger;
let books: LedgerReads;
const { signal } = new AbortController();

beforeAll(async () => {
  ledger = await openLedger();
  books = new LedgerReads(ledger.connections);
});
afterAll(() => ledger.close());

/** `USD promotion 100 - 0 = 100` for each row. */
function say({ rows }: TrialBalance): string[] {
  return rows.map(({ account, currency, debits, credits, balance }) => {
    const [debited, credited, left] = [debits, credits, balance].map(formatAmount);
    return `${currency} ${account} ${debited} | ${credited} = ${left}`;
  });
}

const NOW = { currency: null, asOf: null };

describe("L4 the trial balance", () => {
  test("sums both sides of every account that was used, over all customers", async () => {
    const [first, second] = [await Account.open(ledger), await Account.open(ledger)];
    await first.grant("100");
    const before = await clockOf(ledger);
    await ledger.shiftClock("10 seconds");
    await second.grant("50", { currency: "EUR" });
    const sold = await second.grant("30", { sold: "EXTERNAL" });
    await second.run(
      (book) => updateExternalSettlement(book, { grantId: sold, status: "SETTLED" }),
      ({ lot }) => lot.id,
    );
    await first.charge("40");
    await second.hold("10");

    const eur = ["EUR customer_credit 0 | 50 = 50", "EUR promotion 50 | 0 = 50"];
    const usd = [
      "USD customer_credit 50 | 130 = 80",
      "USD customer_held 0 | 10 = 10",
      "USD receivable_open 30 | 30 = 0",
      "USD receivable_authorized 30 | 30 = 0",
      "USD settlement 30 | 0 = 30",
      "USD promotion 100 | 0 = 100",
      "USD earnings 0 | 40 = 40",
    ];
    expect(say(await books.trialBalance(TENANT, NOW, signal))).toEqual([...eur, ...usd]);
    expect(say(await books.trialBalance(TENANT, { ...NOW, currency: "EUR" }, signal))).toEqual(eur);
    expect(say(await books.trialBalance(TENANT, { ...NOW, asOf: before }, signal))).toEqual([
      "USD customer_credit 0 | 100 = 100",
      "USD promotion 100 | 0 = 100",
    ]);
    const other = "01900000-0000-7000-8000-0000000000ff" as TenantId;
    expect(say(await books.trialBalance(other, NOW, signal))).toEqual([]);
  });

  test("says up to when nothing that fell due is missing", async () => {
    const account = await Account.open(ledger);
    const soon = instant((await clockOf(ledger)) + 60n * MICROSECONDS_PER_SECOND);
    await account.grant("5", { currency: "JPY", expiresAt: soon });
    const all = await books.trialBalance(TENANT, NOW, signal);
    expect(all.completeUntil).toBe(all.asOf);
    await ledger.shiftClock("2 minutes");

    const late = await books.trialBalance(TENANT, NOW, signal);
    expect(late.completeUntil).toBe(soon - 1n);
    const early = { ...NOW, asOf: instant(soon - 5n) };
    expect((await books.trialBalance(TENANT, early, signal)).completeUntil).toBe(early.asOf);
    await ledger.pipeline.bookDue(TENANT, account.id);
    const booked = await books.trialBalance(TENANT, { ...NOW, currency: "JPY" }, signal);
    expect(booked.completeUntil).toBe(booked.asOf);
    expect(say(booked)).toContain("JPY breakage 0 | 5 = 5");
  });

  test("a moment that has not come means now", async () => {
    const asOf = instant((await clockOf(ledger)) + 60n * MICROSECONDS_PER_SECOND);
    const answer = await books.trialBalance(TENANT, { ...NOW, asOf }, signal);
    expect(answer.asOf).toBeLessThan(asOf);
    expect(say(answer)).toEqual(say(await books.trialBalance(TENANT, NOW, signal)));
  });
});

test("L3 transfers come in pages by sequence, from the one asked for", async () => {
  const { pipeline, connections } = ledger;
  const bookDue = pipeline.bookDue.bind(pipeline);
  const customers = new CustomerReads({ reads: connections.reads, bookDue });
  const turns = new StreamTurns(12);
  const customerId = await ledger.customer();
  const name = { tenantId: TENANT, customerId };
  const read = async (from: bigint) => {
    const pages: bigint[][] = [];
    for await (const page of streamTransfers({ customers, turns }, name, from, signal)) {
      pages.push(page.map(({ sequence }) => sequence));
    }
    return pages;
  };
  expect(await read(0n)).toEqual([]);
  await fillJournal(ledger.superuser, customerId, 2_500);

  const pages = await read(0n);
  expect(pages.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
  expect(pages.flat()).toEqual(Array.from({ length: 2_500 }, (_, index) => BigInt(index + 1)));
  expect((await read(2_400n)).flat()).toEqual(
    Array.from({ length: 101 }, (_, index) => BigInt(index + 2_400)),
  );
  expect(await read(2_501n)).toEqual([]);
});
