/** Owns the lane of what tenants register: which commands make the next batch, and who fails. */
import type { DataSource } from "typeorm";
import { databaseUnavailable } from "../database/sql-state.ts";
import type { AssertionFailure, Refusal } from "../errors.ts";
import { inBatch } from "../tracing.ts";
import { BatchLoop } from "./batch-loop.ts";
import { CommandQueue, type Turn } from "./command-queue.ts";
import { transact } from "./commit.ts";
import type { PipelineObserver } from "./observer.ts";
import { fail, notStorable, settle } from "./pending.ts";
import { pursue } from "./pursue.ts";
import { type RegistryJob, runRegistryBatch } from "./registry-batch.ts";
import { Turnstile } from "./turnstile.ts";

export interface RegistryLaneParts {
  readonly writes: DataSource;
  readonly random32: () => number;
  readonly observer?: PipelineObserver;
}

type Batch = Turn<RegistryJob>;

export class RegistryLane {
  readonly #parts: RegistryLaneParts;
  readonly #queue = new CommandQueue<RegistryJob>(() => true);
  readonly #loop = new BatchLoop<Batch>({
    turnstile: new Turnstile(),
    isLarge: () => false,
    next: () => this.#queue.takeTurn(),
    run: (batch) => this.#runBatch(batch),
  });

  constructor(parts: RegistryLaneParts) {
    this.#parts = parts;
  }

  /** How many commands wait. */
  get depth(): number {
    return this.#queue.depth;
  }

  submit(job: RegistryJob): void {
    this.#queue.add(job);
    this.#loop.wake();
  }

  /** Settles when nothing is in flight or waiting any more. */
  idle(): Promise<void> {
    return this.#loop.idle();
  }

  async #runBatch(batch: Batch): Promise<void> {
    const { writes, random32, observer } = this.#parts;
    const { tenantId, jobs } = batch;
    const startedAt = performance.now();
    const spans = jobs.map((job) => job.span);
    const attempt = () =>
      transact({ writes, tenantId, observer }, (session) =>
        runRegistryBatch(session, { tenantId, jobs, random32 }),
      );
    const pursuit = await inBatch("batch of a registry", spans, () =>
      pursue(attempt, {
        observer,
        onUnclear: () => {
          for (const job of jobs) job.unclear = true;
        },
      }),
    );
    switch (pursuit.kind) {
      case "committed":
        observer?.batchCommitted({
          commands: jobs.length,
          dueTransfers: 0,
          durationMs: performance.now() - startedAt,
        });
        for (const [job, outcome] of pursuit.result) settle(job, outcome);
        return;
      case "contended":
      case "unavailable":
        failAll(batch, databaseUnavailable(pursuit.error));
        return;
      case "unsound":
        await this.#split(batch, pursuit.error);
    }
  }

  /** Halves a batch that fails for a reason of its own, down to the command that causes it. */
  async #split({ tenantId, jobs }: Batch, error: unknown): Promise<void> {
    if (jobs.length === 1) {
      failAll({ tenantId, jobs }, notStorable(error));
      return;
    }
    const half = jobs.length >> 1;
    await this.#runBatch({ tenantId, jobs: jobs.slice(0, half) });
    await this.#runBatch({ tenantId, jobs: jobs.slice(half) });
  }
}

function failAll({ jobs }: Batch, error: Refusal | AssertionFailure): void {
  for (const job of jobs) fail(job, error);
}
