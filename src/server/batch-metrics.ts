/** Owns what is measured of the pipeline's batches: how many commands share a transaction. */
import { Histogram, type Registry } from "prom-client";

/** From one command alone to a full batch. */
const COMMAND_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export class BatchMetrics {
  readonly #commands: Histogram;

  constructor(registry: Registry) {
    this.#commands = new Histogram({
      name: "drawdown_batch_commands",
      help: "How many commands of customers each committed transaction held.",
      buckets: COMMAND_BUCKETS,
      registers: [registry],
    });
  }

  record(commands: number): void {
    this.#commands.observe(commands);
  }
}
