/**
 * Owns what is in flight, and the end of it: once draining has begun no new call is let in, streams
 * are told to end, and whoever shuts down can wait for the rest.
 */
import { assert, type Refusal, refuse } from "../errors.ts";
import type { AdmittedCall } from "./guard.ts";

export class Drain {
  #inFlight = 0;
  /** Of unary calls nobody needs to know more than how many there are. */
  readonly #streams = new Set<AdmittedCall>();
  readonly #waiting: (() => void)[] = [];
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  enter(call: AdmittedCall): void {
    this.#inFlight += 1;
    if (call.streaming) this.#streams.add(call);
  }

  leave(call: AdmittedCall): void {
    assert(this.#inFlight > 0, "who leaves has entered");
    this.#inFlight -= 1;
    if (call.streaming) this.#streams.delete(call);
    if (this.#inFlight > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** From here on nothing new is let in. Streams, which might never end, end now. */
  begin(): void {
    this.#draining = true;
    const reason = drainingRefusal();
    for (const stream of this.#streams) stream.abort(reason);
  }

  /** Resolves as soon as nothing is in flight. */
  whenIdle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

export function drainingRefusal(): Refusal {
  return refuse("DRAINING", "The service is shutting down. Try again elsewhere or shortly.");
}
