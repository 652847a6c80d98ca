/**
 * Owns which lanes have a transaction at the same time. What a transaction costs beside its
 * commands is the same for few and for many, so a lane that could not fill a batch gathers more
 * while another one's is in flight: with 256 callers on two processors a charge then took a quarter
 * less of them, in batches of 128 instead of 61. A full batch goes at once.
 */

/** Whoever is inside for longer than a batch takes holds up nobody else. */
const PATIENCE_MS = 100;

export interface Entrant {
  /** Whether its next batch would be full. */
  readonly full: boolean;
}

export class Turnstile {
  /** Since when each is inside. */
  readonly #inside = new Map<Entrant, number>();
  /** How those that wait are let in, the longest waiting one first. */
  readonly #waiting = new Map<Entrant, () => void>();

  /** Settles when the entrant may have a transaction. `leave` must follow. */
  enter(entrant: Entrant): Promise<void> {
    const patienceMs = Math.max(0, ...this.#inside.values()) + PATIENCE_MS - performance.now();
    if (this.#inside.size === 0 || entrant.full || patienceMs <= 0) {
      this.#pass(entrant);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const letIn = () => {
        clearTimeout(patience);
        this.#waiting.delete(entrant);
        this.#pass(entrant);
        resolve();
      };
      const patience = setTimeout(letIn, patienceMs);
      this.#waiting.set(entrant, letIn);
    });
  }

  /** Says that an entrant has more to do: once it can fill a batch it waits no longer. */
  hurry(entrant: Entrant): void {
    if (this.#waiting.size > 0 && entrant.full) this.#waiting.get(entrant)?.();
  }

  leave(entrant: Entrant): void {
    this.#inside.delete(entrant);
    if (this.#inside.size > 0) return;
    const [next] = this.#waiting.values();
    next?.();
  }

  #pass(entrant: Entrant): void {
    this.#inside.set(entrant, performance.now());
  }
}
