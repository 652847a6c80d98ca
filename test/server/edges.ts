/**
 * Owns a server with handlers of a test's choosing on both ports, and every way to reach it: each
 * protocol, both HTTP versions, two client stacks.
 */
import { Writable } from "node:stream";
import { type Client, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { pino } from "pino";
import { Registry } from "prom-client";
import { CurrencyService } from "../../gen/drawdown/v1/currency_service_pb.ts";
import { HistoryService } from "../../gen/drawdown/v1/history_service_pb.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import type { Limits } from "../../src/config.ts";
import type { TenantId } from "../../src/ledger/ids.ts";
import { type Handlers, implement } from "../../src/rpc/method.ts";
import { type Authenticate, authenticateByKey } from "../../src/server/authentication.ts";
import type { TlsFiles } from "../../src/server/certificates.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";
import { createGrpcJsTransport } from "./grpc-js-transport.ts";

export const KEY = "dda_a-key-of-the-tests";
export const TENANT_ID = "0199a000-0000-7000-8000-000000000001" as TenantId;
export const CUSTOMER_ID = "0199a000-0000-7000-8000-000000000002";
export const AUTHORIZED = { headers: { authorization: `Bearer ${KEY}` } };

type CurrencyHandlers = Handlers<typeof CurrencyService>;
type HistoryHandlers = Handlers<typeof HistoryService>;

export interface Edges {
  readonly server: RunningServer;
  readonly http: string;
  readonly grpc: string;
  /** Every line that was logged, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
}

/** Starts a server on free ports. A handler that a test does not give fails as a bug. */
export async function startEdges(
  handlers: Partial<CurrencyHandlers & HistoryHandlers> = {},
  ready: () => Promise<boolean> = async () => true,
  limits: Partial<Limits> = {},
  tls?: TlsFiles,
  corsOrigins: readonly string[] = [],
  authenticate: Authenticate = authenticateByKey(KEY, TENANT_ID),
): Promise<Edges> {
  const bug = () => {
    throw new Error("the secret of this bug is 42.5");
  };
  const log: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(line, _encoding, done) {
      log.push(JSON.parse(String(line)));
      done();
    },
  });
  const server = await startServer({
    host: "127.0.0.1",
    httpPort: 0,
    grpcPort: 0,
    services: [
      implement(CurrencyService, {
        createCurrency: handlers.createCurrency ?? bug,
        listCurrencies: handlers.listCurrencies ?? bug,
      }),
      implement(HistoryService, {
        listMovements: handlers.listMovements ?? bug,
        streamMovements: handlers.streamMovements ?? bug,
      }),
    ],
    authenticate,
    ready,
    registry: new Registry(),
    logger: pino({ level: "debug" }, sink),
    limits,
    tls,
    corsOrigins,
  });
  return {
    server,
    http: `http://127.0.0.1:${server.httpPort}`,
    grpc: `http://127.0.0.1:${server.grpcPort}`,
    log,
  };
}

export type Way = readonly [name: string, open: (edges: Edges) => Transport];

export const WAYS: readonly Way[] = [
  ["Connect JSON, HTTP/1.1", connect("1.1", false)],
  ["Connect JSON, HTTP/2", connect("2", false)],
  ["Connect binary, HTTP/1.1", connect("1.1", true)],
  ["Connect binary, HTTP/2", connect("2", true)],
  ["gRPC-Web, HTTP/1.1", grpcWeb("1.1")],
  ["gRPC-Web, HTTP/2", grpcWeb("2")],
  ["gRPC, connect-node client, HTTP port", ({ http }) => createGrpcTransport({ baseUrl: http })],
  ["gRPC, connect-node client, gRPC port", ({ grpc }) => createGrpcTransport({ baseUrl: grpc })],
  ["gRPC, grpc-js client, HTTP port", ({ http }) => createGrpcJsTransport(new URL(http).host)],
  ["gRPC, grpc-js client, gRPC port", ({ grpc }) => createGrpcJsTransport(new URL(grpc).host)],
];

function connect(httpVersion: "1.1" | "2", useBinaryFormat: boolean): Way[1] {
  return ({ http }) => createConnectTransport({ baseUrl: http, httpVersion, useBinaryFormat });
}

function grpcWeb(httpVersion: "1.1" | "2"): Way[1] {
  return ({ http }) => createGrpcWebTransport({ baseUrl: http, httpVersion });
}

export interface Clients {
  readonly currencies: Client<typeof CurrencyService>;
  readonly history: Client<typeof HistoryService>;
}

export function clientsOver(transport: Transport): Clients {
  return {
    currencies: createClient(CurrencyService, transport),
    history: createClient(HistoryService, transport),
  };
}

export interface Seen {
  readonly code: number;
  readonly message: string;
  readonly reason: string | undefined;
  readonly domain: string | undefined;
  readonly facts: Readonly<Record<string, string>>;
  readonly violations: readonly (readonly [field: string, description: string])[];
}

/** Runs a call that must fail, and says what its caller saw. */
export async function failureOf(call: Promise<unknown>): Promise<Seen> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectError)) throw new Error("the call did not fail", { cause: error });
  const [info] = error.findDetails(ErrorInfoSchema);
  const [badRequest] = error.findDetails(BadRequestSchema);
  return {
    code: error.code,
    message: error.rawMessage,
    reason: info?.reason,
    domain: info?.domain,
    facts: info?.metadata ?? {},
    violations: (badRequest?.fieldViolations ?? []).map((each) => [each.field, each.description]),
  };
}

export async function collect<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}

/** Looks again and again until something is true, and fails when it does not become so. */
export async function eventually(isSo: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never happened: ${what}`);
}
