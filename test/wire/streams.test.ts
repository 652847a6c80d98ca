/**
 * Owns the server streams at the wire, over every protocol and both ports: history that follows,
 * balances that are watched, the journal and its audit.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { collect } from "../server/edges.ts";
import { callerOver, valueAt } from "./caller.ts";
import { EVERY_WAY, type Running, startService } from "./running.ts";
import { Story, step } from "./story.ts";

let running: Running;

beforeAll(async () => {
  running = await startService();
});
afterAll(() => running.close());

const USD = { currency: "USD" };
const GIFT = { ...USD, fundingMethod: "FUNDING_METHOD_PROMOTIONAL", amount: "10" };
const CHARGE = { ...USD, settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };
const OLDEST_FIRST = { order: "MOVEMENT_ORDER_OLDEST_FIRST" };

const amountsOf = (page: JsonObject) =>
  ((valueAt(page, "movements") ?? []) as JsonObject[]).map(({ amount }) => amount);

/** Reads on until a message says what is waited for; the test's own time limits it. */
async function nextThat(
  stream: AsyncGenerator<JsonObject>,
  says: (message: JsonObject) => boolean,
): Promise<JsonObject> {
  for (;;) {
    const { value, done } = await stream.next();
    if (done === true) throw new Error("the stream ended before it said what was waited for");
    if (says(value)) return value;
  }
}

describe.each(EVERY_WAY)("streams, over %s", (way, open) => {
  let story: Story;
  let customers = 0;

  beforeEach(async () => {
    customers += 1;
    story = await Story.begin(callerOver(open(running)), `${way} ${customers}`);
    await story.tell([
      step("gift", "CreateCreditGrant", GIFT),
      ...["1", "2", "3"].map((amount) => step(amount, "CreateCharge", { ...CHARGE, amount })),
    ]);
  });

  /** Opens a stream that does not end by itself, and lets go of it in the end. */
  async function following(
    rpc: string,
    request: JsonObject,
    read: (stream: AsyncGenerator<JsonObject>) => Promise<void>,
  ): Promise<void> {
    const gone = new AbortController();
    const stream = story.caller.stream(rpc, story.requestOf(rpc, request, ""), gone.signal);
    try {
      await read(stream);
    } finally {
      gone.abort();
      await expect(stream.next()).rejects.toThrow();
    }
  }

  test("H5 history is a stream of pages, and a cursor leads on from each", async () => {
    const { caller, customer } = story;
    const ask = { customerId: customer, pageSize: 3, ...OLDEST_FIRST };
    const pages = await collect(caller.stream("StreamMovements", ask));
    expect(pages.map(amountsOf)).toEqual([["10", "-1", "-2"], ["-3"]]);

    const cursor = valueAt(pages[0], "resumeCursor") ?? "";
    const rest = await collect(caller.stream("StreamMovements", { ...ask, cursor }));
    expect(rest.map(amountsOf)).toEqual([["-3"]]);
    const listed = await caller.call("ListMovements", { ...ask, cursor });
    expect(amountsOf(listed)).toEqual(["-3"]);
  });

  test("H5 a stream that follows delivers what is committed meanwhile", async () => {
    await following("StreamMovements", { ...OLDEST_FIRST, follow: true }, async (stream) => {
      const first = await nextThat(stream, (page) => amountsOf(page).length > 0);
      expect(amountsOf(first)).toEqual(["10", "-1", "-2", "-3"]);
      await story.call("CreateCharge", { ...CHARGE, amount: "4" }, "4");

      const next = await nextThat(stream, (page) => amountsOf(page).length > 0);
      expect(amountsOf(next)).toEqual(["-4"]);
      expect(valueAt(next, "movements.0.chargeId")).toBe(story.at("4", "charge.id"));
    });
  });

  test("B1 a watched balance is told now, and again when it has changed", async () => {
    await following("WatchBalance", USD, async (stream) => {
      const first = await nextThat(stream, () => true);
      expect(valueAt(first, "balances.0.pending")).toBe("4");
      await story.call("CreateCharge", { ...CHARGE, capture: "CAPTURE_MANUAL", amount: "3" }, "h");

      const next = await nextThat(stream, (answer) => valueAt(answer, "balances.0.held") === "3");
      expect(valueAt(next, "balances.0")).toEqual({
        currency: "USD",
        settled: "4",
        pending: "1",
        held: "3",
        upcoming: "0",
      });
    });
  });

  test("L3 the journal is a gap-free sequence, read from anywhere", async () => {
    const ask = { customerId: story.customer, fromSequence: "3" };
    const pages = await collect(story.caller.stream("ListTransfers", ask));
    const transfers = pages.flatMap((page) => valueAt(page, "transfers") as JsonObject[]);

    expect(transfers.map(({ sequence }) => sequence)).toEqual(["3", "4"]);
    expect(transfers[0]).toMatchObject({
      event: "TRANSFER_EVENT_CONSUMED",
      debitAccount: "ACCOUNT_CUSTOMER_CREDIT",
      creditAccount: "ACCOUNT_EARNINGS",
      amount: "2",
      chargeId: story.at("2", "charge.id"),
      settledAfter: "7",
    });
  });

  test("L6 the audit of a customer ends with a summary without findings", async () => {
    const ask = { customerId: story.customer };
    const messages = await collect(story.caller.stream("Audit", ask));

    expect(messages.at(-1)).toEqual({ summary: { customers: "1", transfers: "4" } });
  });

  test("L4 debits and credits of the trial balance are equal", async () => {
    const { rows } = await story.caller.call("GetTrialBalance", USD);
    const sums = (rows as JsonObject[]).map(({ debits, credits }) => [debits, credits].map(Number));
    const total = (side: number) => sums.reduce((sum, sides) => sum + (sides[side] ?? 0), 0);

    expect(rows).not.toEqual([]);
    expect(total(0)).toBe(total(1));
  });
});
