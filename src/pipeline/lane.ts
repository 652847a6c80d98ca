/**
 * Owns one lane of customers: which commands and due customers make the next batch, who waits for
 * a customer that another process holds, and how a batch that fails is split.
 */
import { setTimeout as pause } from "node:timers/promises";
import { databaseUnavailable } from "../database/sql-state.ts";
import type { AssertionFailure, Refusal } from "../errors.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import { inBatch } from "../tracing.ts";
import type { BatchRequest, BatchResult } from "./batch.ts";
import type { Job } from "./batch-book.ts";
import { BatchLoop } from "./batch-loop.ts";
import { CommandQueue, type Turn } from "./command-queue.ts";
import type { CommitNotices } from "./commit-notices.ts";
import { DueQueue } from "./due-queue.ts";
import type { PipelineObserver } from "./observer.ts";
import { fail, notStorable, settle } from "./pending.ts";
import { pursue } from "./pursue.ts";
import { LARGE_BATCH_COMMANDS_MIN, type Turnstile } from "./turnstile.ts";

/** After so many misses a customer that another process holds is waited for, alone. */
const MISSES_BEFORE_WAITING = 3;
/** After so long its commands are refused. */
const HELD_MS_MAX = 5_000;
/** Between two looks at customers that are all held by other processes. */
const HELD_PAUSE_MS = 5;
/** After all customers for whom something is due were held, so long commands wait for none. */
const DUE_REST_MS = 50;
/** After a customer was waited for in vain, so long others have their turn, if there are any. */
const WAITED_REST_MS = 250;

export interface LaneParts {
  /** Runs a batch in a transaction of its own. */
  readonly transact: (batch: BatchRequest) => Promise<BatchResult>;
  readonly notices: CommitNotices;
  readonly turnstile: Turnstile;
  readonly observer: PipelineObserver | undefined;
}

export class Lane {
  readonly #parts: LaneParts;
  readonly #queue = new CommandQueue<Job>(
    (first, job) => !waitsForLock(first) || job.write.customerId === first.write.customerId,
  );
  readonly #due = new DueQueue();
  readonly #loop: BatchLoop<BatchRequest>;

  #restsUntilMs = 0;
  #dueIsNext = false;
  #dueRestsUntilMs = 0;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#loop = new BatchLoop({
      turnstile: parts.turnstile,
      isLarge: () => this.#queue.depth >= LARGE_BATCH_COMMANDS_MIN,
      next: () => this.#nextBatch(),
      run: (batch) => this.#runBatch(batch),
    });
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

  /**
   * The next tenant's commands with what is due for its customers, or the next customers for whom
   * something is due. Tenants without commands to take have every second turn, so that nobody's
   * load holds up what is due for others.
   */
  #nextBatch(): BatchRequest | null {
    this.#dueIsNext = !this.#dueIsNext;
    if (this.#dueIsNext && performance.now() >= this.#dueRestsUntilMs) {
      const hasTurn = (tenantId: TenantId) =>
        this.#queue.has(tenantId, (job) => !waitsForLock(job));
      const due = this.#due.takeTenant((tenantId) => !hasTurn(tenantId));
      if (due !== null) return { ...due, jobs: [], lockWait: null };
    }
    const turn = this.#queue.takeTurn(this.#othersFirst());
    if (turn !== null) return this.#batchOf(turn);
    const idle = this.#due.takeTenant();
    if (idle !== null) return { ...idle, jobs: [], lockWait: null };
    const waited = this.#queue.takeTurn();
    return waited === null ? null : this.#batchOf(waited);
  }

  #batchOf({ tenantId, jobs }: Turn<Job>): BatchRequest {
    const waits = jobs[0] !== undefined && waitsForLock(jobs[0]);
    if (!waits) return { tenantId, jobs, dueOnly: this.#due.take(tenantId), lockWait: null };
    // A customer that is waited for is alone in its batch.
    return { tenantId, jobs, dueOnly: [], lockWait: this.#queue.depth === 0 ? "long" : "short" };
  }

  /** Lets others go first for a while; what comes later for a customer stays behind what waits. */
  #othersFirst(): (job: Job) => boolean {
    if (performance.now() >= this.#restsUntilMs) return () => true;
    const resting = new Set<CustomerId>();
    return (job) => {
      if (waitsForLock(job)) resting.add(job.write.customerId);
      return !resting.has(job.write.customerId);
    };
  }

  /** Those that could not be run go back to the front of the queue together, in their order. */
  async #runBatch(batch: BatchRequest): Promise<void> {
    const back: Job[] = [];
    await this.#runPart(batch, back);
    this.#queue.putBack(back);
  }

  /** Runs a batch or a part of one; adds to `back` what goes back to the queue. */
  async #runPart(batch: BatchRequest, back: Job[]): Promise<void> {
    const { transact, observer } = this.#parts;
    const { jobs, dueOnly, lockWait } = batch;
    if (jobs.length + dueOnly.length === 0) return;
    const startedAt = performance.now();
    const spans = jobs.map((job) => job.span);
    const pursuit = await inBatch("batch of customers", spans, () =>
      pursue(() => transact(batch), {
        observer,
        onUnclear: () => {
          for (const job of jobs) job.unclear = true;
        },
        ...(lockWait !== null && { retriesMax: 0 }),
      }),
    );
    switch (pursuit.kind) {
      case "committed":
        observer?.batchCommitted({
          commands: jobs.length,
          dueTransfers: pursuit.result.dueTransfers,
          durationMs: performance.now() - startedAt,
        });
        this.#deliver(batch, pursuit.result, back);
        if (allHeld(batch, pursuit.result)) await this.#restFrom(batch);
        return;
      case "contended":
        if (lockWait === null) {
          this.#fail(batch, databaseUnavailable(pursuit.error));
          return;
        }
        this.#restsUntilMs = performance.now() + WAITED_REST_MS;
        this.#keepMissed(jobs, pursuit.error, back);
        return;
      case "unavailable":
        this.#fail(batch, databaseUnavailable(pursuit.error));
        return;
      case "unsound":
        await this.#split(batch, pursuit.error, back);
    }
  }

  /** Nobody of a batch could be reached: others have their turn meanwhile, if there are any. */
  async #restFrom({ jobs }: BatchRequest): Promise<void> {
    if (jobs.length === 0) this.#dueRestsUntilMs = performance.now() + DUE_REST_MS;
    if (jobs.length > 0 || this.#queue.depth === 0) await pause(HELD_PAUSE_MS);
  }

  /** Divides a batch that fails for a reason of its own, down to what causes it. */
  async #split(batch: BatchRequest, error: unknown, back: Job[]): Promise<void> {
    const { jobs, dueOnly } = batch;
    const isMixed = jobs.length > 0 && dueOnly.length > 0;
    if (!isMixed && jobs.length + dueOnly.length <= 1) {
      this.#fail(batch, notStorable(error));
      return;
    }
    // What is due stands alone first, then each kind is halved: every part is less than the whole.
    const half = isMixed ? 0 : jobs.length >> 1;
    const dueHalf = isMixed ? dueOnly.length : dueOnly.length >> 1;
    await this.#runPart(
      { ...batch, jobs: jobs.slice(0, half), dueOnly: dueOnly.slice(0, dueHalf) },
      back,
    );
    // What is behind a command that goes back goes back with it.
    const behind = new Set(back.map((job) => job.write.customerId));
    const rest = jobs.slice(half);
    back.push(...rest.filter((job) => behind.has(job.write.customerId)));
    await this.#runPart(
      {
        ...batch,
        jobs: rest.filter((job) => !behind.has(job.write.customerId)),
        dueOnly: dueOnly.slice(dueHalf),
      },
      back,
    );
  }

  #deliver(batch: BatchRequest, result: BatchResult, back: Job[]): void {
    for (const [customerId, sequence] of result.sequences) {
      this.#parts.notices.publish(customerId, sequence);
    }
    for (const [job, outcome] of result.outcomes) settle(job, outcome);
    this.#due.settle(batch.tenantId, batch.dueOnly, result.unfinished);
    back.push(...result.waiting);
    this.#keepMissed(result.missed, null, back);
  }

  #keepMissed(jobs: readonly Job[], error: unknown, back: Job[]): void {
    const nowMs = performance.now();
    for (const job of jobs) {
      job.misses += 1;
      job.missedAtMs ??= nowMs;
      if (nowMs - job.missedAtMs < HELD_MS_MAX) back.push(job);
      else fail(job, databaseUnavailable(error));
    }
  }

  #fail(batch: BatchRequest, error: Refusal | AssertionFailure): void {
    for (const job of batch.jobs) fail(job, error);
    this.#due.fail(batch.tenantId, batch.dueOnly, error);
  }
}

/** Whether a batch came to nothing because others hold all of its customers. */
const allHeld = ({ jobs, dueOnly }: BatchRequest, { missed, held }: BatchResult) =>
  missed.length === jobs.length && dueOnly.every((customerId) => held.has(customerId));

const waitsForLock = (job: Job) => job.misses >= MISSES_BEFORE_WAITING;
