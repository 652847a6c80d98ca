import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Refusal } from "../../src/errors.ts";
import type { CustomerId, TenantId } from "../../src/ledger/ids.ts";
import { formatAmount } from "../../src/money/amount.ts";
import { type Instant, instant, MICROSECONDS_PER_SECOND } from "../../src/money/time.ts";
import type { BalanceAnswer } from "../../src/queries/balance-answer.ts";
import { type BalanceAsk, Balances } from "../../src/queries/balances.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";
import { Account, clockOf } from "./account.ts";

let ledger: TestLedger;
let balances: Balances;

beforeAll(async () => {
  ledger = await openLedger();
  balances = balancesOver(ledger);
});
afterAll(() => ledger.close());

/** `afterLook` runs whenever a copy of a book has been looked at. */
function balancesOver(
  { pipeline, connections }: TestLedger,
  afterLook: () => Promise<unknown> = async () => undefined,
): Balances {
  return new Balances({
    reads: connections.reads,
    bookDue: (tenantId, customerId) => pipeline.bookDue(tenantId, customerId),
    lookAhead: async (ask) => {
      const ahead = await pipeline.look(ask);
      await afterLook();
      return ahead;
    },
  });
}

/** `USD 7 + 3 held, 5 upcoming` for each balance. */
function say({ balances: list }: BalanceAnswer): string[] {
  return list.map(({ currency, pending, held, upcoming }) => {
    const parts = `${currency} ${formatAmount(pending)} + ${formatAmount(held)} held`;
    return `${parts}, ${formatAmount(upcoming)} upcoming`;
  });
}

async function read(account: Account, ask: Partial<BalanceAsk> = {}): Promise<string[]> {
  return say(await balances.get(account.name, { ...NOW, ...ask }));
}

const NOW: BalanceAsk = { currency: null, features: null, asOf: null };
const API = { kind: "any_of", features: ["api"] } as const;
const SECOND = MICROSECONDS_PER_SECOND;

async function refusalOf(reading: Promise<unknown>): Promise<unknown> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [error.reason, error.facts];
  }
}

/** Moves the clock on, and answers what it showed before. */
let shiftedS = 0;
async function passSeconds(seconds: number): Promise<Instant> {
  const before = await clockOf(ledger);
  shiftedS += seconds;
  await ledger.shiftClock(`${shiftedS} seconds`);
  return before;
}

describe("B1 settled, held, pending and upcoming", () => {
  test("an open charge holds credit; credit for later is upcoming", async () => {
    const account = await Account.open(ledger);
    const later = instant((await clockOf(ledger)) + 3_600n * SECOND);
    await account.grant("100");
    await account.grant("40", { effectiveAt: later });
    await account.grant("30", { sold: "EXTERNAL" });
    await account.charge("10");
    await account.hold("25");

    const answer = await balances.get(account.name, NOW);

    expect(say(answer)).toEqual(["USD 65 + 25 held, 70 upcoming"]);
    expect(answer.sequence).toBe(3n);
  });

  test("credit that waits for payment longer than to its expiry is no longer upcoming", async () => {
    const account = await Account.open(ledger);
    const soon = instant((await clockOf(ledger)) + 60n * SECOND);
    await account.grant("30", { sold: "EXTERNAL", expiresAt: soon });

    expect(await read(account)).toEqual(["USD 0 + 0 held, 30 upcoming"]);
    expect(await read(account, { asOf: soon })).toEqual(["USD 0 + 0 held, 0 upcoming"]);
    await passSeconds(60);
    expect(await read(account)).toEqual(["USD 0 + 0 held, 0 upcoming"]);
    // The customer's own time has passed the expiry and does not go back with the clock (L3).
    await account.grant("1");
    await passSeconds(-60);
    expect(await read(account)).toEqual(["USD 1 + 0 held, 0 upcoming"]);
    await passSeconds(60);
  });
});

describe("B2 as of a moment", () => {
  test("a past moment shows the books as they stood, a movement at exactly it included", async () => {
    const account = await Account.open(ledger);
    await account.grant("100");
    const first = await passSeconds(10);
    const hold = await account.hold("30");
    const second = await passSeconds(10);
    await account.settle(hold, "20");
    await passSeconds(10);
    const [{ booked_at: at }] = await ledger.superuser
      .query("SELECT booked_at::text FROM transfer WHERE customer_id = $1 AND event = 'HELD'", [
        account.id,
      ])
      .then(({ rows }) => rows as [{ booked_at: string }]);
    const held = instant(
      BigInt(Math.round(Date.parse(at.slice(0, 19).concat("Z")) / 1000)) * SECOND,
    );
    const micros = BigInt((/\.(\d+)/.exec(at)?.[1] ?? "").padEnd(6, "0"));
    const exactly = instant(held + micros);

    expect(await read(account, { asOf: first })).toEqual(["USD 100 + 0 held, 0 upcoming"]);
    expect(await read(account, { asOf: exactly })).toEqual(["USD 70 + 30 held, 0 upcoming"]);
    expect(await read(account, { asOf: instant(exactly - 1n) })).toEqual([
      "USD 100 + 0 held, 0 upcoming",
    ]);
    expect(await read(account, { asOf: second })).toEqual(["USD 70 + 30 held, 0 upcoming"]);
    expect(await read(account)).toEqual(["USD 80 + 0 held, 0 upcoming"]);
    const answer = await balances.get(account.name, { ...NOW, asOf: first });
    expect(answer).toMatchObject({ asOf: first, sequence: 1n });
  });

  test("nothing is upcoming in the past, and before all there is nothing", async () => {
    const account = await Account.open(ledger);
    const before = await passSeconds(10);
    await account.grant("100");
    await account.grant("30", { sold: "EXTERNAL" });
    const after = await passSeconds(10);

    expect(await read(account, { asOf: before })).toEqual([]);
    expect(await read(account, { asOf: before, currency: "USD" })).toEqual([
      "USD 0 + 0 held, 0 upcoming",
    ]);
    expect(await read(account, { asOf: after })).toEqual(["USD 100 + 0 held, 0 upcoming"]);
  });

  test("a moment before the last booking is past, even if the clock went back behind it", async () => {
    const account = await Account.open(ledger);
    await account.grant("100");
    const before = await passSeconds(60);
    await account.hold("30");
    await passSeconds(-90);

    const between = instant(before + 30n * SECOND);
    expect(await read(account, { asOf: between })).toEqual(["USD 100 + 0 held, 0 upcoming"]);
    await passSeconds(90);
    expect(await read(account, { asOf: between })).toEqual(["USD 100 + 0 held, 0 upcoming"]);
  });

  test("a future moment shows what would stand if nobody did anything", async () => {
    const account = await Account.open(ledger);
    const start = await clockOf(ledger);
    const at = (seconds: bigint) => instant(start + seconds * SECOND);
    await account.grant("100", { expiresAt: at(300n) });
    await account.grant("40", { effectiveAt: at(200n), features: ["api"] });
    await account.grant("30", { sold: "EXTERNAL" });
    await account.hold("25", { holdExpiresAt: at(100n) });
    const rows = "SELECT count(*)::integer AS rows FROM transfer WHERE customer_id = $1";
    const transfers = () =>
      ledger.superuser.query(rows, [account.id]).then(({ rows: [row] }) => row);
    const before = await transfers();

    expect(await read(account)).toEqual(["USD 75 + 25 held, 70 upcoming"]);
    expect(await read(account, { asOf: at(99n) })).toEqual(["USD 75 + 25 held, 70 upcoming"]);
    expect(await read(account, { asOf: at(100n) })).toEqual(["USD 100 + 0 held, 70 upcoming"]);
    expect(await read(account, { asOf: at(200n) })).toEqual(["USD 140 + 0 held, 30 upcoming"]);
    expect(await read(account, { asOf: at(300n) })).toEqual(["USD 40 + 0 held, 30 upcoming"]);
    const restricted = { features: { kind: "none_of", features: ["chat"] } } as const;
    expect(await read(account, { ...restricted, asOf: at(199n) })).toEqual([
      "USD 0 + 0 held, 40 upcoming",
    ]);
    expect(await read(account, { ...restricted, asOf: at(300n) })).toEqual([
      "USD 40 + 0 held, 0 upcoming",
    ]);
    const answer = await balances.get(account.name, { ...NOW, asOf: at(300n) });
    expect(answer).toMatchObject({ asOf: at(300n), sequence: 2n });
    expect(await transfers()).toEqual(before);
  });

  test("an answer for a past moment waits for the writer that holds the customer", async () => {
    const account = await Account.open(ledger);
    await account.grant("100");
    const other = await ledger.replica();
    // A writer that has read its clock and not committed yet.
    await ledger.superuser.query("BEGIN");
    await ledger.superuser.query(
      "SELECT FROM customer_head WHERE customer_id = $1 FOR NO KEY UPDATE",
      [account.id],
    );
    const writerSaw = await clockOf(ledger);
    const asOf = instant(writerSaw + 1n);
    const reading = read(account, { asOf });
    const early = await Promise.race([
      reading,
      new Promise((resolve) => setTimeout(() => resolve("waits"), 300)),
    ]);
    await ledger.superuser.query("COMMIT");
    await other.close();

    expect(early).toBe("waits");
    expect(await reading).toEqual(["USD 100 + 0 held, 0 upcoming"]);
  });
});

describe("B2 a forecast while others write", () => {
  test("is of one moment, whatever is granted while it is made", async () => {
    const account = await Account.open(ledger);
    const now = await clockOf(ledger);
    await account.grant("10");
    const busy = balancesOver(ledger, () =>
      account.grant("100", { effectiveAt: instant(now + 3_600n * SECOND) }),
    );
    const asOf = instant(now + 7_200n * SECOND);
    expect(say(await busy.get(account.name, { ...NOW, asOf }))).toEqual([
      "USD 10 + 0 held, 0 upcoming",
    ]);
    expect(await read(account, { asOf })).toEqual(["USD 110 + 0 held, 0 upcoming"]);
  });

  test("is given however fast they write", async () => {
    const account = await Account.open(ledger);
    const now = await clockOf(ledger);
    await account.grant("10");
    const busy = balancesOver(ledger, () => account.charge("1"));
    const asOf = instant(now + 7_200n * SECOND);
    expect(say(await busy.get(account.name, { ...NOW, asOf }))).toEqual([
      "USD 10 + 0 held, 0 upcoming",
    ]);
  });
});

describe("B3 by feature", () => {
  test("each lot counts once, now and in the past", async () => {
    const account = await Account.open(ledger);
    await account.grant("100");
    await account.grant("20", { features: ["api", "chat"] });
    await account.grant("5", { features: ["seat"] });
    const before = await passSeconds(10);
    await account.hold("8", { feature: "api" });
    await account.charge("2", { feature: "seat" });
    const after = await passSeconds(10);
    const seat = { kind: "none_of", features: ["api"] } as const;
    const two = { kind: "any_of", features: ["api", "chat"] } as const;
    const unrestricted = { kind: "unrestricted_only" } as const;

    // The oldest of equal rank pays first, so the unrestricted grant pays for both charges.
    expect(await read(account, { features: API })).toEqual(["USD 110 + 8 held, 0 upcoming"]);
    expect(await read(account, { features: two })).toEqual(["USD 110 + 8 held, 0 upcoming"]);
    expect(await read(account, { features: seat })).toEqual(["USD 5 + 0 held, 0 upcoming"]);
    for (const [asOf, pending, held] of [[before, 100, 0] as const, [after, 90, 8] as const]) {
      const past = await read(account, { features: unrestricted, asOf });
      expect(past).toEqual([`USD ${pending} + ${held} held, 0 upcoming`]);
    }
    expect(await read(account, { features: API, asOf: before })).toEqual([
      "USD 120 + 0 held, 0 upcoming",
    ]);
  });

  test("held credit of a voided grant still counts", async () => {
    const account = await Account.open(ledger);
    const grant = await account.grant("20", { features: ["api"] });
    await account.hold("8", { feature: "api" });
    await account.voidGrant(grant);

    expect(await read(account, { features: API })).toEqual(["USD 0 + 8 held, 0 upcoming"]);
    expect(await read(account)).toEqual(["USD 0 + 8 held, 0 upcoming"]);
  });
});

describe("B4 currencies stand side by side", () => {
  test("they are listed by code; an unused one that is named is a row of zeros", async () => {
    const account = await Account.open(ledger);
    expect(await read(account)).toEqual([]);
    expect(await read(account, { features: API })).toEqual([]);
    await account.grant("1", { currency: "USD" });
    await account.grant("2", { currency: "EUR" });

    const both = ["EUR 2 + 0 held, 0 upcoming", "USD 1 + 0 held, 0 upcoming"];
    expect(await read(account)).toEqual(both);
    expect(await read(account, { features: { kind: "unrestricted_only" } })).toEqual(both);
    expect(await read(account, { currency: "EUR" })).toEqual(both.slice(0, 1));
    expect(await read(account, { currency: "JPY" })).toEqual(["JPY 0 + 0 held, 0 upcoming"]);
  });

  test.each<[what: string, ask: Partial<BalanceAsk>]>([
    ["now", {}],
    ["by feature", { features: API }],
    ["in the past", { asOf: instant(1_000_000n) }],
    ["in the future", { asOf: instant(2n ** 52n) }],
  ])("a currency that does not exist is refused %s", async (_, ask) => {
    const account = await Account.open(ledger);
    await account.grant("1");

    const reading = read(account, { ...ask, currency: "NO_SUCH_UNIT" });

    expect(await refusalOf(reading)).toEqual(["CURRENCY_NOT_FOUND", { currency: "NO_SUCH_UNIT" }]);
  });
});

describe("B5 no balance is behind", () => {
  test("a read that follows a write sees it, however many share a statement", async () => {
    const accounts: Account[] = [];
    for (let count = 0; count < 20; count += 1) accounts.push(await Account.open(ledger));
    await Promise.all(accounts.map((account) => account.grant("100")));
    const spend = async (account: Account) => {
      for (let left = 99; left > 94; left -= 1) {
        await account.charge("1");
        expect(await read(account)).toEqual([`USD ${left} + 0 held, 0 upcoming`]);
      }
    };

    await Promise.all(accounts.map(spend));
  });

  test("a customer that nobody knows, or another tenant's, is refused alike", async () => {
    const account = await Account.open(ledger);
    await account.grant("1");
    const other = "01900000-0000-7000-8000-0000000000ff" as TenantId;
    const nobody = "01900000-0000-7000-8000-00000000dead" as CustomerId;
    for (const ask of [NOW, { ...NOW, features: API }, { ...NOW, asOf: instant(5n) }]) {
      for (const [tenantId, customerId] of [
        [TENANT, nobody],
        [other, account.id],
      ] as const) {
        expect(await refusalOf(balances.get({ tenantId, customerId }, ask))).toEqual([
          "CUSTOMER_NOT_FOUND",
          { customer_id: customerId },
        ]);
      }
    }
  });

  test("readers are told when the statement that they share fails", async () => {
    const broken = await openLedger();
    const over = balancesOver(broken);
    await broken.superuser.query("ALTER TABLE balance RENAME TO gone");
    const account = await Account.open(broken);

    const reads = await Promise.allSettled([
      over.get(account.name, NOW),
      over.get(account.name, NOW),
    ]);

    expect(reads.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await broken.superuser.query("ALTER TABLE gone RENAME TO balance");
    expect(say(await over.get(account.name, NOW))).toEqual([]);
    await broken.close();
  });
});

describe("M6 what is due is booked before a read is answered", () => {
  test("an expiry shows in every kind of read", async () => {
    for (const ask of [{}, { features: API }]) {
      const account = await Account.open(ledger);
      const soon = instant((await clockOf(ledger)) + 60n * SECOND);
      await account.grant("10", { expiresAt: soon });
      await passSeconds(61);

      expect(await read(account, ask)).toEqual(["USD 0 + 0 held, 0 upcoming"]);
      expect(await read(account, { ...ask, asOf: instant(soon - 1n) })).toEqual([
        "USD 10 + 0 held, 0 upcoming",
      ]);
      expect(await read(account, { ...ask, asOf: soon })).toEqual(["USD 0 + 0 held, 0 upcoming"]);
    }
  });
});
