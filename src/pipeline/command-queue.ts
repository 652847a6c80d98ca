/**
 * Owns the bounded queue in front of a lane: commands by tenant in their order of arrival. A batch
 * is of one tenant; tenants take turns, so nobody's bulk load holds up another.
 */
import { refuse } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import type { Command } from "./job.ts";
import type { Pending } from "./pending.ts";

export const LANE_COMMANDS_MAX = 10_000;
export const LANE_BYTES_MAX = 32 * 1024 * 1024;
export const BATCH_COMMANDS_MAX = 256;

export interface Turn<Job> {
  readonly tenantId: TenantId;
  /** The first commands of the tenant, in order; at least one. */
  readonly jobs: readonly Job[];
}

export class CommandQueue<Job extends Pending<Command<unknown, unknown>>> {
  /** The first tenant's turn is next. */
  readonly #tenants = new Map<TenantId, Job[]>();
  /** Whether a command may be in one batch with the first of it. */
  readonly #mayJoin: (first: Job, job: Job) => boolean;
  #commands = 0;
  #bytes = 0;

  constructor(mayJoin: (first: Job, job: Job) => boolean) {
    this.#mayJoin = mayJoin;
  }

  /** How many commands wait. */
  get depth(): number {
    return this.#commands;
  }

  /** Whether such a command of a tenant waits. */
  has(tenantId: TenantId, isSuch: (job: Job) => boolean): boolean {
    return this.#tenants.get(tenantId)?.some(isSuch) ?? false;
  }

  /** Puts a command at the end, or refuses it when too much is waiting. */
  add(job: Job): void {
    const full = this.#commands >= LANE_COMMANDS_MAX;
    if (full || this.#bytes + job.write.sizeBytes > LANE_BYTES_MAX) {
      job.reject(refuse("OVERLOADED", "too many commands are waiting; try again soon"));
      return;
    }
    this.#queueOf(job).push(job);
    this.#count(job, 1);
  }

  /** Puts commands back where they were taken from; there is always room for them. */
  putBack(jobs: readonly Job[]): void {
    for (const job of jobs.toReversed()) {
      this.#queueOf(job).unshift(job);
      this.#count(job, 1);
    }
  }

  /**
   * Takes the next tenant's commands, of those that may be taken; null when there are none. Drops
   * those for which nobody waits.
   */
  takeTurn(mayTake: (job: Job) => boolean = () => true): Turn<Job> | null {
    for (const [tenantId, queue] of [...this.#tenants]) {
      this.#tenants.delete(tenantId);
      const jobs = this.#take(queue, mayTake);
      if (queue.length > 0) this.#tenants.set(tenantId, queue);
      if (jobs.length > 0) return { tenantId, jobs };
    }
    return null;
  }

  #take(queue: Job[], mayTake: (job: Job) => boolean): readonly Job[] {
    let first: Job | undefined;
    const taken: Job[] = [];
    const kept: Job[] = [];
    for (const [index, job] of queue.entries()) {
      if (taken.length === BATCH_COMMANDS_MAX) {
        kept.push(...queue.slice(index));
        break;
      }
      if (job.write.signal.aborted) {
        this.#count(job, -1);
        job.reject(job.write.signal.reason);
        continue;
      }
      if (!mayTake(job) || (first !== undefined && !this.#mayJoin(first, job))) {
        kept.push(job);
        continue;
      }
      first ??= job;
      this.#count(job, -1);
      taken.push(job);
    }
    queue.splice(0, queue.length, ...kept);
    return taken;
  }

  #queueOf({ write: { tenantId } }: Job): Job[] {
    const known = this.#tenants.get(tenantId);
    if (known !== undefined) return known;
    const queue: Job[] = [];
    this.#tenants.set(tenantId, queue);
    return queue;
  }

  #count(job: Job, sign: 1 | -1): void {
    this.#commands += sign;
    this.#bytes += sign * job.write.sizeBytes;
  }
}
