import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refuse } from "../../src/errors.ts";
import type { Call } from "../../src/rpc/method.ts";
import {
  AUTHORIZED,
  type Clients,
  CUSTOMER_ID,
  clientsOver,
  collect,
  type Edges,
  eventually,
  failureOf,
  KEY,
  startEdges,
  TENANT_ID,
  WAYS,
} from "./edges.ts";

/** What the handlers were given, last. */
let lastCall: Call | undefined;
let handled = 0;
let edges: Edges;

beforeAll(async () => {
  edges = await startEdges({
    async listCurrencies(_request, call) {
      handled += 1;
      lastCall = call;
      return { currencies: [{ code: "USD", name: "US Dollar", exponent: 2 }] };
    },
    async createCurrency({ code, name }, call) {
      handled += 1;
      lastCall = call;
      if (name === "wait") await delay(60_000, undefined, { signal: call.signal });
      if (code === "TAKEN") throw refuse("CURRENCY_CODE_TAKEN", "TAKEN is taken.", { code });
      if (code === "BUSY") throw refuse("OVERLOADED", "Too much at once.");
      if (code === "FINE") throw refuse("AMOUNT_TOO_FINE", "Too fine.", { code }, "exponent");
      if (code === "BUG") throw new Error("the secret of this bug is 42.5");
      return { currency: { code, name } };
    },
    async *streamMovements({ cursor }, call) {
      lastCall = call;
      for (const description of ["one", "two", "three"]) {
        yield { movements: [{ description }], resumeCursor: description };
      }
      if (cursor === "refused") throw refuse("CURSOR_MISMATCH", "Not yours.", {}, "cursor");
      if (cursor === "wait") await delay(60_000, undefined, { signal: call.signal });
    },
  });
});

afterAll(() => edges.server.drain(1_000));

const TOKENS = { requestId: "r1", code: "TOKENS", name: "Tokens", exponent: 0 };

describe.each(WAYS)("every call, over %s", (_name, open) => {
  let clients: Clients;
  beforeAll(() => {
    clients = clientsOver(open(edges));
  });

  test("a unary call is answered, and its handler knows the tenant", async () => {
    const { currencies } = await clients.currencies.listCurrencies({}, AUTHORIZED);

    expect(currencies.map(({ code, exponent }) => [code, exponent])).toEqual([["USD", 2]]);
    expect(lastCall?.tenantId).toBe(TENANT_ID);
  });

  test.each([
    ["no key", {}],
    ["another key", { authorization: `Bearer ${KEY}x` }],
    ["the beginning of the key", { authorization: `Bearer ${KEY.slice(0, -1)}` }],
    ["the key in another scheme", { authorization: `Basic ${KEY}` }],
    ["an empty key", { authorization: "Bearer " }],
  ])("a call with %s is UNAUTHENTICATED and reaches no handler", async (_what, headers) => {
    const before = handled;
    const unary = await failureOf(clients.currencies.createCurrency({}, { headers }));
    const stream = await failureOf(collect(clients.history.streamMovements({}, { headers })));

    for (const seen of [unary, stream]) {
      expect(seen).toMatchObject({ code: Code.Unauthenticated, reason: "UNAUTHENTICATED" });
      expect(seen).toMatchObject({ domain: "drawdown.v1", violations: [] });
    }
    expect(handled).toBe(before);
  });

  test("a malformed field is INVALID_ARGUMENT with the path of each", async () => {
    const before = handled;
    const broken = { requestId: "", code: "no", name: "x", exponent: 13 };
    const seen = await failureOf(clients.currencies.createCurrency(broken, AUTHORIZED));

    expect(seen).toEqual({
      code: Code.InvalidArgument,
      message:
        "request_id: must be at least 1 characters; " +
        "code: must be a currency code of 3 to 32 capitals, digits and underscores, such as USD; " +
        "exponent: must be greater than or equal to 0 and less than or equal to 12",
      reason: "INVALID_REQUEST",
      domain: "drawdown.v1",
      facts: {},
      violations: [
        ["request_id", "must be at least 1 characters"],
        [
          "code",
          "must be a currency code of 3 to 32 capitals, digits and underscores, such as USD",
        ],
        ["exponent", "must be greater than or equal to 0 and less than or equal to 12"],
      ],
    });
    expect(handled).toBe(before);
  });

  test("a stream's request is checked as well, rules of the whole message included", async () => {
    const broken = { customerId: CUSTOMER_ID, follow: true };
    const seen = await failureOf(collect(clients.history.streamMovements(broken, AUTHORIZED)));

    expect(seen).toMatchObject({ code: Code.InvalidArgument, reason: "INVALID_REQUEST" });
    expect(seen.violations).toEqual([["follow", "must be set with the order OLDEST_FIRST only"]]);
  });

  test("a refusal arrives with its code, reason and facts", async () => {
    const request = { ...TOKENS, code: "TAKEN" };
    const seen = await failureOf(clients.currencies.createCurrency(request, AUTHORIZED));

    expect(seen).toEqual({
      code: Code.AlreadyExists,
      message: "TAKEN is taken.",
      reason: "CURRENCY_CODE_TAKEN",
      domain: "drawdown.v1",
      facts: { code: "TAKEN" },
      violations: [],
    });
  });

  test("a verb's refusal of one field arrives with that field", async () => {
    const request = { ...TOKENS, code: "FINE" };
    const seen = await failureOf(clients.currencies.createCurrency(request, AUTHORIZED));

    expect(seen).toMatchObject({ code: Code.InvalidArgument, reason: "AMOUNT_TOO_FINE" });
    expect(seen.violations).toEqual([["exponent", "Too fine."]]);
  });

  test("a bug is INTERNAL and tells nothing, but the log has its stack", async () => {
    const before = edges.log.length;
    const request = { ...TOKENS, code: "BUG" };
    const seen = await failureOf(clients.currencies.createCurrency(request, AUTHORIZED));

    expect(seen).toMatchObject({ code: Code.Internal, reason: "INTERNAL" });
    expect(JSON.stringify(seen)).not.toContain("42.5");
    const bugs = edges.log.slice(before).filter(({ err }) => err !== undefined);
    expect(bugs).toMatchObject([
      { method: "/drawdown.v1.CurrencyService/CreateCurrency", err: { type: "Error" } },
    ]);
    expect(JSON.stringify(bugs)).toContain("calls.test.ts");
  });

  test("a stream arrives in order and ends", async () => {
    const request = { customerId: CUSTOMER_ID };
    const pages = await collect(clients.history.streamMovements(request, AUTHORIZED));

    expect(pages.map(({ resumeCursor }) => resumeCursor)).toEqual(["one", "two", "three"]);
    expect(lastCall?.tenantId).toBe(TENANT_ID);
  });

  test("a refusal in mid-stream arrives after what was sent before it", async () => {
    const request = { customerId: CUSTOMER_ID, cursor: "refused" };
    const pages: string[] = [];
    const reading = (async () => {
      for await (const page of clients.history.streamMovements(request, AUTHORIZED)) {
        pages.push(page.resumeCursor);
      }
    })();

    expect(await failureOf(reading)).toMatchObject({
      code: Code.InvalidArgument,
      reason: "CURSOR_MISMATCH",
      violations: [["cursor", "Not yours."]],
    });
    expect(pages).toEqual(["one", "two", "three"]);
  });

  test("a deadline aborts the handler's signal with DEADLINE_EXCEEDED", async () => {
    const request = { ...TOKENS, name: "wait" };
    const options = { ...AUTHORIZED, timeoutMs: 60 };
    const seen = await failureOf(clients.currencies.createCurrency(request, options));

    expect(seen.code).toBe(Code.DeadlineExceeded);
    await eventually(() => lastCall?.signal.aborted === true, "the handler is told");
    const reason = lastCall?.signal.reason;
    expect(reason).toBeInstanceOf(ConnectError);
    expect([Code.DeadlineExceeded, Code.Canceled]).toContain((reason as ConnectError).code);
  });

  test("a caller that cancels aborts the handler's signal, unary and stream", async () => {
    const byUnary = new AbortController();
    const options = { ...AUTHORIZED, signal: byUnary.signal };
    const before = handled;
    const unary = failureOf(
      clients.currencies.createCurrency({ ...TOKENS, name: "wait" }, options),
    );
    await eventually(() => handled > before, "the handler runs");
    const unaryCall = lastCall;
    byUnary.abort();
    expect((await unary).code).toBe(Code.Canceled);
    await eventually(() => unaryCall?.signal.aborted === true, "the unary handler is told");

    const byStream = new AbortController();
    const reading = failureOf(
      (async () => {
        const request = { customerId: CUSTOMER_ID, cursor: "wait" };
        const streamOptions = { ...AUTHORIZED, signal: byStream.signal };
        for await (const page of clients.history.streamMovements(request, streamOptions)) {
          if (page.resumeCursor === "three") byStream.abort();
        }
      })(),
    );
    expect((await reading).code).toBe(Code.Canceled);
    await eventually(() => lastCall?.signal.aborted === true, "the stream's handler is told");
  });
});

describe("the log", () => {
  test("has a line per call with method, code, duration and ids, and neither key nor text", async () => {
    const before = edges.log.length;
    const [, open] = WAYS[0] ?? expect.fail();
    const { currencies } = clientsOver(open(edges));
    const secret = { ...TOKENS, code: "TAKEN", name: "the name of a secret" };
    await failureOf(currencies.createCurrency(secret, AUTHORIZED));
    await currencies.listCurrencies({}, AUTHORIZED);
    await failureOf(currencies.createCurrency({ ...TOKENS, code: "usd" }, AUTHORIZED));
    await failureOf(currencies.listCurrencies({}));

    const lines = edges.log.slice(before).filter(({ msg }) => msg === "rpc");
    const ended = {
      level: 30,
      duration_ms: expect.any(Number),
      tenant_id: TENANT_ID,
      caller: "admin key",
    };
    expect(lines).toMatchObject([
      {
        ...ended,
        method: "/drawdown.v1.CurrencyService/CreateCurrency",
        code: "ALREADY_EXISTS",
        reason: "CURRENCY_CODE_TAKEN",
        request_id: TOKENS.requestId,
      },
      { ...ended, method: "/drawdown.v1.CurrencyService/ListCurrencies", code: "OK" },
      { ...ended, code: "INVALID_ARGUMENT", request_id: TOKENS.requestId },
      { level: 30, code: "UNAUTHENTICATED" },
    ]);
    expect(JSON.stringify(edges.log)).not.toContain(KEY);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });
});
