/**
 * Owns what a caller is told when the rules say no, over every protocol and both ports: each
 * reason that a caller can provoke, with its code, its facts and the field. Nothing is written.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REASONS } from "../../src/errors.ts";
import { collect } from "../server/edges.ts";
import { callerOver, refusalOf } from "./caller.ts";
import { REFUSED_CALLS, type RefusedCalls } from "./refused-calls.ts";
import { REGISTERED, SETTING } from "./refused-setting.ts";
import { EVERY_WAY, type Running, startService } from "./running.ts";
import { Story } from "./story.ts";

let running: Running;

beforeAll(async () => {
  running = await startService();
});
afterAll(() => running.close());

/** What no caller brings about by what it asks for, and where else it is tested. */
const NOT_HERE: Readonly<Record<string, string>> = {
  PERMISSION_DENIED: "test/access: the key of these tests may do everything",
  RATE_LIMITED: "there is no rate limit yet",
  TENANT_NOT_FOUND: "test/access: only AccessService names tenants",
  API_KEY_NOT_FOUND: "test/access: only AccessService names API keys",
  IDENTITY_PROVIDER_UNAVAILABLE: "test/access: only web tokens need their issuer",
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

const USD = { currency: "USD" };
const CREDIT_ONLY = { settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };

describe.each(EVERY_WAY)("W3 refusals, over %s", (way, open) => {
  let story: Story;
  let books: unknown;

  beforeAll(async () => {
    story = await Story.begin(callerOver(open(running)), way);
    await story.tell(REGISTERED);
    await story.tell(SETTING);
    books = await booksOf(story);
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

  test("none of them has written anything, and their request id may still succeed", async () => {
    expect(await booksOf(story)).toEqual(books);
    await story.call("CreateCharge", { ...USD, ...CREDIT_ONLY, amount: "5" }, "refused");
  });
});

/** All that a refusal must leave as it is. */
async function booksOf({ caller, customer: customerId }: Story) {
  const { balances, sequence } = await caller.call("GetBalance", { customerId });
  const lists = ["ListCreditGrants", "ListCharges", "ListInvoices", "ListMovements"].map((rpc) =>
    caller.call(rpc, { customerId }),
  );
  const transfers = await collect(caller.stream("ListTransfers", { customerId }));
  return { balances, sequence, lists: await Promise.all(lists), transfers };
}

function nameOf(refused: RefusedCalls): [string, RefusedCalls] {
  const { reason, field, facts } = refused;
  return [`${reason} ${field ?? ""} ${Object.keys(facts).join(" ")}`, refused];
}
