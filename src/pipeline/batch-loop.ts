/**
 * Owns the beat of a lane: one batch after the other. What arrives while a batch is in flight
 * becomes the next one, so batches form by themselves, without a timer.
 */
import type { Entrant, Turnstile } from "./turnstile.ts";

export class BatchLoop<Batch> implements Entrant {
  readonly #turnstile: Turnstile;
  readonly #isLarge: () => boolean;
  readonly #next: () => Batch | null;
  readonly #run: (batch: Batch) => Promise<void>;
  #working: Promise<void> | null = null;

  constructor(way: {
    /** Shared by the lanes that should not run small batches at the same time. */
    readonly turnstile: Turnstile;
    /** Whether the next batch would be large enough to run beside another lane's. */
    readonly isLarge: () => boolean;
    /** The next batch; null when there is nothing to do. */
    readonly next: () => Batch | null;
    /** Answers everyone in the batch and never fails. */
    readonly run: (batch: Batch) => Promise<void>;
  }) {
    this.#turnstile = way.turnstile;
    this.#isLarge = way.isLarge;
    this.#next = way.next;
    this.#run = way.run;
  }

  get large(): boolean {
    return this.#isLarge();
  }

  /** Says that there is something to do. */
  wake(): void {
    if (this.#working === null) this.#working = this.#work();
    else this.#turnstile.hurry(this);
  }

  /** Settles when nothing is in flight or waiting any more. */
  async idle(): Promise<void> {
    while (this.#working !== null) await this.#working;
  }

  async #work(): Promise<void> {
    // Let everything that arrives in this turn of the event loop join the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      await this.#turnstile.enter(this);
      const batch = this.#next();
      if (batch === null) {
        // At once, so that a command that arrives now wakes the lane again.
        this.#working = null;
        this.#turnstile.leave(this);
        return;
      }
      await this.#run(batch);
      this.#turnstile.leave(this);
    }
  }
}
