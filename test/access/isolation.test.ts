/**
 * R8, over every protocol and both ports: whoever belongs to another tenant, or is bound to another
 * customer, sees nothing of the victim's, cannot tell what it has from what nobody has, and changes
 * nothing. What is tried is made from the contract's descriptors, so a new RPC without a request of
 * its own, and a new field that nobody has a name for, fail here.
 */
import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { METHODS } from "../contract/descriptors.ts";
import { TABLES } from "../database/sample-rows.ts";
import { type Caller, methodOf } from "../wire/caller.ts";
import { PORTS_AND_PROTOCOLS, type Running, startService } from "../wire/running.ts";
import { callerWith } from "./keys.ts";
import {
  type Attempt,
  outcomeOf,
  type Probe,
  probesOf,
  requestsOf,
  withoutNames,
} from "./probes.ts";
import { REQUESTS } from "./requests.ts";
import {
  makeWorld,
  THEIR_CARD,
  THEIR_CURRENCY,
  THEIR_CUSTOMER,
  THEIR_OTHER_CARD,
  THEIR_OTHER_CURRENCY,
  THEIR_OTHER_CUSTOMER,
  type World,
} from "./world.ts";

const { NO_SIDE_EFFECTS } = MethodOptions_IdempotencyLevel;

let running: Running;
let world: World;
let books: unknown;

beforeAll(async () => {
  running = await startService();
  const [[, open] = expect.fail()] = PORTS_AND_PROTOCOLS;
  world = await makeWorld(running, open(running));
  books = await booksOf(world.victim.tenantId);
});
afterAll(() => running.close());

/** Every row of the tenant in every table, but for when its API keys were used. */
async function booksOf(tenantId: string): Promise<unknown> {
  const books: Record<string, readonly string[]> = {};
  for (const table of TABLES) {
    const { rows } = await running.ledger.superuser.query(
      `SELECT to_jsonb(t) - 'last_used_at' AS row FROM ${table} t WHERE tenant_id = $1`,
      [tenantId],
    );
    books[table] = rows.map(({ row }) => JSON.stringify(row)).sort();
  }
  return books;
}

/** The victim's name for what a field names. */
function theirName(method: DescMethod, field: string): string | undefined {
  const { story } = world.victim;
  const isCreated = method.name.startsWith("Create");
  switch (field) {
    case "customerId":
      return story.customer;
    case "creditGrantId":
      return story.at("gift", "creditGrant.id");
    case "chargeId":
      return story.at("open", "charge.id");
    case "invoiceId":
      return story.at("sold", "invoice.id");
    case "currency":
      return THEIR_CURRENCY;
    case "code":
      return THEIR_OTHER_CURRENCY;
    case "rateCardKey":
      return THEIR_CARD;
    case "key":
      if (method.name === "GetCustomer") return THEIR_CUSTOMER;
      if (method.name === "CreateCustomer") return THEIR_OTHER_CUSTOMER;
      return isCreated ? THEIR_OTHER_CARD : THEIR_CARD;
    case "featureKey":
      return "their feature";
    case "tenantId":
      return world.victim.tenantId;
    case "apiKeyId":
      return world.victim.key.apiKeyId;
    case "pageToken":
    case "cursor":
      return world.tokens.get(method.name);
    default:
      return expect.fail(`who tries ${method.name} has no name of another's for ${field}`);
  }
}

/** What is the tenant's own may be known to everybody in it; only customers are apart. */
const OF_CUSTOMERS = /^(customerId|creditGrantId|chargeId|invoiceId|pageToken|cursor)$/;

const strangers = (): Attempt => ({ ...ofHousehold(world.stranger), theirs: theirName });
const neighbours = (): Attempt => ({
  ...ofHousehold(world.neighbour),
  theirs: (method, field) => {
    const isOfCustomers = OF_CUSTOMERS.test(field) || method.name === "GetCustomer";
    return isOfCustomers ? theirName(method, field) : undefined;
  },
});

function ofHousehold({ story, key, tenantId }: World["victim"]) {
  return { own: story, key, tenantId };
}

/** Asks for the victim's thing and for nobody's, and must be told the same. Answers what. */
async function cannotTell(caller: Caller, probe: Probe): Promise<string> {
  const method = methodOf(probe.rpc);
  const theirs = await outcomeOf(caller, method, probe.theirs);
  const nobodys = await outcomeOf(caller, method, probe.nobodys);

  const what = `${probe.rpc} with another's ${probe.field}`;
  const told = withoutNames(theirs, probe.theirs, probe.field);
  expect(told, what).toBe(withoutNames(nobodys, probe.nobodys, probe.field));
  const asked = JSON.stringify(probe.theirs);
  expect(
    marksIn(JSON.stringify(theirs)).filter((mark) => !asked.includes(mark)),
    what,
  ).toEqual([]);
  return told;
}

const marksIn = (text: string) => world.marks.filter((mark) => text.includes(mark));

test("every RPC of the contract is tried", () => {
  expect(Object.keys(REQUESTS)).toEqual(METHODS.map(({ name }) => name));
});

test("a request id that another tenant has used is new", () => {
  const told = ({ told }: World["victim"]) => new Map(told.map((each) => [each.step.name, each]));
  const [theirs, own] = [told(world.victim), told(world.stranger)];
  const same = [...own.keys()].filter((name) => theirs.has(name));
  expect(same.length).toBeGreaterThan(20);
  for (const name of same) {
    expect(own.get(name)?.step, name).toEqual(theirs.get(name)?.step);
    expect(marksIn(JSON.stringify(own.get(name)?.answer)), name).toEqual([]);
  }
});

describe.each(PORTS_AND_PROTOCOLS)("R8 over %s", (_way, open) => {
  let stranger: Caller;
  let neighbour: Caller;

  beforeAll(() => {
    stranger = callerWith(open(running), world.stranger.key);
    neighbour = callerWith(open(running), world.neighbour.key);
  });

  describe.each(METHODS.map((method) => [method.name, method] as const))("%s", (_name, method) => {
    test.concurrent("another tenant's things and nobody's are told alike", async () => {
      const probes = probesOf(method, strangers());
      for (const probe of probes) await cannotTell(stranger, probe);
    });

    test.concurrent("another customer's things and nobody's are told alike", async () => {
      for (const probe of probesOf(method, neighbours())) {
        const told = await cannotTell(neighbour, probe);
        if (told.includes('"scope":"tenant"')) continue;
        // And as whoever may know every customer is told of one that does not exist.
        const known = await outcomeOf(world.victim.story.caller, method, probe.nobodys);
        expect(told, probe.rpc).toBe(withoutNames(known, probe.nobodys, probe.field));
      }
    });

    if (method.idempotency !== NO_SIDE_EFFECTS) return;
    test.concurrent("what is read has nothing of anybody else's in it", async () => {
      for (const request of requestsOf(method, strangers())) {
        const told = await outcomeOf(stranger, method, request);
        expect(marksIn(JSON.stringify(told))).toEqual([]);
      }
      for (const request of requestsOf(method, neighbours())) {
        const told = JSON.stringify(await outcomeOf(neighbour, method, request));
        expect(told).not.toContain(world.victim.story.customer);
        expect(told).not.toContain(THEIR_CUSTOMER);
      }
    });
  });

  test("what the victim once asked is not answered to anybody else again", async () => {
    const { told, story } = world.victim;
    for (const { step } of told) {
      const request = story.requestOf(step.rpc, step.request, step.name);
      if (!("customerId" in request)) continue;
      const nobodys = { ...request, customerId: "0190a1b2-c3d4-7000-8000-00000000dead" };
      for (const caller of [stranger, neighbour]) {
        const probe = { rpc: step.rpc, field: "customerId", theirs: request, nobodys };
        await cannotTell(caller, probe as Probe);
      }
    }
  });

  test("nothing of the victim's has changed", async () => {
    expect(await booksOf(world.victim.tenantId)).toEqual(books);
  });
});

test("an operator's key opens the books of its own tenant only", async () => {
  const { customer: customerId } = world.victim.story;
  const told = await outcomeOf(world.operator, methodOf("GetBalance"), { customerId });
  expect(told).toMatchObject({ refused: { reason: "CUSTOMER_NOT_FOUND" } });
});
