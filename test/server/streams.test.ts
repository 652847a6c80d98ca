/** A stream goes as fast as its reader, and ends with its reader. */
import { request as httpRequest } from "node:http";
import { constants } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StreamMovementsRequestSchema } from "../../gen/drawdown/v1/history_service_pb.ts";
import { CUSTOMER_ID, type Edges, eventually, KEY, startEdges } from "./edges.ts";
import { envelope, h2Open } from "./h2.ts";

const PATH = "/drawdown.v1.HistoryService/StreamMovements";
const AUTHORIZATION = { authorization: `Bearer ${KEY}` };
const REQUEST = toBinary(
  StreamMovementsRequestSchema,
  create(StreamMovementsRequestSchema, { customerId: CUSTOMER_ID }),
);
const PAGE = { movements: [{ description: "x".repeat(64 * 1024) }] };

/** What fits into the buffers between two processes that do not wait for each other: 32 MiB. */
const PAGES_AHEAD_MAX = 512;

let edges: Edges;
let produced = 0;
let cleaned = 0;

beforeAll(async () => {
  edges = await startEdges({
    async *streamMovements() {
      try {
        for (;;) {
          produced += 1;
          yield PAGE;
        }
      } finally {
        cleaned += 1;
      }
    },
  });
});

afterAll(() => edges.server.drain(1_000));

type Vanish = () => void;

function openHttp2(base: string, type: string): Vanish {
  const headers = { ...AUTHORIZATION, "content-type": type };
  const { session, stream } = h2Open({ base, path: PATH, headers, body: envelope(REQUEST) });
  stream.pause();
  return () => session.destroy();
}

/** Cancels the call and leaves the connection open. */
function openAndReset(base: string, type: string): Vanish {
  const headers = { ...AUTHORIZATION, "content-type": type };
  const { stream } = h2Open({ base, path: PATH, headers, body: envelope(REQUEST) });
  stream.pause();
  return () => stream.close(constants.NGHTTP2_CANCEL);
}

function openHttp1(type: string): Vanish {
  const headers = { ...AUTHORIZATION, "content-type": type };
  const request = httpRequest(edges.http + PATH, { method: "POST", headers }, (response) => {
    response.on("error", () => undefined);
    response.pause();
  });
  request.on("error", () => undefined);
  request.end(envelope(REQUEST));
  return () => request.destroy();
}

describe("a reader that reads nothing, and then is gone", () => {
  test.each<readonly [string, () => Vanish]>([
    ["gRPC on the gRPC port", () => openHttp2(edges.grpc, "application/grpc+proto")],
    ["gRPC on the HTTP port", () => openHttp2(edges.http, "application/grpc+proto")],
    ["gRPC on the gRPC port, by reset", () => openAndReset(edges.grpc, "application/grpc+proto")],
    ["gRPC on the HTTP port, by reset", () => openAndReset(edges.http, "application/grpc+proto")],
    ["Connect over HTTP/2, by reset", () => openAndReset(edges.http, "application/connect+proto")],
    ["Connect over HTTP/2", () => openHttp2(edges.http, "application/connect+proto")],
    ["Connect over HTTP/1.1", () => openHttp1("application/connect+proto")],
    ["gRPC-Web over HTTP/1.1", () => openHttp1("application/grpc-web+proto")],
  ])("over %s", async (_name, open) => {
    const [producedBefore, cleanedBefore] = [produced, cleaned];
    const vanish = open();

    await eventually(() => produced > producedBefore, "the stream begins");
    await delay(150);
    const producedWhileStalled = produced;
    await delay(100);
    expect(produced).toBe(producedWhileStalled);
    expect(produced - producedBefore).toBeLessThan(PAGES_AHEAD_MAX);
    expect(cleaned).toBe(cleanedBefore);

    vanish();
    await eventually(() => cleaned > cleanedBefore, "the handler's finally runs");
    expect(cleaned).toBe(cleanedBefore + 1);
  });

  test("is measured as CANCELED, is no bug, and leaves nothing in flight", async () => {
    const metrics = await (await fetch(`${edges.http}/metrics`)).text();

    expect(edges.log.filter(({ err }) => err !== undefined)).toEqual([]);
    expect(metrics).toContain("drawdown_rpcs_in_flight 0");
    expect(metrics).toMatch(/_count\{method="[^"]*\/StreamMovements",code="CANCELED"\} 8/);
  });
});
