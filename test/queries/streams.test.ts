import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Refusal, refuse } from "../../src/errors.ts";
import { formatAmount } from "../../src/money/amount.ts";
import { instant, MICROSECONDS_PER_SECOND } from "../../src/money/time.ts";
import { CommitNotices } from "../../src/pipeline/commit-notices.ts";
import type { BalanceAnswer } from "../../src/queries/balance-answer.ts";
import { watchBalances } from "../../src/queries/balance-watch.ts";
import { Balances } from "../../src/queries/balances.ts";
import { CustomerReads } from "../../src/queries/customer-reads.ts";
import { CustomerWatch } from "../../src/queries/customer-watch.ts";
import type { MovementFilter } from "../../src/queries/movement-filter.ts";
import {
  type StreamAsk,
  type StreamedPage,
  streamMovements,
} from "../../src/queries/movement-stream.ts";
import { StreamTurns } from "../../src/queries/stream-turns.ts";
import { streamTransfers } from "../../src/queries/transfers.ts";
import { openLedger, type TestLedger } from "../pipeline/ledger.ts";
import { Account, clockOf } from "./account.ts";

const ALL: MovementFilter = {
  currency: null,
  types: [],
  features: null,
  grantId: null,
  chargeId: null,
  bookedFrom: null,
  bookedUntil: null,
};

let ledger: TestLedger;
let customers: CustomerReads;
let balances: Balances;
let watch: CustomerWatch;
/** As another process watches: it hears of no commit, and has to ask. */
let farWatch: CustomerWatch;

beforeAll(async () => {
  ledger = await openLedger();
  const { pipeline, connections } = ledger;
  const { reads } = connections;
  const bookDue = pipeline.bookDue.bind(pipeline);
  customers = new CustomerReads({ reads, bookDue });
  balances = new Balances({ reads, bookDue, lookAhead: (ask) => pipeline.look(ask) });
  watch = new CustomerWatch({ reads, notices: pipeline.notices });
  farWatch = new CustomerWatch({ reads, notices: new CommitNotices() });
});
afterAll(() => ledger.close());

/** Reads a stream by hand, and ends it as a server does that drains. */
class Reader<Item> {
  readonly #items: AsyncGenerator<Item, void, undefined>;
  readonly #controller: AbortController;

  constructor(open: (signal: AbortSignal) => AsyncGenerator<Item, void, undefined>) {
    this.#controller = new AbortController();
    this.#items = open(this.#controller.signal);
  }

  async next(): Promise<Item | "ended"> {
    const { done, value } = await this.#items.next();
    return done === true ? "ended" : value;
  }

  /** The reason for which the stream ended. */
  async end(): Promise<unknown> {
    this.#controller.abort(refuse("DRAINING", "the service is shutting down"));
    try {
      for (;;) if ((await this.#items.next()).done === true) return "ended";
    } catch (error) {
      return error instanceof Refusal ? error.reason : error;
    }
  }
}

const within = async <Value>(promise: Promise<Value>, timeoutMs: number) =>
  Promise.race([
    promise,
    new Promise<"nothing">((resolve) => setTimeout(() => resolve("nothing"), timeoutMs)),
  ]);

function pending(answer: BalanceAnswer | "ended" | "nothing"): string {
  if (typeof answer === "string") return answer;
  return answer.balances
    .map((each) => `${each.currency} ${formatAmount(each.pending)}+${formatAmount(each.upcoming)}`)
    .join(", ");
}

const EVERYTHING = { currency: null, features: null };

describe.each(["own", "other"])("watching balances over commits of the %s process", (whose) => {
  const open = (account: Account, ask = EVERYTHING) =>
    new Reader<BalanceAnswer>((signal) => {
      const parts = { balances, watch: whose === "own" ? watch : farWatch };
      return watchBalances(parts, account.name, ask, signal);
    });

  test("the balances now come first, and then what changes them", async () => {
    const account = await Account.open(ledger);
    const reader = open(account);
    expect(pending(await reader.next())).toBe("");
    await account.grant("10");
    expect(pending(await reader.next())).toBe("USD 10+0");
    const next = reader.next();
    expect(await within(next, 400)).toBe("nothing");
    await account.charge("3");
    expect(pending(await next)).toBe("USD 7+0");
    expect(await reader.end()).toBe("DRAINING");
  });

  test("changes while the reader is busy are sent as one", async () => {
    const account = await Account.open(ledger);
    await account.grant("10");
    const reader = open(account);
    await reader.next();
    for (let count = 0; count < 5; count += 1) await account.charge("1");

    expect(pending(await reader.next())).toBe("USD 5+0");
    const next = reader.next();
    expect(await within(next, 400)).toBe("nothing");
    await account.charge("1");
    expect(pending(await next)).toBe("USD 4+0");
    await reader.end();
  });

  test("what falls due is sent without anybody's doing", async () => {
    const account = await Account.open(ledger);
    const soon = instant((await clockOf(ledger)) + MICROSECONDS_PER_SECOND / 2n);
    await account.grant("10", { effectiveAt: soon });
    const reader = open(account);
    expect(pending(await reader.next())).toBe("USD 0+10");
    expect(pending(await reader.next())).toBe("USD 10+0");
    await reader.end();
  });

  test("credit that is granted for later makes no transfer and is sent all the same", async () => {
    const account = await Account.open(ledger);
    const reader = open(account);
    await reader.next();
    await account.grant("5", { sold: "EXTERNAL" });
    expect(pending(await reader.next())).toBe("USD 0+5");
    await reader.end();
  });
});

test("B5 a watcher misses no change, however the two interleave", async () => {
  const account = await Account.open(ledger);
  await account.grant("100");
  const reader = new Reader<BalanceAnswer>((signal) =>
    watchBalances({ balances, watch }, account.name, EVERYTHING, signal),
  );
  const spending = (async () => {
    for (let count = 0; count < 100; count += 1) await account.charge("1");
  })();
  let answer = await reader.next();
  while (pending(answer) !== "USD 0+0") answer = await reader.next();
  await spending;
  await reader.end();
});

describe("H5 the history as a stream", () => {
  const open = (account: Account, ask: Partial<StreamAsk> = {}, turns = new StreamTurns(12)) =>
    new Reader<StreamedPage>((signal) =>
      streamMovements(
        { customers, watch, turns },
        account.name,
        {
          filter: ALL,
          order: "OLDEST_FIRST",
          start: "",
          rowsMax: 2,
          follow: false,
          idleMs: 60_000,
          ...ask,
        },
        signal,
      ),
    );
  const say = (page: StreamedPage | "ended" | "nothing") =>
    typeof page === "string" ? page : page.movements.map(({ transfer }) => transfer.sequence);

  async function accountWith(charges: number): Promise<Account> {
    const account = await Account.open(ledger);
    await account.grant("100");
    for (let count = 0; count < charges; count += 1) await account.charge("1");
    return account;
  }

  test.each([
    ["OLDEST_FIRST", [[1n, 2n], [3n, 4n], [5n]]],
    ["NEWEST_FIRST", [[5n, 4n], [3n, 2n], [1n]]],
  ] as const)("%s it ends after the last page", async (order, pages) => {
    const reader = open(await accountWith(4), { order });

    for (const page of pages) expect(say(await reader.next())).toEqual(page);
    expect(await reader.next()).toBe("ended");
  });

  test("one page is read ahead of the reader, and no more", async () => {
    const customer = await accountWith(9);
    const read = vi.spyOn(CustomerReads.prototype, "readAhead");
    const reader = open(customer);
    await reader.next();
    await expect.poll(() => read.mock.calls.length).toBe(2);
    expect(await within(new Promise(() => undefined), 100)).toBe("nothing");
    expect(read.mock.calls.length).toBe(2);

    await reader.next();
    await expect.poll(() => read.mock.calls.length).toBe(3);
    read.mockRestore();
    await reader.end();
  });

  test("its pages are read in their turn, and those of transfers too", async () => {
    const account = await accountWith(1);
    const turns = new StreamTurns(12);
    const others = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    const { signal } = new AbortController();
    for (const { promise } of others) void turns.take(account.name.tenantId, signal, () => promise);
    const movements = open(account, {}, turns);
    const parts = { customers, turns };
    const transfers = new Reader((ends) => streamTransfers(parts, account.name, 1n, ends));

    const pages = [movements.next().then(say), transfers.next()] as const;
    expect(await within(Promise.race(pages), 100)).toBe("nothing");
    for (const { resolve } of others) resolve();
    expect(await pages[0]).toEqual([1n, 2n]);
    expect(await pages[1]).toHaveLength(2);
    await Promise.all([movements.end(), transfers.end()]);
  });

  test("of no movements it is one empty page", async () => {
    const reader = open(await Account.open(ledger));
    expect(say(await reader.next())).toEqual([]);
    expect(await reader.next()).toBe("ended");
  });

  test.each(["OLDEST_FIRST", "NEWEST_FIRST"] as const)(
    "%s it is taken up again behind any page",
    async (order) => {
      const account = await accountWith(5);
      const whole = open(account, { order });
      const rest: unknown[] = [];
      const resumed: unknown[] = [];
      const first = await whole.next();
      for (let page = await whole.next(); page !== "ended"; page = await whole.next()) {
        rest.push(say(page));
      }
      const start = first === "ended" ? "" : first.resume;
      const again = open(account, { order, start });
      for (let page = await again.next(); page !== "ended"; page = await again.next()) {
        resumed.push(say(page));
      }
      expect(rest.length).toBe(2);
      expect(resumed).toEqual(rest);
    },
  );

  test("following, it delivers what is committed, and its cursor while nothing is", async () => {
    const account = await accountWith(1);
    const reader = open(account, { follow: true, idleMs: 300 });
    expect(say(await reader.next())).toEqual([1n, 2n]);
    await account.charge("1");
    expect(say(await reader.next())).toEqual([3n]);
    const started = performance.now();
    const idle = await reader.next();
    expect(say(idle)).toEqual([]);
    expect(performance.now() - started).toBeGreaterThan(200);
    await account.charge("1");
    await account.charge("1");
    const met: unknown[] = [];
    while (met.length < 2) {
      const page = await reader.next();
      if (page !== "ended") met.push(...page.movements.map(({ transfer }) => transfer.sequence));
    }
    expect(met).toEqual([4n, 5n]);
    expect(await reader.end()).toBe("DRAINING");
    const resumed = open(account, { start: idle === "ended" ? "" : idle.resume });
    expect(say(await resumed.next())).toEqual([4n, 5n]);
  });

  test("following by a filter, other movements do not keep it from sending its cursor", async () => {
    const account = await accountWith(0);
    const filter = { ...ALL, currency: "EUR" };
    const reader = open(account, { follow: true, idleMs: 400, filter });
    expect(say(await reader.next())).toEqual([]);
    const noise = setInterval(() => void account.charge("0.1"), 50);
    try {
      expect(say(await within(reader.next(), 3_000))).toEqual([]);
    } finally {
      clearInterval(noise);
    }
    await account.grant("1", { currency: "EUR" });
    const page = await reader.next();
    expect(page === "ended" ? [] : page.movements.map(({ transfer }) => transfer.event)).toEqual([
      "FUNDED",
    ]);
    await reader.end();
  });

  test("following, it does not start toward the older side", async () => {
    const account = await accountWith(1);
    const reader = open(account, { follow: true, start: { direction: "older", sequence: 2n } });
    await expect(reader.next()).rejects.toMatchObject({ reason: "CURSOR_MISMATCH" });
  });

  test("an expiry is delivered when it falls due", async () => {
    const account = await Account.open(ledger);
    const soon = instant((await clockOf(ledger)) + MICROSECONDS_PER_SECOND / 2n);
    await account.grant("1", { expiresAt: soon });
    const reader = open(account, { follow: true });
    expect(say(await reader.next())).toEqual([1n]);
    expect(say(await within(reader.next(), 3_000))).toEqual([2n]);
    await reader.end();
  });

  test("no connection is held while readers take their time", async () => {
    const account = await accountWith(5);
    const readers = Array.from({ length: 20 }, () => open(account, { follow: true }));
    for (const reader of readers) await reader.next();

    const busy = async () => {
      const { rows } = await ledger.superuser.query(
        `SELECT count(*)::integer AS busy FROM pg_stat_activity
          WHERE application_name = 'drawdown reads' AND state <> 'idle'
            AND datname = current_database()`,
      );
      return rows[0].busy;
    };
    // The page behind the one that was sent is read ahead, and then nothing is held.
    await expect.poll(busy).toBe(0);
    for (const reader of readers) await reader.end();
  });
});
