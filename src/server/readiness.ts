/**
 * Owns the answer to "can you serve?", which anyone may ask as often as they like: the probe behind
 * it runs at most once a second, and no longer than a caller would wait.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Drain } from "./drain.ts";

const ANSWER_AGE_MS_MAX = 1_000;
const PROBE_MS_MAX = 2_000;

export class Readiness {
  readonly #probe: () => Promise<boolean>;
  readonly #drain: Drain;
  #answer: Promise<boolean> | undefined;
  #askedAtMs = 0;

  constructor(probe: () => Promise<boolean>, drain: Drain) {
    this.#probe = probe;
    this.#drain = drain;
  }

  async isReady(): Promise<boolean> {
    if (this.#drain.draining) return false;
    const nowMs = performance.now();
    if (this.#answer === undefined || nowMs - this.#askedAtMs >= ANSWER_AGE_MS_MAX) {
      this.#askedAtMs = nowMs;
      this.#answer = this.#ask();
    }
    return (await this.#answer) && !this.#drain.draining;
  }

  async #ask(): Promise<boolean> {
    const patience = new AbortController();
    try {
      return await Promise.race([
        this.#probe(),
        delay(PROBE_MS_MAX, false, { signal: patience.signal }),
      ]);
    } catch {
      return false;
    } finally {
      patience.abort();
    }
  }
}
