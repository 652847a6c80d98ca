/** Owns counting what a load has done since it was last asked to begin anew. */
import type { Measured } from "./load.ts";

/** More latencies than these tell nothing new about their percentiles. */
const LATENCIES_MAX = 50_000;

export class Recorder {
  #operations = 0;
  #latencies_ms: number[] = [];
  #startedAtMs = performance.now();

  mark(): void {
    this.#operations = 0;
    this.#latencies_ms = [];
    this.#startedAtMs = performance.now();
  }

  /** Counts so many operations that ended together and began at `startedAtMs`. */
  record(operations: number, startedAtMs: number): void {
    this.#operations += operations;
    if (this.#latencies_ms.length < LATENCIES_MAX) {
      this.#latencies_ms.push(performance.now() - startedAtMs);
    }
  }

  /** Counts operations that have no latency of their own, such as the rows of a stream. */
  count(operations: number): void {
    this.#operations += operations;
  }

  read(): Measured {
    return {
      operations: this.#operations,
      seconds: (performance.now() - this.#startedAtMs) / 1000,
      latencies_ms: this.#latencies_ms.map((latency) => Math.round(latency * 1000) / 1000),
    };
  }
}
