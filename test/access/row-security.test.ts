/**
 * R8, the second pass: row-level security alone. The victim's own caller makes every call of the
 * contract, so every condition of every statement is met by the victim's rows, whatever it says or
 * leaves out; but the database is told that the transaction is another tenant's, or nobody's. What
 * then comes back is all that row-level security lets through.
 */
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { METHODS } from "../contract/descriptors.ts";
import type { Caller } from "../wire/caller.ts";
import { PORTS_AND_PROTOCOLS, type Running, startService } from "../wire/running.ts";
import { callerWith } from "./keys.ts";
import { type Attempt, outcomeOf, requestsOf } from "./probes.ts";
import { makeWorld, type World } from "./world.ts";

const { NO_SIDE_EFFECTS } = MethodOptions_IdempotencyLevel;

let running: Running;
let world: World;
let victim: Caller;
let attempt: Attempt;

/** What the database is told instead of the victim's tenant; undefined: the truth. */
let instead: string | undefined;
let changed = 0;

const query = pg.Client.prototype.query;

beforeAll(async () => {
  running = await startService();
  const [[, open] = expect.fail()] = PORTS_AND_PROTOCOLS;
  world = await makeWorld(running, open(running));
  const { story, key, tenantId } = world.victim;
  victim = callerWith(open(running), key);
  attempt = { own: story, key, tenantId, theirs: () => undefined };
  pg.Client.prototype.query = function (this: pg.Client, ...words: unknown[]) {
    const [text] = words;
    if (instead !== undefined && typeof text === "string" && text.includes("SET LOCAL")) {
      changed += 1;
      words[0] = text.replace(/SET LOCAL app\.tenant = '[^']*'/, instead);
    }
    return Reflect.apply(query, this, words);
  } as typeof query;
});
afterAll(async () => {
  instead = undefined;
  pg.Client.prototype.query = query;
  await running.close();
});

/** About the tenant as a whole, answered from nothing that a tenant has, or from the operator's. */
const EMPTY: Readonly<Record<string, unknown>> = {
  ListCustomers: {},
  ListRateCards: {},
  GetTrialBalance: { asOf: expect.any(String), completeUntil: expect.any(String) },
  ListCurrencies: {
    currencies: expect.not.arrayContaining([expect.objectContaining({ custom: true })]),
  },
};

const NOT_FOUND = { refused: expect.objectContaining({ code: "NOT_FOUND" }) };
const DENIED = { refused: expect.objectContaining({ reason: "PERMISSION_DENIED" }) };

function expected(name: string, service: string, request: object): unknown {
  if (service === "AccessService") return DENIED;
  if (name === "BatchCreateCharges") {
    return {
      results: [{ error: expect.objectContaining({ reason: "ERROR_REASON_CUSTOMER_NOT_FOUND" }) }],
    };
  }
  if (name === "Audit" && !("customerId" in request)) return expect.anything();
  return EMPTY[name] ?? NOT_FOUND;
}

describe.each([
  ["another tenant's", () => `SET LOCAL app.tenant = '${world.stranger.tenantId}'`],
  ["nobody's", () => "SELECT 1"],
])("R8 by row-level security alone, in a transaction that is %s", (_whose, statement) => {
  beforeAll(() => {
    instead = statement();
  });
  afterAll(() => {
    instead = undefined;
  });

  test.each(METHODS.map((method) => [method.name, method] as const))(
    "%s finds nothing of the victim's",
    async (name, method) => {
      const before = changed;
      for (const request of requestsOf(method, attempt)) {
        const told = await outcomeOf(victim, method, request);
        expect(told).toEqual(expected(name, method.parent.name, request));
        // Its own tenant is what the caller belongs to, and is told so.
        const asked = JSON.stringify([request, world.victim.tenantId]);
        const found = world.marks.filter((mark) => JSON.stringify(told).includes(mark));
        expect(found.filter((mark) => !asked.includes(mark))).toEqual([]);
      }
      // A call that never reaches the database proves nothing.
      if (method.parent.name !== "AccessService") expect(changed).toBeGreaterThan(before);
    },
  );
});

test("told the truth, the database answers the same calls with what is there", async () => {
  for (const method of METHODS) {
    if (method.parent.name === "AccessService" || method.methodKind !== "unary") continue;
    if (method.idempotency !== NO_SIDE_EFFECTS) continue;
    for (const request of requestsOf(method, attempt)) {
      expect(await outcomeOf(victim, method, request), method.name).not.toHaveProperty("refused");
    }
  }
});
