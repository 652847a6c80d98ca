/** Every bound of the ports holds on both of them, and comes before what it protects. */
import { Agent, request } from "node:http";
import { createConnection, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { StreamMovementsRequestSchema } from "../../gen/drawdown/v1/history_service_pb.ts";
import type { Limits } from "../../src/config.ts";
import {
  AUTHORIZED,
  CUSTOMER_ID,
  clientsOver,
  type Edges,
  eventually,
  failureOf,
  KEY,
  startEdges,
  WAYS,
} from "./edges.ts";
import { envelope, h2Open } from "./h2.ts";

const LIMITS = {
  headerBytesMax: 8_192,
  connectionsMax: 30,
  deadlineMsDefault: 300,
  deadlineMsMax: 600,
  stalledReaderMsMax: 300,
} satisfies Partial<Limits>;

const UNARY = "/drawdown.v1.CurrencyService/ListCurrencies";
const STREAM = "/drawdown.v1.HistoryService/StreamMovements";
const WEB = "application/grpc-web+proto";
const AUTHORIZATION = { authorization: `Bearer ${KEY}` };

let edges: Edges;
let cleaned = 0;
let aborted = 0;

beforeAll(async () => {
  const handlers: Parameters<typeof startEdges>[0] = {
    async listCurrencies(_request, { signal }) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      aborted += 1;
      throw signal.reason;
    },
    async *streamMovements() {
      try {
        for (;;) yield { movements: [{ description: "x".repeat(64 * 1024) }] };
      } finally {
        cleaned += 1;
      }
    },
  };
  edges = await startEdges(handlers, async () => true, LIMITS);
});

afterAll(() => edges.server.drain(1_000));

describe("the deadline of a unary call", () => {
  test.each(WAYS)("is set for a caller who sets none, over %s", async (_name, way) => {
    const { currencies } = clientsOver(way(edges));
    const beganAtMs = performance.now();

    expect(await failureOf(currencies.listCurrencies({}, AUTHORIZED))).toMatchObject({
      code: Code.DeadlineExceeded,
    });
    expect(performance.now() - beganAtMs).toBeGreaterThan(250);
  });

  test.each(WAYS)("is never longer than allowed, over %s", async (_name, way) => {
    const { currencies } = clientsOver(way(edges));
    const beganAtMs = performance.now();
    const call = currencies.listCurrencies({}, { ...AUTHORIZED, timeoutMs: 20_000 });

    expect(await failureOf(call)).toMatchObject({ code: Code.DeadlineExceeded });
    const tookMs = performance.now() - beganAtMs;
    expect(tookMs).toBeGreaterThan(500);
    expect(tookMs).toBeLessThan(10_000);
  });

  test("told to the handler each time", async () => {
    await eventually(() => aborted === 2 * WAYS.length, "every handler was told");
  });

  test.each([
    ["HTTP", () => edges.http],
    ["gRPC", () => edges.grpc],
  ])("of a month does not count as passed on the %s port", async (_port, base) => {
    const client = new Client(new URL(base()).host, credentials.createInsecure());
    const pass = (bytes: Buffer) => bytes;
    const headers = Metadata.fromHttp2Headers({ ...AUTHORIZATION, "grpc-timeout": "2592000S" });
    const beganAtMs = performance.now();
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(UNARY, pass, pass, Buffer.alloc(0), headers, resolve);
    });
    client.close();

    expect(error?.code).toBe(Code.DeadlineExceeded);
    expect(performance.now() - beganAtMs).toBeGreaterThan(500);
  });
});

describe("headers above the bound", () => {
  const headers = { ...AUTHORIZED.headers, "x-long": "x".repeat(LIMITS.headerBytesMax) };

  test.each(WAYS.filter(([name]) => !name.includes("HTTP/1.1")))(
    "are INVALID_ARGUMENT, whoever calls, over %s",
    async (_name, way) => {
      const { currencies } = clientsOver(way(edges));
      for (const authorization of [AUTHORIZATION.authorization, "Bearer wrong"]) {
        const call = currencies.listCurrencies({}, { headers: { ...headers, authorization } });
        expect(await failureOf(call)).toMatchObject({
          code: Code.InvalidArgument,
          reason: "INVALID_REQUEST",
          message: "The headers of a call have at most 8192 bytes.",
        });
      }
    },
  );

  test("are 431 over HTTP/1.1, where nothing is read of them", async () => {
    const request = { method: "POST", headers: { ...headers, "content-type": "application/json" } };

    expect((await fetch(edges.http + UNARY, { ...request, body: "{}" })).status).toBe(431);
  });
});

describe("a reader that takes nothing, and stays", () => {
  const message = create(StreamMovementsRequestSchema, { customerId: CUSTOMER_ID });
  const body = envelope(toBinary(StreamMovementsRequestSchema, message));

  test.each([
    ["gRPC on the gRPC port", () => edges.grpc, "application/grpc+proto"],
    ["gRPC on the HTTP port", () => edges.http, "application/grpc+proto"],
    ["Connect", () => edges.http, "application/connect+proto"],
  ])("loses its stream, over %s", async (_name, base, type) => {
    const before = cleaned;
    const headers = { ...AUTHORIZATION, "content-type": type };
    const { session, stream } = h2Open({ base: base(), path: STREAM, headers, body });
    stream.pause();

    await eventually(() => cleaned > before, "the handler's finally runs");
    expect(session.destroyed).toBe(false);
    session.destroy();
  });

  test("one that takes a little now and then keeps it", async () => {
    const before = cleaned;
    const headers = { ...AUTHORIZATION, "content-type": "application/grpc+proto" };
    const { session, stream } = h2Open({ base: edges.grpc, path: STREAM, headers, body });
    for (let round = 0; round < 10; round++) {
      await delay(LIMITS.stalledReaderMsMax / 3);
      stream.read();
      stream.read();
    }

    expect(cleaned).toBe(before);
    session.destroy();
    await eventually(() => cleaned > before, "the handler's finally runs");
  });
});

describe("a request that is never sent to its end", () => {
  test.each([
    ["a unary call, gRPC port", () => edges.grpc, UNARY],
    ["a unary call, HTTP port", () => edges.http, UNARY],
    ["a stream, gRPC port", () => edges.grpc, STREAM],
    ["a stream, HTTP port", () => edges.http, STREAM],
  ])("ends with the default deadline: %s", async (_name, base, path) => {
    const { session, stream } = h2Open({
      base: base(),
      path,
      headers: AUTHORIZATION,
      body: null,
    });
    stream.resume();
    await new Promise((resolve) => stream.once("end", resolve).once("close", resolve));
    session.destroy();

    const metrics = await (await fetch(`${edges.http}/metrics`)).text();
    expect(metrics).toContain("drawdown_rpcs_in_flight 0");
  });
});

describe("connections above the bound", () => {
  test.each([
    ["HTTP", () => edges.server.httpPort],
    ["gRPC", () => edges.server.grpcPort],
  ])("are closed at once on the %s port", async (_name, port) => {
    const sockets: Socket[] = [];
    let closed = 0;
    for (let count = 0; count < LIMITS.connectionsMax + 5; count++) {
      const socket = createConnection(port(), "127.0.0.1");
      socket.on("error", () => undefined).on("close", () => (closed += 1));
      sockets.push(socket);
    }

    await eventually(() => closed >= 5, "five are closed");
    for (const socket of sockets) socket.destroy();
  });
});

describe("a connection over HTTP/1.1", () => {
  test("is kept for longer than those who keep theirs for a minute", async () => {
    const { headers } = await fetch(`${edges.http}/healthz`);

    expect(headers.get("keep-alive")).toBe("timeout=75");
  });
});

describe("a request over HTTP/1.1 that is answered before it has been read", () => {
  const frame = (flags: number, length: number) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(flags, 0);
    head.writeUInt32BE(length, 1);
    return head;
  };
  const rest = Buffer.alloc(1_000_000, 0x5b);

  test.each([
    ["that has no key", "application/json", rest, {}],
    ["that is too long", WEB, Buffer.concat([frame(0, 2 ** 31), rest]), AUTHORIZATION],
    ["that has a second message", WEB, Buffer.concat([frame(0, 0), rest]), AUTHORIZATION],
    ["that is badly compressed", WEB, Buffer.concat([frame(1, 10), rest]), AUTHORIZATION],
    ["that came late", "application/json", rest, { ...AUTHORIZATION, "connect-timeout-ms": "1" }],
  ])(
    "does not hold up the next one: one %s",
    async (_name, type, body, key) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      onTestFinished(() => agent.destroy());
      const send = (path: string, sentBody: Buffer, more: object) =>
        new Promise<number | undefined>((resolve, reject) => {
          const headers = { "content-type": type, ...more };
          const sent = request(
            edges.http + path,
            { agent, method: "POST", headers },
            (response) => {
              response.resume().on("end", () => resolve(response.statusCode));
            },
          );
          sent.on("error", reject).end(sentBody);
        });
      // Its connection may have been ended while it was still being sent.
      for (let round = 0; round < 3; round += 1)
        await send(UNARY, body, key).catch(() => undefined);
      const next = () => send("/nowhere", Buffer.alloc(0), {});
      expect(await next().catch(next)).toBe(404);
    },
    4_000,
  );
});
