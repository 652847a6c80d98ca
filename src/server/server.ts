/**
 * Owns the two ports: starts both over one guarded implementation, and drains them. What the
 * services do is not known here.
 */
import type { Registry } from "prom-client";
import { LIMITS_DEFAULT, type Limits } from "../config.ts";
import type { ImplementedService } from "../rpc/method.ts";
import type { Authenticate } from "./authentication.ts";
import { Certificates, type TlsFiles } from "./certificates.ts";
import { connectHandler } from "./connect.ts";
import { allowOrigins } from "./cors.ts";
import { Drain } from "./drain.ts";
import { GrpcPort } from "./grpc.ts";
import { guard } from "./guard.ts";
import { health } from "./health.ts";
import type { Logger } from "./log.ts";
import { MuxServer } from "./mux.ts";
import { noLongerThan } from "./patience.ts";
import { plainHandler } from "./plain.ts";
import { RateLimit } from "./rate-limit.ts";
import { Readiness } from "./readiness.ts";
import { reflection } from "./reflection.ts";
import { RpcMetrics } from "./rpc-metrics.ts";

/** How long the peers of finished calls may take to read the answer and hang up. */
const HANG_UP_MS_MAX = 1_000;

export interface ServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly httpPort: number;
  /** 0 picks a free one. */
  readonly grpcPort: number;
  /** The contract's services. Health and reflection are added here. */
  readonly services: readonly ImplementedService[];
  readonly authenticate: Authenticate;
  /** Whether a call would find what it needs. Asked at most once a second. */
  readonly ready: () => Promise<boolean>;
  /** What /metrics shows. The calls' own metrics are added here. */
  readonly registry: Registry;
  readonly logger: Logger;
  /** The origins of web pages that may call; none unless they are listed. */
  readonly corsOrigins?: readonly string[];
  /** Without it both ports are in cleartext. */
  readonly tls?: TlsFiles | undefined;
  /** What is left out is as in the default configuration. */
  readonly limits?: Partial<Limits>;
  /** Whether the log shows amounts beside the ids of a call. */
  readonly logAmounts?: boolean;
}

export interface RunningServer {
  readonly httpPort: number;
  readonly grpcPort: number;
  /**
   * Accepts nothing more, ends streams, waits for the calls in flight, and closes both ports. What
   * has not finished after `graceMs` is cut off.
   */
  drain(graceMs: number): Promise<void>;
}

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, services, authenticate, registry, logger, logAmounts = false } = options;
  const limits = { ...LIMITS_DEFAULT, ...options.limits };
  const drain = new Drain();
  const readiness = new Readiness(options.ready, drain);
  const metrics = new RpcMetrics(registry, drain);
  const contract = services.map(({ service }) => service);
  const names = contract.map(({ typeName }) => typeName);
  const healthService = health(names, readiness);
  const open = [healthService, ...reflection([...contract, healthService.service])];
  const guarded = guard([...services, ...open], {
    authenticate,
    drain,
    metrics,
    logger,
    limits,
    rateLimit: new RateLimit(limits),
    logAmounts,
  });

  const certificates = options.tls && (await Certificates.load(options.tls));
  const handler = connectHandler(guarded, plainHandler(readiness, registry), limits);
  const http = new MuxServer(
    allowOrigins(options.corsOrigins ?? [], handler),
    limits,
    certificates,
  );
  const grpc = new GrpcPort(guarded, limits, certificates);
  const { port: httpPort } = await http.listen(options.httpPort, host);
  try {
    const { port: grpcPort } = await grpc.listen(options.grpcPort, host);
    certificates?.watch({
      onChange: (changed) => {
        http.useCertificates(changed);
        grpc.useCertificates(changed);
        logger.info("the certificates have changed");
      },
      onError: (error) => logger.error({ err: error }, "the new certificates cannot be used"),
    });
    const stop = (graceMs: number) => {
      certificates?.stop();
      return end({ drain, http, grpc, graceMs });
    };
    return { httpPort, grpcPort, drain: stop };
  } catch (error) {
    http.closeByForce();
    await http.close();
    throw error;
  }
}

interface Ending {
  readonly drain: Drain;
  readonly http: MuxServer;
  readonly grpc: GrpcPort;
  readonly graceMs: number;
}

async function end({ drain, http, grpc, graceMs }: Ending): Promise<void> {
  const beganAtMs = performance.now();
  const leftMs = () => Math.max(0, graceMs - (performance.now() - beganAtMs));
  drain.begin();
  const closed = Promise.all([http.close(), grpc.close()]);
  await noLongerThan(drain.whenIdle(), leftMs());
  await noLongerThan(closed, Math.min(leftMs(), HANG_UP_MS_MAX));
  http.closeByForce();
  grpc.closeByForce();
  // A connection that is still shaking hands over TLS is nobody's yet, and ends when it gives up.
  await noLongerThan(closed, HANG_UP_MS_MAX);
}
