/** Owns telling this process what it has just committed, so that watchers need not ask. */
import type { CustomerId } from "../ledger/ids.ts";

type Listener = (customerId: CustomerId, sequence: bigint) => void;

export class CommitNotices {
  readonly #listeners = new Set<Listener>();

  /** Calls the listener after each commit; returns how to stop that. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  publish(customerId: CustomerId, sequence: bigint): void {
    for (const listener of this.#listeners) listener(customerId, sequence);
  }
}
