/** A drain lets in nothing, ends streams, finishes calls, and is over in time. */
import { setTimeout as delay } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { pino } from "pino";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { CurrencyService } from "../../gen/drawdown/v1/currency_service_pb.ts";
import { LIMITS_DEFAULT } from "../../src/config.ts";
import { implement } from "../../src/rpc/method.ts";
import { authenticateByKey } from "../../src/server/authentication.ts";
import { Drain } from "../../src/server/drain.ts";
import { guard } from "../../src/server/guard.ts";
import { RateLimit } from "../../src/server/rate-limit.ts";
import { RpcMetrics } from "../../src/server/rpc-metrics.ts";
import {
  AUTHORIZED,
  CUSTOMER_ID,
  clientsOver,
  collect,
  eventually,
  failureOf,
  KEY,
  startEdges,
  TENANT_ID,
  WAYS,
} from "./edges.ts";

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const TOKENS = { requestId: "r1", code: "TOKENS", name: "Tokens", exponent: 0 };

describe("a drain", () => {
  test("ends streams with DRAINING, finishes calls in flight, then closes both ports", async () => {
    const { open, opened } = gate();
    let running = 0;
    const edges = await startEdges({
      async createCurrency({ code }) {
        running += 1;
        await opened;
        return { currency: { code } };
      },
      async *streamMovements() {
        yield { resumeCursor: "c" };
        running += 1;
        // A handler that does not listen to its signal must not hold up the end.
        await delay(60_000, undefined, { ref: false });
      },
    });
    const clients = WAYS.map(([, way]) => clientsOver(way(edges)));
    const unary = clients.map((each) => each.currencies.createCurrency(TOKENS, AUTHORIZED));
    const streams = clients.map((each) =>
      failureOf(collect(each.history.streamMovements({ customerId: CUSTOMER_ID }, AUTHORIZED))),
    );
    await eventually(() => running === 2 * WAYS.length, "all calls are in flight");

    const drained = edges.server.drain(10_000);
    for (const seen of await Promise.all(streams)) {
      expect(seen).toMatchObject({ code: Code.Unavailable, reason: "DRAINING" });
    }
    const late = clients.map((each) =>
      failureOf(each.currencies.createCurrency(TOKENS, AUTHORIZED)),
    );
    for (const seen of await Promise.all(late)) expect(seen.code).toBe(Code.Unavailable);
    expect(running).toBe(2 * WAYS.length);

    const openedAtMs = performance.now();
    open();
    for (const { currency } of await Promise.all(unary)) expect(currency?.code).toBe("TOKENS");
    await drained;
    // Connections end by themselves, before any is cut off a second after the last answer.

    expect(performance.now() - openedAtMs).toBeLessThan(900);
    await expect(fetch(`${edges.http}/healthz`)).rejects.toThrow();
    await expect(fetch(`${edges.grpc}/healthz`)).rejects.toThrow();
  });

  test("cuts off what does not finish within the grace", async () => {
    let running = 0;
    const edges = await startEdges({
      async createCurrency() {
        running += 1;
        await new Promise(() => undefined);
        return {};
      },
    });
    const failures = WAYS.map(([, way]) =>
      failureOf(clientsOver(way(edges)).currencies.createCurrency(TOKENS, AUTHORIZED)),
    );
    await eventually(() => running === WAYS.length, "all calls are in flight");

    const beganAtMs = performance.now();
    await edges.server.drain(200);
    const tookMs = performance.now() - beganAtMs;
    expect(tookMs).toBeGreaterThan(190);
    expect(tookMs).toBeLessThan(2_000);
    for (const seen of await Promise.all(failures)) expect(seen.code).not.toBe(0);
  });

  test("refuses what arrives on a connection that is still open, after asking who it is", () => {
    const drain = new Drain();
    const registry = new Registry();
    const [service] = guard(
      [
        implement(CurrencyService, {
          createCurrency: async () => ({}),
          listCurrencies: async () => ({}),
        }),
      ],
      {
        authenticate: authenticateByKey(KEY, TENANT_ID),
        drain,
        metrics: new RpcMetrics(registry, drain),
        logger: pino({ level: "silent" }),
        limits: LIMITS_DEFAULT,
        rateLimit: new RateLimit(LIMITS_DEFAULT),
        logAmounts: false,
      },
    );
    const [method] = service?.methods ?? [];
    drain.begin();

    const admit = (key: string) => method?.admit({ get: () => `Bearer ${key}`, bytes: 10 });

    expect(() => admit(KEY)).toThrow(/shutting down/);
    expect(() => admit("wrong")).toThrow(/API key is not valid/);
    expect(drain.inFlight).toBe(0);
  });
});
