/**
 * Owns one lane of customers: which commands and due customers make the next batch, who waits for
 * a customer that another process holds, and how a batch that fails is split.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { DataSource } from "typeorm";
import { databaseUnavailable } from "../database/sql-state.ts";
import type { AssertionFailure, Refusal } from "../errors.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import { inBatch } from "../tracing.ts";
import type { BatchRequest, BatchResult, BatchRunner } from "./batch.ts";
import type { Job } from "./batch-book.ts";
import { BatchLoop } from "./batch-loop.ts";
import { CommandQueue } from "./command-queue.ts";
import { transact } from "./commit.ts";
import type { CommitNotices } from "./commit-notices.ts";
import { DueQueue } from "./due-queue.ts";
import type { PipelineObserver } from "./observer.ts";
import { fail, notStorable, settle } from "./pending.ts";
import { pursue } from "./pursue.ts";

/** After so many misses a customer that another process holds is waited for, alone. */
const MISSES_BEFORE_WAITING = 3;
const MISSES_MAX = 12;
/** Between two looks at customers that are all held by other processes. */
const HELD_PAUSE_MS = 5;

export interface LaneParts {
  readonly writes: DataSource;
  readonly runner: BatchRunner;
  readonly notices: CommitNotices;
  readonly observer: PipelineObserver | undefined;
}

export class Lane {
  readonly #parts: LaneParts;
  readonly #queue = new CommandQueue<Job>(
    (first, job) => !waitsForLock(first) || job.write.customerId === first.write.customerId,
  );
  readonly #due = new DueQueue();
  readonly #loop = new BatchLoop<BatchRequest>({
    next: () => this.#nextBatch(),
    run: (batch) => this.#runBatch(batch),
  });

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /** How many commands wait. */
  get depth(): number {
    return this.#queue.depth;
  }

  submit(job: Job): void {
    this.#queue.add(job);
    this.#loop.wake();
  }

  /** Books what is due for a customer; settles when all of it is. */
  bookDue(tenantId: TenantId, customerId: CustomerId): Promise<void> {
    const booked = this.#due.add(tenantId, customerId);
    this.#loop.wake();
    return booked;
  }

  /** Settles when nothing is in flight or waiting any more. */
  idle(): Promise<void> {
    return this.#loop.idle();
  }

  /** The next tenant's commands, or the next customers for whom something is due. */
  #nextBatch(): BatchRequest | null {
    const turn = this.#queue.takeTurn();
    if (turn !== null) {
      const { tenantId, jobs } = turn;
      const waitForLocks = jobs[0] !== undefined && waitsForLock(jobs[0]);
      // A customer that is waited for is alone in its batch.
      const dueOnly = waitForLocks ? [] : this.#due.take(tenantId);
      return { tenantId, jobs, dueOnly, waitForLocks };
    }
    const idle = this.#due.takeTenant();
    return idle === null ? null : { ...idle, jobs: [], waitForLocks: false };
  }

  async #runBatch(batch: BatchRequest): Promise<void> {
    const { writes, runner, observer } = this.#parts;
    const { tenantId, jobs, waitForLocks } = batch;
    const startedAt = performance.now();
    const spans = jobs.map((job) => job.span);
    const attempt = () =>
      transact({ writes, tenantId, observer }, (session) => runner.run(session, batch));
    const pursuit = await inBatch("batch of customers", spans, () =>
      pursue(attempt, {
        observer,
        onUnclear: () => {
          for (const job of jobs) job.unclear = true;
        },
        ...(waitForLocks && { retriesMax: 0 }),
      }),
    );
    switch (pursuit.kind) {
      case "committed":
        observer?.batchCommitted({
          commands: jobs.length,
          dueTransfers: pursuit.result.dueTransfers,
          durationMs: performance.now() - startedAt,
        });
        this.#deliver(batch, pursuit.result);
        if (allHeld(batch, pursuit.result)) await pause(HELD_PAUSE_MS);
        return;
      case "contended":
        if (waitForLocks) this.#requeueMissed(jobs, pursuit.error);
        else this.#fail(batch, databaseUnavailable(pursuit.error));
        return;
      case "unavailable":
        this.#fail(batch, databaseUnavailable(pursuit.error));
        return;
      case "unsound":
        await this.#split(batch, pursuit.error);
    }
  }

  /** Halves a batch that fails for a reason of its own, down to the command that causes it. */
  async #split(batch: BatchRequest, error: unknown): Promise<void> {
    const { jobs, dueOnly } = batch;
    if (jobs.length + dueOnly.length <= 1) {
      this.#fail(batch, notStorable(error));
      return;
    }
    const half = jobs.length >> 1;
    const dueHalf = jobs.length > 1 ? dueOnly.length : dueOnly.length >> 1;
    const first = { ...batch, jobs: jobs.slice(0, half), dueOnly: dueOnly.slice(0, dueHalf) };
    const second = { ...batch, jobs: jobs.slice(half), dueOnly: dueOnly.slice(dueHalf) };
    for (const part of [first, second]) {
      if (part.jobs.length + part.dueOnly.length > 0) await this.#runBatch(part);
    }
  }

  #deliver(batch: BatchRequest, result: BatchResult): void {
    for (const [customerId, sequence] of result.sequences) {
      this.#parts.notices.publish(customerId, sequence);
    }
    for (const [job, outcome] of result.outcomes) settle(job, outcome);
    this.#due.settle(batch.tenantId, batch.dueOnly, result.unfinished);
    this.#queue.putBack(result.waiting);
    this.#requeueMissed(result.missed, null);
  }

  #requeueMissed(jobs: readonly Job[], error: unknown): void {
    for (const job of jobs) job.misses += 1;
    const given = jobs.filter((job) => job.misses >= MISSES_MAX);
    for (const job of given) fail(job, databaseUnavailable(error));
    this.#queue.putBack(jobs.filter((job) => job.misses < MISSES_MAX));
  }

  #fail(batch: BatchRequest, error: Refusal | AssertionFailure): void {
    for (const job of batch.jobs) fail(job, error);
    this.#due.fail(batch.tenantId, batch.dueOnly, error);
  }
}

/** Whether a batch came to nothing because others hold all of its customers. */
const allHeld = ({ jobs, dueOnly }: BatchRequest, { missed, outcomes, unfinished }: BatchResult) =>
  outcomes.size === 0 && missed.length === jobs.length && unfinished.size >= dueOnly.length;

const waitsForLock = (job: Job) => job.misses >= MISSES_BEFORE_WAITING;
