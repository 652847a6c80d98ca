/** Owns what is measured of calls: how many, how long, with which outcome, and how many now. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Drain } from "./drain.ts";

/** From what a warm call takes to what a caller would give up on. */
const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface EndedRpc {
  readonly method: string;
  readonly code: string;
  readonly reason: string | undefined;
  readonly durationMs: number;
}

export class RpcMetrics {
  readonly #durations: Histogram<"method" | "code">;
  readonly #refusals: Counter<"reason">;

  constructor(registry: Registry, drain: Drain) {
    this.#durations = new Histogram({
      name: "drawdown_rpc_duration_seconds",
      help: "How long calls took on either port, by method and code; a stream counts when it ends.",
      labelNames: ["method", "code"],
      buckets: DURATION_BUCKETS_S,
      registers: [registry],
    });
    this.#refusals = new Counter({
      name: "drawdown_rpc_refusals_total",
      help: "Calls that ended with a reason of the contract, by reason; of a batch only INTERNAL.",
      labelNames: ["reason"],
      registers: [registry],
    });
    new Gauge({
      name: "drawdown_rpcs_in_flight",
      help: "How many calls have been let in and not ended yet.",
      registers: [registry],
      collect() {
        this.set(drain.inFlight);
      },
    });
  }

  record({ method, code, reason, durationMs }: EndedRpc): void {
    this.#durations.observe({ method, code }, durationMs / 1000);
    if (reason !== undefined) this.#refusals.inc({ reason });
  }

  /** Counts what befell a part of a call that was answered. */
  recordPart(reason: string): void {
    this.#refusals.inc({ reason });
  }
}
