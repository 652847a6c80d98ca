import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assert, Refusal } from "../../src/errors.ts";
import { type CustomerId, makeId } from "../../src/ledger/ids.ts";
import { signedAmount } from "../../src/ledger/transfer.ts";
import { type Instant, instant, MICROSECONDS_PER_SECOND } from "../../src/money/time.ts";
import { type CustomerName, CustomerReads } from "../../src/queries/customer-reads.ts";
import { movementId } from "../../src/queries/movement.ts";
import {
  type MovementAsk,
  type MovementFilter,
  type MovementOrder,
  makeCursor,
  type Place,
} from "../../src/queries/movement-filter.ts";
import {
  type MovementPage,
  type PageAsk,
  readMovementPage,
} from "../../src/queries/movement-pages.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";
import { Account, clockOf } from "./account.ts";
import { choose, type ModelMovement, readModel, runningBalances } from "./movement-model.ts";

const ALL: MovementFilter = {
  currency: null,
  types: [],
  features: null,
  grantId: null,
  chargeId: null,
  bookedFrom: null,
  bookedUntil: null,
};
const ORDERS: readonly MovementOrder[] = ["NEWEST_FIRST", "OLDEST_FIRST"];

let ledger: TestLedger;
let customers: CustomerReads;
let account: Account;
let model: readonly ModelMovement[];
const filters = new Map<string, MovementFilter>();

beforeAll(async () => {
  ledger = await openLedger();
  const { pipeline, connections } = ledger;
  const bookDue = pipeline.bookDue.bind(pipeline);
  customers = new CustomerReads({ reads: connections.reads, bookDue });
  account = await Account.open(ledger);
  await fill();
  model = await readModel(ledger, account);
});
afterAll(() => ledger.close());

/** Every type of movement, in two currencies, with and without features, over some time. */
async function fill(): Promise<void> {
  const wait = (seconds: number) => ledger.shiftClock(`${seconds} seconds`);
  const soon = instant((await clockOf(ledger)) + 30n * MICROSECONDS_PER_SECOND);
  const plain = await account.grant("500", { description: "a gift", metadata: { a: "1" } });
  const api = await account.grant("50", { features: ["api"], description: "for the api" });
  await account.grant("20", { currency: "EUR", features: ["chat"], expiresAt: soon });
  await account.adjust("7", { reason: "sorry", metadata: { ticket: "9" } });
  for (let count = 0; count < 12; count += 1) {
    const words = count % 3 === 0 ? { feature: "api" } : {};
    await account.charge("1.5", { ...words, description: `call ${count}` });
  }
  await wait(10);
  const middle = await clockOf(ledger);
  const hold = await account.hold("30", { description: "a long job", metadata: { job: "x" } });
  const eur = await account.charge("2", { currency: "EUR", feature: "chat" });
  const charge = await account.charge("480", { feature: "api", description: "a big one" });
  await account.voidGrant(api);
  await account.settle(hold, "10");
  await account.correct(charge, "300", "wrong price");
  await wait(20);
  const late = await clockOf(ledger);
  await account.adjust("-3", { reason: "taken back" });
  await wait(60);
  await account.correct(eur, "1", "half price");
  await account.grant("5", { features: ["api", "chat"] });
  await account.charge("1", { feature: "chat" });

  const only = (part: Partial<MovementFilter>): MovementFilter => ({ ...ALL, ...part });
  const anyOf = { kind: "any_of", features: ["api"] } as const;
  const noneOf = { kind: "none_of", features: ["api"] } as const;
  for (const [name, filter] of Object.entries({
    all: ALL,
    euro: only({ currency: "EUR" }),
    dollar: only({ currency: "USD" }),
    "unused currency": only({ currency: "JPY" }),
    funded: only({ types: ["FUNDED"] }),
    "funded, twice": only({ types: ["FUNDED", "FUNDED"] }),
    consumed: only({ types: ["CONSUMED"] }),
    "rare types": only({ types: ["VOIDED", "CORRECTED", "EXPIRED"] }),
    "rare types of a currency": only({ types: ["ADJUSTED", "FUNDED"], currency: "USD" }),
    "mixed types": only({ types: ["CONSUMED", "CORRECTED"] }),
    adjusted: only({ types: ["ADJUSTED"] }),
    "one grant": only({ grantId: plain }),
    "one grant, some types": only({ grantId: api, types: ["FUNDED", "VOIDED", "EXPIRED"] }),
    "one grant, other currency": only({ grantId: plain, currency: "EUR" }),
    "one charge": only({ chargeId: charge }),
    "a charge that held": only({ chargeId: hold }),
    "a charge whose credit had ended": only({ chargeId: eur }),
    "one charge, some types": only({ chargeId: charge, types: ["CORRECTED", "EXPIRED"] }),
    "one charge and grant": only({ chargeId: charge, grantId: plain }),
    "one charge by feature": only({ chargeId: charge, features: noneOf }),
    "any of": only({ features: anyOf }),
    "none of": only({ features: noneOf }),
    contains: only({ features: { kind: "contains", parts: ["ch"] } }),
    unrestricted: only({ features: { kind: "unrestricted_only" } }),
    "features and types": only({ features: anyOf, types: ["VOIDED", "FUNDED"] }),
    "features and grant": only({ features: noneOf, grantId: plain }),
    "features and currency": only({ features: anyOf, currency: "EUR" }),
    from: only({ bookedFrom: middle }),
    until: only({ bookedUntil: middle }),
    range: only({ bookedFrom: middle, bookedUntil: late }),
    "empty range": only({ bookedFrom: late, bookedUntil: late }),
    "range and type": only({ bookedFrom: middle, bookedUntil: late, types: ["CONSUMED"] }),
    "no such grant": only({ grantId: charge as string as NonNullable<MovementFilter["grantId"]> }),
    "no such charge": only({
      chargeId: plain as string as NonNullable<MovementFilter["chargeId"]>,
    }),
  })) {
    filters.set(name, filter);
  }
}

const readPage = (customer: CustomerName, ask: Omit<PageAsk, "findsOlder">) =>
  readMovementPage(customers, customer, { ...ask, findsOlder: true });

const page = (ask: MovementAsk, start: Place | string, rowsMax: number) =>
  readPage(account.name, { ...ask, start, rowsMax });

const sequences = (movements: readonly { readonly transfer: { readonly sequence: bigint } }[]) =>
  movements.map(({ transfer }) => transfer.sequence);

const cursor = (ask: MovementAsk, place: Place) => makeCursor(account.name, ask, place);

describe("H1 H2 movements", () => {
  test("every type is there, and no other transfer", () => {
    const types = new Set(model.map(({ transfer }) => transfer.event));
    expect([...types].sort()).toEqual(
      ["ADJUSTED", "CONSUMED", "CORRECTED", "EXPIRED", "FUNDED", "VOIDED"].sort(),
    );
  });

  test("each has the description and metadata that the rules give it", async () => {
    const { movements } = await page({ filter: ALL, order: "OLDEST_FIRST" }, "", 1_000);

    expect(movements.map(({ transfer, ...words }) => ({ ...words, ...transfer }))).toEqual(
      model.map(({ transfer, description, metadata }) => {
        const { pendingAfter, grantRemainingAfter, grantHeldAfter, ...moved } = transfer;
        return { description, metadata, ...moved };
      }),
    );
    const texts = new Set(movements.map(({ description }) => description));
    for (const text of ["a gift", "sorry", "call 3", "a long job", "wrong price", "taken back"]) {
      expect(texts).toContain(text);
    }
  });

  test("along a currency the balance after is the balance before of the next", () => {
    const balances = runningBalances(model);

    for (const [index, { transfer }] of model.entries()) {
      const { before, after } = balances[index] ?? { before: 0n, after: 0n };
      expect([transfer.settledAfter, transfer.settledAfter - signedAmount(transfer)]).toEqual([
        after,
        before,
      ]);
    }
  });

  test("ids are those of the customer alone, in the order of the sequence", () => {
    const other = "01900000-0000-7000-8000-00000000beef" as CustomerId;
    const ids = model.map(({ transfer }) => movementId(account.id, transfer));

    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { transfer } of model) expect(ids).not.toContain(movementId(other, transfer));
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
  });
});

test("H2 no movement has the id of its customer, created at one moment with it", () => {
  const [first] = model;
  assert(first !== undefined, "there are movements");
  const { createdAt, sequence } = first.transfer;
  const customerId = makeId<CustomerId>(createdAt, sequence, 7);
  expect(movementId(customerId, first.transfer)).not.toBe(customerId);
});

/** A caller goes on by a cursor; a stream, which knows the place, has its rows read ahead. */
const GOING_ON = {
  cursor,
  place: (_: MovementAsk, place: Place) => place,
} as const;
const WAYS = ["cursor", "place"] as const;

describe.each(WAYS)("H3 H4 pages by %s", (way) => {
  const behindPlace = GOING_ON[way];

  const sizes = way === "cursor" ? [1, 3, 7, 1_000] : [3, 1_000];

  test.each(ORDERS.flatMap((order) => sizes.map((rowsMax) => ({ order, rowsMax }))))(
    "$order by $rowsMax: walking to either end meets each chosen movement once",
    async ({ order, rowsMax }) => {
      for (const [name, filter] of filters) {
        const expected = sequences(choose(model, filter));
        const ask = { filter, order };
        const met: bigint[] = [];
        let at: MovementPage = await page(ask, "", rowsMax);
        const last = at;
        for (;;) {
          const own = sequences(at.movements);
          const inOrder = own.toSorted((left, right) => (left < right ? -1 : 1));
          if (order === "NEWEST_FIRST") inOrder.reverse();
          expect(own, name).toEqual(inOrder);
          met.push(...own);
          expect(met.length, name).toBeLessThanOrEqual(expected.length);
          const next = order === "NEWEST_FIRST" ? at.older : at.more ? at.newer : null;
          if (next === null) break;
          expect(own.length, name).toBe(rowsMax);
          at = await page(ask, behindPlace(ask, next), rowsMax);
        }
        expect(met, name).toEqual(order === "NEWEST_FIRST" ? expected.toReversed() : expected);
        // Behind the newest there is nothing, and from there one finds back.
        const newest = order === "NEWEST_FIRST" ? last : at;
        const behind = await page(ask, behindPlace(ask, newest.newer), rowsMax);
        expect(behind.movements, name).toEqual([]);
        expect(behind.older !== null, name).toBe(expected.length > 0);
      }
    },
  );

  test.each(ORDERS)("%s: walking back from the far end meets the same", async (order) => {
    for (const [name, filter] of filters) {
      const expected = sequences(choose(model, filter));
      const ask = { filter, order };
      const start: Place = order === "NEWEST_FIRST" ? BEFORE_ALL : AFTER_ALL;
      const met: bigint[] = [];
      for (let at: Place | null = start; at !== null; ) {
        const found: MovementPage = await page(ask, behindPlace(ask, at), 4);
        const own = sequences(found.movements);
        met.unshift(...own);
        expect(met.length, name).toBeLessThanOrEqual(expected.length);
        if (order === "NEWEST_FIRST") {
          expect(found.older !== null, name).toBe(met.length > own.length);
          at = found.more ? found.newer : null;
        } else {
          at = found.older;
        }
      }
      expect(met, name).toEqual(order === "NEWEST_FIRST" ? expected.toReversed() : expected);
    }
  });
});

describe("H3 H4 pages", () => {
  test("rows written while someone pages neither repeat nor hide a row", async () => {
    const busy = await Account.open(ledger);
    await busy.grant("100");
    for (let count = 0; count < 6; count += 1) await busy.charge("1");
    const ask: MovementAsk = { filter: ALL, order: "NEWEST_FIRST" };
    const read = (start: Place | string) => readPage(busy.name, { ...ask, start, rowsMax: 3 });
    const first = await read("");
    await busy.charge("1");
    const second = await read(first.older ?? "");
    await busy.charge("1");
    const third = await read(second.older ?? "");
    const newer = await read(first.newer);

    expect([first, second, third].map(({ movements }) => sequences(movements))).toEqual([
      [7n, 6n, 5n],
      [4n, 3n, 2n],
      [1n],
    ]);
    expect(third.older).toBeNull();
    expect(sequences(newer.movements)).toEqual([9n, 8n]);
  });

  test("a page ends early where its texts are large", async () => {
    const wordy = await Account.open(ledger);
    await wordy.grant("100");
    const metadata = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`key-${index}`, "x".repeat(500)]),
    );
    for (let count = 0; count < 60; count += 1) await wordy.charge("1", { metadata });
    const ask = { filter: ALL, order: "NEWEST_FIRST", rowsMax: 100 } as const;

    const found = await readPage(wordy.name, { ...ask, start: "" });
    const rest = await readPage(wordy.name, {
      ...ask,
      start: found.older ?? "",
    });

    expect(found.movements.length).toBeGreaterThan(30);
    expect(found.movements.length).toBeLessThan(50);
    expect(sequences([...found.movements, ...rest.movements])).toEqual(
      Array.from({ length: 61 }, (_, index) => BigInt(61 - index)),
    );
  });
});

const BEFORE_ALL: Place = { direction: "newer", sequence: 0n };
const AFTER_ALL: Place = { direction: "older", sequence: 1_000_000n };

describe("H4 a cursor is bound to its arguments", () => {
  const ask: MovementAsk = { filter: ALL, order: "NEWEST_FIRST" };
  const moment = instant(5n) as Instant;

  test.each<[what: string, other: Partial<MovementFilter>, order: MovementOrder]>([
    ["another order", {}, "OLDEST_FIRST"],
    ["a currency", { currency: "USD" }, "NEWEST_FIRST"],
    ["types", { types: ["FUNDED"] }, "NEWEST_FIRST"],
    ["features", { features: { kind: "unrestricted_only" } }, "NEWEST_FIRST"],
    ["a beginning", { bookedFrom: moment }, "NEWEST_FIRST"],
    ["an end", { bookedUntil: moment }, "NEWEST_FIRST"],
  ])("it is refused with %s", async (_, other, order) => {
    const reading = page({ filter: { ...ALL, ...other }, order }, cursor(ask, AFTER_ALL), 5);
    expect(await refusalOf(reading)).toEqual(["CURSOR_MISMATCH", "cursor"]);
  });

  test("it is refused for another customer, and when it is none", async () => {
    const other = await Account.open(ledger);
    const read = (customer: CustomerName, start: string) =>
      refusalOf(readPage(customer, { ...ask, start, rowsMax: 5 }));

    const mismatch = ["CURSOR_MISMATCH", "cursor"];
    expect(await read(other.name, cursor(ask, AFTER_ALL))).toEqual(mismatch);
    expect(await read(account.name, "nonsense")).toEqual(mismatch);
    const nobody = "01900000-0000-7000-8000-00000000dead" as CustomerId;
    const unknown = { tenantId: TENANT, customerId: nobody };
    expect(await read(unknown, "nonsense")).toEqual(["CUSTOMER_NOT_FOUND", undefined]);
  });
});

async function refusalOf(reading: Promise<unknown>): Promise<unknown> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [error.reason, error.fieldViolations[0]?.field];
  }
}
