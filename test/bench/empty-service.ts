/**
 * Owns the empty call: the edge, the guard and the validation of the service, around handlers that
 * do nothing. It is started as a process of its own and ends with SIGTERM.
 */
import { once } from "node:events";
import { collectDefaultMetrics, Registry } from "prom-client";
import { BalanceService } from "../../gen/drawdown/v1/balance_service_pb.ts";
import { readConfig } from "../../src/config.ts";
import { DEFAULT_TENANT_ID } from "../../src/database/migrations/1_ledger.ts";
import type { TenantId } from "../../src/ledger/ids.ts";
import { implement } from "../../src/rpc/method.ts";
import { authenticateByKey } from "../../src/server/authentication.ts";
import { createLogger } from "../../src/server/log.ts";
import { startServer } from "../../src/server/server.ts";
import { keepTickShape } from "../../src/server/tick-shape.ts";
import { BENCH_KEY } from "./spawned-service.ts";

const DRAIN_MS_MAX = 1_000;

keepTickShape();
const config = readConfig({
  environment: process.env,
  workingDir: process.cwd(),
  command: "serve",
});
const registry = new Registry();
collectDefaultMetrics({ register: registry });
const server = await startServer({
  host: config.host,
  httpPort: config.httpPort,
  grpcPort: config.grpcPort,
  services: [
    implement(BalanceService, {
      getBalance: async () => ({}),
      async *watchBalance() {},
    }),
  ],
  authenticate: authenticateByKey(BENCH_KEY, DEFAULT_TENANT_ID as TenantId),
  ready: async () => true,
  registry,
  logger: createLogger(config.logLevel),
});
const { host } = config;
const { httpPort, grpcPort } = server;
process.stdout.write(`drawdown ready http=${host}:${httpPort} grpc=${host}:${grpcPort}\n`);
await once(process, "SIGTERM");
await server.drain(DRAIN_MS_MAX);
