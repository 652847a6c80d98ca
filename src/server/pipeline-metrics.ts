/**
 * Owns what is measured of the writes: how many commands share a transaction, how long it and its
 * COMMIT take, what had to be run again, what fell due, and what waits.
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { CommittedBatch, PipelineObserver } from "../pipeline/observer.ts";

/** From one command alone to a full batch. */
const COMMAND_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class PipelineMetrics implements PipelineObserver {
  readonly #commands: Histogram;
  readonly #durations: Histogram;
  readonly #commits: Histogram;
  readonly #retries: Counter;
  readonly #unclear: Counter;
  readonly #dueTransfers: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    const buckets = DURATION_BUCKETS_S;
    this.#commands = new Histogram({
      name: "drawdown_batch_commands",
      help: "How many commands each committed transaction held.",
      buckets: COMMAND_BUCKETS,
      registers,
    });
    this.#durations = new Histogram({
      name: "drawdown_batch_duration_seconds",
      help: "How long transactions took, from their first lock to the answer to COMMIT.",
      buckets,
      registers,
    });
    this.#commits = new Histogram({
      name: "drawdown_commit_duration_seconds",
      help: "How long the database took to answer COMMIT.",
      buckets,
      registers,
    });
    this.#retries = new Counter({
      name: "drawdown_batch_retries_total",
      help: "Transactions that were run again: a conflict with others, or a lost connection.",
      registers,
    });
    this.#unclear = new Counter({
      name: "drawdown_commits_unclear_total",
      help: "COMMITs whose answer was lost, so that their outcome had to be found out.",
      registers,
    });
    this.#dueTransfers = new Counter({
      name: "drawdown_due_transfers_total",
      help: "Transfers booked because something fell due: activation, expiry, hold timeout.",
      registers,
    });
  }

  batchCommitted({ commands, dueTransfers, durationMs }: CommittedBatch): void {
    // A batch that only books what is due holds none.
    if (commands > 0) this.#commands.observe(commands);
    this.#durations.observe(durationMs / 1000);
    this.#dueTransfers.inc(dueTransfers);
  }

  commitAnswered(durationMs: number): void {
    this.#commits.observe(durationMs / 1000);
  }

  batchRetried(): void {
    this.#retries.inc();
  }

  commitUnclear(): void {
    this.#unclear.inc();
  }
}

/** What waits in front of each lane; the last lane is the registries'. */
export function measureLanes(registry: Registry, depths: () => readonly number[]): void {
  new Gauge({
    name: "drawdown_lane_commands_waiting",
    help: "Commands that wait for a transaction, by lane.",
    labelNames: ["lane"],
    registers: [registry],
    collect() {
      const all = depths();
      for (const [lane, depth] of all.entries()) {
        this.set({ lane: lane === all.length - 1 ? "registry" : String(lane) }, depth);
      }
    },
  });
}
