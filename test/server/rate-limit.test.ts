import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { Refusal } from "../../src/errors.ts";
import { RateLimit } from "../../src/server/rate-limit.ts";
import {
  AUTHORIZED,
  clientsOver,
  type Edges,
  eventually,
  failureOf,
  KEY,
  startEdges,
  WAYS,
} from "./edges.ts";
import { h2Open } from "./h2.ts";

type Calls = Readonly<Record<string, number>>;

/**
 * Lets tenants make so many calls in each second, spread evenly and in turns; answers how many of
 * them were let in, second by second.
 */
function letIn(limit: RateLimit, seconds: readonly Calls[]): readonly Calls[] {
  return seconds.map((calls, second) => {
    const arrivals = Object.entries(calls).flatMap(([tenant, count]) =>
      Array.from({ length: count }, (_, index) => ({ tenant, part: (index + 0.5) / count })),
    );
    const came: Record<string, number> = {};
    for (const { tenant, part } of arrivals.sort((one, other) => one.part - other.part)) {
      came[tenant] ??= 0;
      try {
        limit.admit({ key: `key of ${tenant}`, tenant, nowMs: (second + part) * 1_000 });
        came[tenant] += 1;
      } catch (error) {
        if (!(error instanceof Refusal) || error.reason !== "RATE_LIMITED") throw error;
      }
    }
    return came;
  });
}

describe("a key's rate", () => {
  const perKey = () => new RateLimit({ callsPerSecondPerKeyMax: 10, callsPerSecondMax: 0 });

  test("is what is let in, after the calls of one second at once", () => {
    // 10 are there at first, and 10 come with each second.
    const [{ a: first } = {}, ...rest] = letIn(perKey(), [{ a: 100 }, { a: 100 }, { a: 100 }]);

    expect(first).toBeGreaterThanOrEqual(18);
    expect(first).toBeLessThanOrEqual(20);
    expect(rest).toEqual([{ a: 10 }, { a: 10 }]);
  });

  test("is its own: nobody's key takes from another's", () => {
    const [, second] = letIn(perKey(), [
      { a: 100, b: 5 },
      { a: 100, b: 5 },
    ]);

    expect(second).toEqual({ a: 10, b: 5 });
  });

  test("is forgotten of keys that rest, and of no other", () => {
    const limit = perKey();
    for (let each = 0; each < 20; each++) {
      try {
        limit.admit({ key: "busy", tenant: "t", nowMs: 9_999 });
      } catch {
        // From the eleventh on.
      }
    }
    for (let each = 0; each < 30_000; each++) {
      limit.admit({ key: `key ${each}`, tenant: "t", nowMs: 10_000 });
    }

    expect(() => limit.admit({ key: "busy", tenant: "t", nowMs: 10_000 })).toThrow(/API key/);
  });
});

describe("the total", () => {
  const inAll = () => new RateLimit({ callsPerSecondPerKeyMax: 0, callsPerSecondMax: 100 });

  test.each<readonly [what: string, asked: Calls, came: Calls]>([
    ["one tenant alone has all of it", { a: 1_000 }, { a: 100 }],
    ["two that ask for more have half each", { a: 1_000, b: 300 }, { a: 50, b: 50 }],
    ["who asks for little gets it", { a: 1_000, b: 10 }, { a: 90, b: 10 }],
    ["three shares", { a: 1_000, b: 1_000, c: 10 }, { a: 45, b: 45, c: 10 }],
    ["below it nobody is refused", { a: 60, b: 30, c: 10 }, { a: 60, b: 30, c: 10 }],
  ])("%s", (_what, asked, came) => {
    const [, , third = {}] = letIn(inAll(), [asked, asked, asked]);

    for (const [tenant, count] of Object.entries(came)) {
      expect(third[tenant], tenant).toBeGreaterThanOrEqual(count - 1);
    }
    const sum = Object.values(third).reduce((all, count) => all + count, 0);
    expect(sum).toBeLessThanOrEqual(100);
  });

  test("a newcomer has its share at once, whatever the others have taken", () => {
    const limit = inAll();
    letIn(limit, [{ a: 1_000 }]);
    let came = 0;
    for (let each = 0; each < 50; each++) {
      limit.admit({ key: "k", tenant: "b", nowMs: 999 });
      came += 1;
    }

    expect(came).toBe(50);
    expect(() => limit.admit({ key: "k", tenant: "b", nowMs: 999 })).toThrow(/tenant/);
  });

  test("is never above 100 for two seconds, whoever comes", () => {
    const all = letIn(inAll(), [{ a: 500 }, { a: 500, b: 500, c: 500 }, { b: 500, c: 9 }]);
    const sums = all.map((second) => Object.values(second).reduce((sum, n) => sum + n, 0));

    expect(Math.max(sums[0] ?? 0, sums[2] ?? 0)).toBeLessThanOrEqual(100);
  });
});

describe("a call above the rate", () => {
  let edges: Edges;
  let handled = 0;

  beforeAll(async () => {
    const listCurrencies = async () => {
      handled += 1;
      return {};
    };
    const limits = { callsPerSecondPerKeyMax: 1 };
    edges = await startEdges({ listCurrencies }, async () => true, limits);
  });
  afterAll(() => edges.server.drain(1_000));

  /** One call is let in each second: after a first one there is none left for a while. */
  const exhaust = (way: (typeof WAYS)[number][1]) =>
    clientsOver(way(edges))
      .currencies.listCurrencies({}, AUTHORIZED)
      .catch(() => undefined);

  test.each(WAYS)("is RATE_LIMITED and says when to come again, over %s", async (_name, way) => {
    await exhaust(way);
    const { currencies } = clientsOver(way(edges));
    const before = handled;
    const call = currencies.listCurrencies({}, AUTHORIZED);
    const error = await call.catch((thrown) => thrown);

    expect(await failureOf(call)).toMatchObject({ code: 8, reason: "RATE_LIMITED" });
    expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds).toBe(1n);
    expect(handled).toBe(before);
    // Who is not known is told so first, and uses up nobody's rate.
    expect(await failureOf(currencies.listCurrencies({}))).toMatchObject({
      reason: "UNAUTHENTICATED",
    });
  });

  test.each([
    ["gRPC", () => edges.grpc],
    ["HTTP", () => edges.http],
  ])("is refused before its body is read, on the %s port", async (_port, base) => {
    const [, way] = WAYS[0] ?? expect.fail();
    await exhaust(way);
    const headers = { authorization: `Bearer ${KEY}` };
    const path = "/drawdown.v1.CurrencyService/ListCurrencies";
    const { session, stream } = h2Open({ base: base(), path, headers, body: null });
    let status: unknown;
    stream.on("response", (got) => (status ??= got["grpc-status"]));
    stream.on("trailers", (got) => (status ??= got["grpc-status"]));
    stream.resume();

    await eventually(() => status !== undefined, "it is answered");
    expect(status).toBe("8");
    session.destroy();
  });

  test("health checks are not counted", async () => {
    const [, way] = WAYS[0] ?? expect.fail();
    const health = createClient(Health, way(edges));
    for (let each = 0; each < 5; each++) await health.check({});
  });
});
