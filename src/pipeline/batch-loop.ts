/**
 * Owns the beat of a lane: one batch after the other. What arrives while a batch is in flight
 * becomes the next one, so batches form by themselves, without a timer.
 */
export class BatchLoop<Batch> {
  readonly #next: () => Batch | null;
  readonly #run: (batch: Batch) => Promise<void>;
  #working: Promise<void> | null = null;

  constructor(way: {
    /** The next batch; null when there is nothing to do. */
    readonly next: () => Batch | null;
    /** Answers everyone in the batch and never fails. */
    readonly run: (batch: Batch) => Promise<void>;
  }) {
    this.#next = way.next;
    this.#run = way.run;
  }

  /** Says that there is something to do. */
  wake(): void {
    this.#working ??= this.#work();
  }

  /** Settles when nothing is in flight or waiting any more. */
  async idle(): Promise<void> {
    while (this.#working !== null) await this.#working;
  }

  async #work(): Promise<void> {
    // Let everything that arrives in this turn of the event loop join the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      const batch = this.#next();
      if (batch === null) {
        // At once, so that a command that arrives now wakes the lane again.
        this.#working = null;
        return;
      }
      await this.#run(batch);
    }
  }
}
