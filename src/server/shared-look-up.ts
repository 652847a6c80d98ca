/**
 * Owns looking things up by name, many callers at once: those that come while a look-up is under
 * way share the next one. So strangers who try names take up one connection, however many they are.
 */
import { refuse } from "../errors.ts";

/** More names wait only when someone tries them. */
const WAITING_MAX = 10_000;
const NAMES_AT_ONCE_MAX = 500;

export interface LookedUp<Thing> {
  /** Undefined when there is none of that name. */
  readonly found: Thing | undefined;
  /** What was true then, by `performance.now()`, is what was found. */
  readonly askedAtMs: number;
}

type Waiting<Thing> = Map<string, PromiseWithResolvers<LookedUp<Thing>>>;

export class SharedLookUp<Thing> {
  readonly #ask: (names: readonly string[]) => Promise<readonly Thing[]>;
  readonly #nameOf: (thing: Thing) => string;
  readonly #waiting: Waiting<Thing> = new Map();
  #underWay = false;

  constructor(
    ask: (names: readonly string[]) => Promise<readonly Thing[]>,
    nameOf: (thing: Thing) => string,
  ) {
    this.#ask = ask;
    this.#nameOf = nameOf;
  }

  find(name: string): Promise<LookedUp<Thing>> {
    let answer = this.#waiting.get(name);
    if (answer === undefined) {
      if (this.#waiting.size >= WAITING_MAX) {
        throw refuse("OVERLOADED", "Too many callers are being looked up; try again soon.");
      }
      answer = Promise.withResolvers<LookedUp<Thing>>();
      this.#waiting.set(name, answer);
    }
    if (!this.#underWay) void this.#run();
    return answer.promise;
  }

  /** Looks up batch after batch until nobody waits. Never rejects: each caller is told instead. */
  async #run(): Promise<void> {
    this.#underWay = true;
    while (this.#waiting.size > 0) {
      const batch: Waiting<Thing> = new Map([...this.#waiting].slice(0, NAMES_AT_ONCE_MAX));
      for (const name of batch.keys()) this.#waiting.delete(name);
      const askedAtMs = performance.now();
      try {
        const things = await this.#ask([...batch.keys()]);
        const byName = new Map(things.map((thing) => [this.#nameOf(thing), thing]));
        for (const [name, { resolve }] of batch) resolve({ found: byName.get(name), askedAtMs });
      } catch (error) {
        for (const { reject } of batch.values()) reject(error);
      }
    }
    this.#underWay = false;
  }
}
