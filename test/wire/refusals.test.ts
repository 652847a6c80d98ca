/**
 * Owns what a caller is told when the rules say no, over every protocol and both ports: each
 * reason that a caller can provoke, with its code, its facts and the field. Nothing is written.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REASONS } from "../../src/errors.ts";
import { callerOver, refusalOf } from "./caller.ts";
import { REFUSED_CALLS, REGISTERED, type RefusedCalls, SETTING } from "./refused-calls.ts";
import { EVERY_WAY, type Running, startService } from "./running.ts";
import { Story } from "./story.ts";

let running: Running;

beforeAll(async () => {
  running = await startService();
});
afterAll(() => running.close());

/** What no caller brings about by what it asks for, and where else it is tested. */
const NOT_HERE: Readonly<Record<string, string>> = {
  PERMISSION_DENIED: "there is one key, and it may do everything",
  RATE_LIMITED: "there is no rate limit yet",
  TOO_MANY_DRAWS: "many-draws.test.ts: it takes more than 1,000 grants",
  OVERLOADED: "test/pipeline",
  DRAINING: "test/server",
  DATABASE_UNAVAILABLE: "test/database",
  OUTCOME_UNKNOWN: "test/pipeline",
  INTERNAL: "nothing a caller does may be INTERNAL",
};

test("W3 every reason that a caller can provoke is provoked here", () => {
  const provoked = new Set(["UNAUTHENTICATED", ...REFUSED_CALLS.map(({ reason }) => reason)]);

  expect(REASONS.filter((reason) => !provoked.has(reason))).toEqual(
    REASONS.filter((reason) => reason in NOT_HERE),
  );
});

describe.each(EVERY_WAY)("W3 refusals, over %s", (way, open) => {
  let story: Story;

  beforeAll(async () => {
    story = await Story.begin(callerOver(open(running)), way);
    await story.tell(REGISTERED);
    await story.tell(SETTING);
  });

  test.concurrent.each(REFUSED_CALLS.map(nameOf))("%s", async (_name, refused) => {
    const { code, reason, field, facts, calls } = refused;
    const told = await Promise.all(
      calls.map(async ([rpc, request]) => [
        rpc,
        await refusalOf(story.caller, rpc, story.requestOf(rpc, request, "refused")),
      ]),
    );

    const fields = field === undefined ? [] : [field];
    const expected = { code, reason, facts: story.resolve(facts), fields };
    expect(told).toEqual(calls.map(([rpc]) => [rpc, expected]));
  });

  test("a call without a key is told so before anything else", async () => {
    for (const headers of [{}, { authorization: "Bearer dda_wrong" }]) {
      const stranger = callerOver(open(running), headers as Record<string, string>);
      for (const [rpc, request] of [
        ["GetBalance", {}],
        ["CreateCharge", { amount: "1e3" }],
        ["StreamMovements", {}],
      ] as const) {
        expect(await refusalOf(stranger, rpc, request)).toEqual({
          code: "UNAUTHENTICATED",
          reason: "UNAUTHENTICATED",
          facts: {},
          fields: [],
        });
      }
    }
  });

  test("none of them has written anything, and none has used up its request id", async () => {
    const before = story.at("drafts", "invoices.0.id");
    const { balances, sequence } = await story.call("GetBalance", { currency: "USD" }, "after");
    expect(balances).toEqual([
      { currency: "USD", settled: "7", pending: "5", held: "2", upcoming: "5" },
    ]);
    const transfers: JsonObject[] = [];
    for await (const page of story.caller.stream("ListTransfers", { customerId: story.customer })) {
      transfers.push(...(page["transfers"] as JsonObject[]));
    }
    expect(transfers).toHaveLength(Number(sequence));
    expect(transfers.filter(({ event }) => event === "TRANSFER_EVENT_FUNDED")).toHaveLength(3);
    await story.tell([
      {
        name: "refused",
        rpc: "GetInvoice",
        request: { invoiceId: before },
        says: { "invoice.status": "INVOICE_STATUS_DRAFT", "invoice.subtotal": "-7" },
      },
    ]);
    const charge = { currency: "USD", settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY", amount: "5" };
    await story.call("CreateCharge", charge, "refused");
  });
});

function nameOf(refused: RefusedCalls): [string, RefusedCalls] {
  const { reason, field, facts } = refused;
  return [`${reason} ${field ?? ""} ${Object.keys(facts).join(" ")}`, refused];
}
