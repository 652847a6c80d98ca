/**
 * Owns the whole service in this process, over a database of its own and on two free ports: what
 * `serve` puts together, with a clock that a test can move and a log that a test can read.
 */
import { Writable } from "node:stream";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect } from "vitest";
import { recognizeCallers } from "../../src/callers.ts";
import { readConfig } from "../../src/config.ts";
import type { WebTokenConfig } from "../../src/config-web-tokens.ts";
import { isMigrated } from "../../src/database/check-role.ts";
import { useOf } from "../../src/database/connection.ts";
import { implementContract } from "../../src/implementation.ts";
import { measureLanes, PipelineMetrics } from "../../src/server/pipeline-metrics.ts";
import { measurePools } from "../../src/server/pool-metrics.ts";
import { type ServerOptions, startServer } from "../../src/server/server.ts";
import { openLedger, type TestLedger } from "../pipeline/ledger.ts";
import { type Edges, KEY, WAYS, type Way } from "../server/edges.ts";

const DRAIN_MS_MAX = 2_000;
/** What they are in an environment that says nothing. */
export const NO_WEB_TOKENS: WebTokenConfig = readConfig({
  environment: {},
  workingDir: "/",
  command: "serve",
});

export interface Running extends Edges {
  readonly ledger: TestLedger;
  /** Ends the service, and fails when it has met a bug of its own: no caller may provoke one. */
  close(): Promise<void>;
}

export async function startService(
  options: Pick<ServerOptions, "corsOrigins"> & {
    readonly webTokens?: Partial<WebTokenConfig>;
  } = {},
): Promise<Running> {
  const { webTokens = {}, ...served } = options;
  const registry = new Registry();
  const ledger = await openLedger(new PipelineMetrics(registry));
  const { pipeline, connections } = ledger;
  const log: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(line, _encoding, done) {
      log.push(JSON.parse(String(line)));
      done();
    },
  });
  const { reads, writes } = connections;
  measureLanes(registry, () => pipeline.depths);
  measurePools(registry, { reads: () => useOf(reads), writes: () => useOf(writes) });
  const logger = pino({ level: "error" }, sink);
  const callers = await recognizeCallers({
    connections,
    adminKey: KEY,
    config: { ...NO_WEB_TOKENS, ...webTokens },
    report: (error) => logger.error({ err: error }, "callers could not be checked"),
  });
  const server = await startServer({
    ...served,
    host: "127.0.0.1",
    httpPort: 0,
    grpcPort: 0,
    services: implementContract({ connections, pipeline }),
    authenticate: callers.authenticate,
    ready: () => isMigrated(reads),
    registry,
    logger,
  });
  return {
    ledger,
    server,
    http: `http://127.0.0.1:${server.httpPort}`,
    grpc: `http://127.0.0.1:${server.grpcPort}`,
    log,
    async close() {
      await server.drain(DRAIN_MS_MAX);
      callers.close();
      await ledger.close();
      expect(log, "what the service logged as a bug of its own").toEqual([]);
    },
  };
}

/** Every way to reach the service: the server's own, and the client that browsers use. */
export const EVERY_WAY: readonly Way[] = [
  ...WAYS,
  [
    "Connect JSON with GET, browser client",
    ({ http }) => createConnectTransport({ baseUrl: http, useHttpGet: true }),
  ],
  ["gRPC-Web, browser client", ({ http }) => createGrpcWebTransport({ baseUrl: http })],
];

/** Each protocol once, each port, each client stack: for the long tables. */
export const EACH_PROTOCOL: readonly Way[] = EVERY_WAY.filter(([name]) =>
  [
    "Connect JSON, HTTP/1.1",
    "Connect binary, HTTP/2",
    "gRPC-Web, browser client",
    "gRPC, connect-node client, HTTP port",
    "gRPC, grpc-js client, HTTP port",
    "gRPC, grpc-js client, gRPC port",
  ].includes(name),
);

/** Each protocol once, gRPC on both ports: for what is generated from all of the contract. */
export const PORTS_AND_PROTOCOLS: readonly Way[] = EVERY_WAY.filter(([name]) =>
  [
    "Connect JSON, HTTP/1.1",
    "gRPC-Web, browser client",
    "gRPC, grpc-js client, HTTP port",
    "gRPC, grpc-js client, gRPC port",
  ].includes(name),
);

/** One way to each port, for what does not depend on the protocol. */
export const TWO_WAYS: readonly Way[] = EVERY_WAY.filter(([name]) =>
  ["Connect JSON, HTTP/1.1", "gRPC, grpc-js client, gRPC port"].includes(name),
);
