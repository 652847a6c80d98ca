/**
 * Owns the credentials that this process has recognized, by the digest of what was presented. How
 * many there are is bounded, and while there are any they are looked after.
 */
import { refuse } from "../errors.ts";
import type { Credential } from "./credential.ts";

/** Between the end of one check and the beginning of the next. */
const CHECK_PAUSE_MS = 1_500;
const KNOWN_MAX = 10_000;

export interface Known {
  readonly credential: Credential;
  /** By `performance.now()`: from then on it has to be looked at again. */
  believedUntilMs: number;
}

export class KnownCredentials<K extends Known> {
  readonly #check: () => Promise<void>;
  readonly #report: (error: unknown) => void;
  readonly #known = new Map<string, K>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `check` runs now and then; `report` is told when it fails, and it runs again all the same. */
  constructor(check: () => Promise<void>, report: (error: unknown) => void) {
    this.#check = check;
    this.#report = report;
  }

  /** Undefined for one that has to be looked at. */
  findBelieved(digest: string): K | undefined {
    const known = this.#known.get(digest);
    return known !== undefined && performance.now() < known.believedUntilMs ? known : undefined;
  }

  /** The one of this digest, believed or not: whoever presents it again shares its streams' end. */
  getOrAdd(digest: string, make: () => K): K {
    const found = this.#known.get(digest);
    if (found !== undefined) return found;
    this.#makeRoom();
    const known = make();
    this.#known.set(digest, known);
    this.#schedule();
    return known;
  }

  entries(): readonly (readonly [digest: string, known: K])[] {
    return [...this.#known];
  }

  forget(digest: string): void {
    this.#known.delete(digest);
  }

  /** Looks after nothing any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** The oldest goes whose streams need no watching. */
  #makeRoom(): void {
    if (this.#known.size < KNOWN_MAX) return;
    for (const [digest, { credential }] of this.#known) {
      if (credential.hasStreams) continue;
      this.#known.delete(digest);
      return;
    }
    throw refuse("OVERLOADED", "Too many callers have streams open; try again soon.");
  }

  #schedule(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#checkAndGoOn(), CHECK_PAUSE_MS);
    // A process that has nothing else to do ends.
    this.#timer.unref();
  }

  async #checkAndGoOn(): Promise<void> {
    try {
      await this.#check();
    } catch (error) {
      if (!this.#closed) this.#report(error);
    }
    this.#timer = undefined;
    if (this.#known.size > 0) this.#schedule();
  }
}
