/** Owns the checks of posting: what the journal takes, and what it claims to be impossible. */
import { describe, expect, test } from "vitest";
import { AssertionFailure } from "../../src/errors.ts";
import type { Account, TransferEvent } from "../../src/ledger/chart.ts";
import { type Balance, Journal, type Posting } from "../../src/ledger/journal.ts";
import type { Lot } from "../../src/ledger/lot.ts";
import { type Instant, instant } from "../../src/money/time.ts";
import { lotOf } from "./lot-of.ts";

/** A lot of which nothing is available yet. */
function lot(): Lot {
  return lotOf({
    fundingMethod: "EXTERNAL",
    availability: "ON_CREATION",
    settlementStatus: "PENDING",
    remaining: 0n,
    firstSequence: null,
  });
}

function journal(clock: bigint, lastBookedAt: bigint | null = null): Journal {
  const last: Instant | null = lastBookedAt === null ? null : instant(lastBookedAt);
  const balances = new Map<string, Balance>();
  return new Journal({ clock: instant(clock), sequence: 41n, lastBookedAt: last, balances });
}

const posting = (
  row: Lot,
  event: TransferEvent,
  [debit, credit]: readonly [Account, Account],
  amount: bigint,
): Posting => ({ event, debit, credit, amount, lot: row, chargeId: null });

const FUND = ["receivable_open", "customer_credit"] as const;
const HOLD = ["customer_credit", "customer_held"] as const;
const ACCRUE = ["customer_held", "accrued"] as const;

describe("L1 a transfer moves one positive amount from one account to another", () => {
  test.each([
    ["nothing", "FUNDED", FUND, 0n, "positive amount"],
    ["less than nothing", "FUNDED", FUND, -1n, "positive amount"],
    ["what is no legal flow", "HELD", FUND, 1n, "may move"],
    ["a legal flow the wrong way round", "FUNDED", FUND.toReversed(), 1n, "may move"],
    ["more than the customer has", "HELD", HOLD, 11n, "below zero"],
    ["more than is held", "CONSUMED", ACCRUE, 1n, "below zero"],
  ])("%s cannot be posted", (_name, event, [debit, credit], amount, claim) => {
    const books = journal(100n);
    const row = lot();
    books.post(posting(row, "FUNDED", FUND, 10n));
    const accounts = [debit, credit] as [Account, Account];
    const post = () => books.post(posting(row, event as TransferEvent, accounts, amount));
    expect(post).toThrow(AssertionFailure);
    expect(post).toThrow(claim);
  });
});

describe("L3 L6 posting takes the next sequence and moves the cached balances", () => {
  test("each transfer carries the balances after it", () => {
    const books = journal(100n);
    const row = lot();
    books.post(posting(row, "FUNDED", FUND, 10n));
    books.post(posting(row, "HELD", HOLD, 4n));
    books.post(posting(row, "CONSUMED", ACCRUE, 3n));
    const rows = books.posted.map((transfer) => [
      transfer.sequence,
      transfer.settledAfter,
      transfer.pendingAfter,
      transfer.grantRemainingAfter,
      transfer.grantHeldAfter,
    ]);
    expect(rows).toEqual([
      [42n, 10n, 10n, 10n, 0n],
      [43n, 10n, 6n, 10n, 4n],
      [44n, 7n, 6n, 7n, 1n],
    ]);
    expect(row).toMatchObject({ remaining: 7n, held: 1n, accrued: 3n });
    expect(books.touched).toEqual(new Set([row]));
    const balance = { currency: "USD", credit: 6n, held: 1n, issued: 0n };
    expect([...books.touchedBalances]).toEqual([balance]);
  });

  test.each([
    ["the clock, when it is ahead", 100n, 90n, 100n],
    ["the last booking, when the clock went back", 80n, 90n, 90n],
    ["the clock, when nothing is booked yet", 80n, null, 80n],
  ])("now is %s", (_name, clock, last, now) => {
    const books = journal(clock, last);
    expect(books.now).toBe(now);
    const { bookedAt, createdAt } = books.post(posting(lot(), "FUNDED", FUND, 10n));
    expect([bookedAt, createdAt]).toEqual([now, now]);
  });

  test("what was created without a booking keeps time from going back behind it", () => {
    const books = journal(100n, 50n);
    expect(books.creationDate()).toBe(100n);
    expect(journal(80n, books.lastBookedAt).now).toBe(100n);
  });

  test("a due event is dated when it fell due, and what follows is dated now again", () => {
    const books = journal(100n, 50n);
    const row = lot();
    books.dated(instant(60n), () => {
      books.post(posting(row, "FUNDED", FUND, 10n));
    });
    books.post(posting(row, "HELD", HOLD, 1n));
    const dates = books.posted.map(({ bookedAt, createdAt }) => [bookedAt, createdAt]);
    expect(dates).toEqual([
      [60n, 100n],
      [100n, 100n],
    ]);
  });

  test("a due event is never dated before the last booking, nor after now", () => {
    const books = journal(100n, 50n);
    books.dated(instant(40n), () => {
      books.post(posting(lot(), "FUNDED", FUND, 10n));
    });
    expect(books.posted[0]?.bookedAt).toBe(50n);
    expect(() => books.dated(instant(101n), () => undefined)).toThrow(AssertionFailure);
  });

  test("a booking that fails leaves the next one dated now", () => {
    const books = journal(100n);
    const failing = () =>
      books.dated(instant(60n), () => {
        throw new Error("broken");
      });
    expect(failing).toThrow("broken");
    expect(books.bookingAt).toBe(100n);
  });
});
