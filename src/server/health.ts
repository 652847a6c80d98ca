/**
 * Owns grpc.health.v1: every service is as healthy as the process, which is ready or not. It is
 * open, because what asks for health is a load balancer and holds no key.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/grpc/health/v1/health_pb.ts";
import { type ImplementedService, implementOpen } from "../rpc/method.ts";
import type { Readiness } from "./readiness.ts";

const WATCH_INTERVAL_MS = 1_000;

/** `names` are the services that can be asked for; the empty name is the whole process. */
export function health(names: readonly string[], readiness: Readiness): ImplementedService {
  const known = new Set(["", ...names]);
  const status = async () => ((await readiness.isReady()) ? Status.SERVING : Status.NOT_SERVING);

  return implementOpen(Health, {
    async check({ service }) {
      if (!known.has(service)) throw new ConnectError("unknown service", Code.NotFound);
      return { status: await status() };
    },
    async list() {
      const each = { status: await status() };
      return { statuses: Object.fromEntries([...known].map((name) => [name, each])) };
    },
    async *watch({ service }, { signal }) {
      let last: Status | undefined;
      for (;;) {
        const now = known.has(service) ? await status() : Status.SERVICE_UNKNOWN;
        if (now !== last) yield { status: now };
        last = now;
        await delay(WATCH_INTERVAL_MS, undefined, { signal });
      }
    },
  });
}
