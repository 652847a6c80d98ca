/**
 * Owns what is in flight, and the end of it: once draining has begun no new call is let in, streams
 * are told to end, and whoever shuts down can wait for the rest.
 */
import { type Refusal, refuse } from "../errors.ts";
import type { AdmittedCall } from "./guard.ts";

export class Drain {
  readonly #calls = new Set<AdmittedCall>();
  readonly #waiting: (() => void)[] = [];
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  get inFlight(): number {
    return this.#calls.size;
  }

  enter(call: AdmittedCall): void {
    this.#calls.add(call);
  }

  leave(call: AdmittedCall): void {
    this.#calls.delete(call);
    if (this.#calls.size > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** From here on nothing new is let in. Streams, which might never end, end now. */
  begin(): void {
    this.#draining = true;
    const reason = drainingRefusal();
    for (const call of this.#calls) if (call.streaming) call.abort(reason);
  }

  /** Resolves as soon as nothing is in flight. */
  whenIdle(): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

export function drainingRefusal(): Refusal {
  return refuse("DRAINING", "The service is shutting down. Try again elsewhere or shortly.");
}
