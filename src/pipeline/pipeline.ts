/**
 * Owns the one way in which customers' books and tenants' registries are written (and books looked
 * at by pure code): every command goes to its lane, many callers share one transaction.
 */
import type { DataSource } from "typeorm";
import { refuse } from "../errors.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import { activeSpan } from "../tracing.ts";
import { type BatchRequest, BatchRunner } from "./batch.ts";
import { transact } from "./commit.ts";
import { CommitNotices } from "./commit-notices.ts";
import { CurrencyCache } from "./currency-cache.ts";
import type { Command, Look, RegistryWrite, Write } from "./job.ts";
import { Lane } from "./lane.ts";
import { lookAtBook } from "./look.ts";
import type { PipelineObserver } from "./observer.ts";
import type { Pending } from "./pending.ts";
import { RegistryLane } from "./registry-lane.ts";
import { Turnstile } from "./turnstile.ts";

/** More lanes than the database has cores to spare make batches smaller and everything slower. */
const LANES = 2;

export interface PipelineParts {
  readonly writes: DataSource;
  readonly reads: DataSource;
  readonly random32: () => number;
  readonly observer?: PipelineObserver;
}

export class Pipeline {
  readonly notices = new CommitNotices();
  readonly #lanes: readonly Lane[];
  readonly #registryLane: RegistryLane;
  readonly #currencies = new CurrencyCache();
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    const runner = new BatchRunner({ currencies: this.#currencies, random32: parts.random32 });
    const { notices } = this;
    const { writes, observer } = parts;
    const turnstile = new Turnstile();
    const runBatch = (batch: BatchRequest) => {
      const { tenantId } = batch;
      return transact({ writes, tenantId, observer }, (session) => runner.run(session, batch));
    };
    this.#lanes = Array.from(
      { length: LANES },
      () => new Lane({ transact: runBatch, notices, observer, turnstile }),
    );
    this.#registryLane = new RegistryLane(parts);
  }

  /** Runs a command of a customer; settles when its effect is durable, or it was refused. */
  submit<Result, Answer>(write: Write<Result, Answer>): Promise<Answer> {
    const lane = this.#laneOf(write.customerId);
    return handOver(write as Write<unknown, unknown>, (job) =>
      lane.submit({ ...job, misses: 0, missedAtMs: null }),
    );
  }

  /** Runs a command of a tenant in the same way. */
  submitToRegistry<Result, Answer>(write: RegistryWrite<Result, Answer>): Promise<Answer> {
    return handOver(write as RegistryWrite<unknown, unknown>, (job) =>
      this.#registryLane.submit(job),
    );
  }

  /** Books what has fallen due for a customer (M6). */
  bookDue(tenantId: TenantId, customerId: CustomerId): Promise<void> {
    return this.#laneOf(customerId).bookDue(tenantId, customerId);
  }

  /** Runs pure code on a private copy of a book, as it is or as it would be later. */
  look<Result>(look: Look<Result>): Promise<Result> {
    const { reads, random32 } = this.#parts;
    return lookAtBook({ reads, random32, currencies: this.#currencies }, look);
  }

  /** How many commands wait in each lane; the registry's is the last. */
  get depths(): readonly number[] {
    return [...this.#lanes, this.#registryLane].map((lane) => lane.depth);
  }

  /** Settles when everything that was submitted has been answered. */
  async idle(): Promise<void> {
    await Promise.all([...this.#lanes, this.#registryLane].map((lane) => lane.idle()));
  }

  /** The lane of a customer. On a distributed engine this follows the shards. */
  #laneOf(customerId: CustomerId): Lane {
    const hash = Number.parseInt(customerId.slice(-8), 16) % this.#lanes.length;
    const lane = this.#lanes[hash];
    if (lane === undefined) throw refuse("INVALID_REQUEST", "not a customer id", {}, "customer_id");
    return lane;
  }
}

/** Gives a command to its lane, together with those who wait for its answer. */
function handOver<W extends Command<unknown, unknown>, Answer>(
  write: W,
  submit: (job: Pending<W>) => void,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  submit({
    write,
    resolve: resolve as (answer: unknown) => void,
    reject,
    unclear: false,
    span: activeSpan(),
  });
  return promise;
}
