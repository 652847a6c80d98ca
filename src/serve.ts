/** Owns the running service: puts its parts together, says where it listens, and ends it well. */
import { randomInt } from "node:crypto";
import { collectDefaultMetrics, Registry } from "prom-client";
import { recognizeCallers } from "./callers.ts";
import type { Config } from "./config.ts";
import { isMigrated } from "./database/check-role.ts";
import { useOf } from "./database/connection.ts";
import { openDatabaseOf } from "./database-of.ts";
import { implementContract } from "./implementation.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import { Sweeper } from "./pipeline/sweep.ts";
import { obtainAdminKey } from "./server/admin-key.ts";
import type { TlsFiles } from "./server/certificates.ts";
import { createLogger } from "./server/log.ts";
import { noLongerThan } from "./server/patience.ts";
import { measureLanes, PipelineMetrics } from "./server/pipeline-metrics.ts";
import { measurePools } from "./server/pool-metrics.ts";
import { type RunningServer, startServer } from "./server/server.ts";
import { keepTickShape } from "./server/tick-shape.ts";

/** What is in flight may take so long to finish after SIGTERM. */
const DRAIN_MS_MAX = 7_000;
/** And what was submitted so long to be stored, where the database does not answer. */
const STORE_MS_MAX = 500;
/** The process ends within 10 s, whatever still holds it up. */
const EXIT_MS_MAX = 9_800;
const RANDOM_32_LIMIT = 2 ** 32;

/** The command `serve`: runs until a signal ends it, and resolves with the exit code. */
export async function serve(config: Config): Promise<number> {
  keepTickShape();
  const logger = createLogger(config.logLevel);
  const signaled = nextSignal();
  const isOpen = endInTime(signaled, config);
  const database = await openDatabaseOf(config);
  isOpen();
  try {
    const adminKey = config.adminKey ?? (await obtainAdminKey(config.dataDir));
    const { reads, audits, writes } = database.connections;
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const pipeline = new Pipeline({
      reads,
      writes,
      random32: () => randomInt(RANDOM_32_LIMIT),
      observer: new PipelineMetrics(registry),
    });
    measureLanes(registry, () => pipeline.depths);
    measurePools(registry, {
      reads: () => useOf(reads),
      audits: () => useOf(audits),
      writes: () => useOf(writes),
    });
    const sweeper = new Sweeper({
      reads,
      pipeline,
      report: (error) => logger.warn({ err: error }, "the sweeper could not ask what is due"),
    });
    const callers = await recognizeCallers({
      connections: database.connections,
      adminKey,
      config,
      report: (error) =>
        logger.warn({ err: error }, "what callers show could not be checked again"),
    });
    const server = await startServer({
      host: config.host,
      httpPort: config.httpPort,
      grpcPort: config.grpcPort,
      services: implementContract({ connections: database.connections, pipeline }),
      authenticate: callers.authenticate,
      ready: () => isMigrated(reads),
      registry,
      logger,
      corsOrigins: config.corsOrigins,
      tls: tlsFilesOf(config),
      limits: config,
      logAmounts: config.logAmounts,
    });
    sweeper.start();
    announce(config, server, adminKey);
    const signal = await signaled;
    logger.info({ signal }, "draining");
    sweeper.stop();
    await server.drain(DRAIN_MS_MAX);
    callers.close();
    const isStored = await noLongerThan(pipeline.idle(), STORE_MS_MAX);
    if (isStored) logger.info("drained");
    else logger.warn("the database did not answer in time; callers know nothing of the rest");
    return 0;
  } finally {
    await database.close();
  }
}

function tlsFilesOf(config: Config): TlsFiles | undefined {
  const { tlsCertFile: certFile, tlsKeyFile: keyFile, tlsClientCaFile: clientCaFile } = config;
  if (certFile === undefined || keyFile === undefined) return undefined;
  return { certFile, keyFile, clientCaFile };
}

/** Ctrl-C reaches the service twice under npm, from the terminal and from npm: once is enough. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.on("SIGTERM", resolve);
    process.on("SIGINT", resolve);
  });
}

/**
 * Ends the process some time after the signal, if it has not ended by itself. Until the database is
 * open, which may wait for another replica's migration, it ends at once: it is nobody's yet. An
 * embedded server is let go of first; one that takes too long goes on, and the next start finds it.
 */
function endInTime(signaled: Promise<NodeJS.Signals>, config: Config): () => void {
  let isOpen = config.databaseUrl === undefined;
  void signaled.then(() => {
    if (!isOpen) process.exit(0);
    setTimeout(() => process.exit(process.exitCode ?? 1), EXIT_MS_MAX).unref();
  });
  return () => {
    isOpen = true;
  };
}

/** The ready line is for programs; what follows it is for people, and works when pasted. */
function announce(config: Config, { httpPort, grpcPort }: RunningServer, adminKey: string): void {
  const { host, tlsCertFile } = config;
  const isCleartext = tlsCertFile === undefined;
  const shown = host.includes(":") ? `[${host}]` : host;
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : shown;
  process.stdout.write(`drawdown ready http=${shown}:${httpPort} grpc=${shown}:${grpcPort}

Try it:

npx buf curl${isCleartext ? " --http2-prior-knowledge" : ""} --protocol grpc \\
  -H 'authorization: Bearer ${adminKey}' \\
  -d '{"request_id":"first-customer","key":"acme","name":"Acme"}' \\
  ${isCleartext ? "http" : "https"}://${reached}:${httpPort}/drawdown.v1.CustomerService/CreateCustomer

`);
}
