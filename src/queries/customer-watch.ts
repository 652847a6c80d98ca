/**
 * Owns waking those who watch a customer: at once after a commit of this process, and otherwise by
 * asking, in one statement for all customers that are watched, how far they have come and whether
 * something has fallen due. A watcher that is busy keeps one mark, however much happens meanwhile.
 */
import type { DataSource } from "typeorm";
import { withConnection } from "../database/connection.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { CommitNotices } from "../pipeline/commit-notices.ts";

const POLL_INTERVAL_MS = 250;

const WATCHED = {
  name: "read_watched",
  text: `SELECT w.customer_id, w.sequence, w.next_due_at <= ledger_clock() AS due
    FROM customers_watched($1::uuid[]) w`,
};

interface WatchedRow {
  readonly customer_id: CustomerId;
  readonly sequence: bigint;
  readonly due: boolean | null;
}

export class CustomerWatch {
  readonly #reads: DataSource;
  readonly #watchers = new Map<CustomerId, Set<Watcher>>();
  #timer: NodeJS.Timeout | undefined;
  #polling = false;

  constructor(parts: { readonly reads: DataSource; readonly notices: CommitNotices }) {
    this.#reads = parts.reads;
    parts.notices.subscribe((customerId) => {
      for (const watcher of this.#watchers.get(customerId) ?? []) watcher.wake();
    });
  }

  /** Begins to watch: whatever happens from now on wakes the watcher. Close it in the end. */
  open(customerId: CustomerId): Watcher {
    const watcher = new Watcher(() => this.#close(customerId, watcher));
    const others = this.#watchers.get(customerId);
    if (others === undefined) this.#watchers.set(customerId, new Set([watcher]));
    else others.add(watcher);
    this.#schedule();
    return watcher;
  }

  #close(customerId: CustomerId, watcher: Watcher): void {
    const others = this.#watchers.get(customerId);
    others?.delete(watcher);
    if (others?.size === 0) this.#watchers.delete(customerId);
    if (this.#watchers.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Asks once more, unless that is under way or about to be. */
  #schedule(): void {
    if (this.#polling || this.#watchers.size === 0) return;
    this.#timer ??= setTimeout(() => void this.#poll(), POLL_INTERVAL_MS);
  }

  async #poll(): Promise<void> {
    this.#timer = undefined;
    this.#polling = true;
    try {
      const values = [[...this.#watchers.keys()]];
      const { rows } = await withConnection(this.#reads, ({ client }) =>
        client.query<WatchedRow>({ ...WATCHED, values }),
      );
      for (const { customer_id, sequence, due } of rows) {
        for (const watcher of this.#watchers.get(customer_id) ?? []) {
          if (due === true || sequence > watcher.seen) watcher.wake();
        }
      }
    } catch {
      // A database that cannot be asked now is asked again; watchers also look for themselves.
    }
    this.#polling = false;
    this.#schedule();
  }
}

export class Watcher {
  /** The last sequence that the watcher's owner has read. */
  seen = 0n;
  readonly #onClose: () => void;
  #woken = false;
  #resolve: ((woken: boolean) => void) | undefined;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  wake(): void {
    this.#woken = true;
    this.#resolve?.(true);
  }

  close(): void {
    this.#onClose();
  }

  /** Waits until something happened since the last wait; false when it did not in time. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    if (!this.#woken) {
      const { promise, resolve, reject } = Promise.withResolvers<boolean>();
      const abort = () => reject(signal.reason);
      const timer = setTimeout(() => resolve(false), timeoutMs);
      signal.addEventListener("abort", abort, { once: true });
      this.#resolve = resolve;
      try {
        await promise;
      } finally {
        this.#resolve = undefined;
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      }
    }
    const woken = this.#woken;
    this.#woken = false;
    return woken;
  }
}
