/** Owns the words of a scenario: amounts, moments and options as its lines spell them. */
import { AssertionFailure } from "../../src/errors.ts";
import { type Amount, formatAmount, parseAmount } from "../../src/money/amount.ts";
import { type Instant, instant } from "../../src/money/time.ts";
import { START } from "../core/book-keeper.ts";

const MICROSECONDS = { us: 1n, s: 1_000_000n, h: 3_600_000_000n } as const;
const DAY_MICROSECONDS = 24n * MICROSECONDS.h;
const MOMENT = /^d(\d+)(?:([+-])(\d+)(us|s|h))?$/;

/** `d30` is 30 days after the beginning, `d30-1us` a microsecond before that. */
export function momentOf(word: string): Instant {
  const [, days, sign, count, unit] = MOMENT.exec(word) ?? [];
  if (days === undefined) throw new AssertionFailure(`${word} is no moment such as d30 or d30-1us`);
  const size = unit === "us" || unit === "s" || unit === "h" ? MICROSECONDS[unit] : 0n;
  const beside = BigInt(count ?? "0") * size;
  const moment = START + BigInt(days) * DAY_MICROSECONDS + (sign === "-" ? -beside : beside);
  return instant(moment);
}

/** The way back, for messages: whole days, or days and microseconds. */
export function momentText(moment: Instant | null): string {
  if (moment === null) return "never";
  const since = moment - START;
  const rest = since % DAY_MICROSECONDS;
  return rest === 0n ? `d${since / DAY_MICROSECONDS}` : `d${since / DAY_MICROSECONDS}+${rest}us`;
}

/** The canonical text of a moment word, so that `d30` and `d29+24h` are the same. */
export function canonicalMoment(word: string): string {
  return word === "never" ? word : momentText(momentOf(word));
}

/** `100`, `+100` or `-0.5`. */
export function amountOf(word: string): Amount {
  const amount = parseAmount(word.startsWith("+") ? word.slice(1) : word);
  if (amount === undefined) throw new AssertionFailure(`${word} is no amount`);
  return amount;
}

export function canonicalAmount(word: string): string {
  return formatAmount(amountOf(word));
}

/** The words of a line, read one after the other. */
export class Words {
  readonly line: string;
  readonly #words: string[];

  constructor(line: string) {
    this.line = line.trim();
    this.#words = this.line.split(/\s+/);
  }

  get isEmpty(): boolean {
    return this.#words.length === 0;
  }

  peek(): string {
    return this.#words[0] ?? "";
  }

  take(what: string): string {
    const word = this.#words.shift();
    if (word === undefined) throw new AssertionFailure(`"${this.line}" lacks ${what}`);
    return word;
  }

  /** Takes the next word when it is one of these. */
  takeOneOf<Word extends string>(choices: readonly Word[]): Word | undefined {
    const found = choices.find((choice) => choice === this.#words[0]);
    if (found !== undefined) this.#words.shift();
    return found;
  }

  /** Takes the word and the one after it: the value; undefined when the word is not next. */
  takeOption(name: string): string | undefined {
    if (this.takeOneOf([name]) === undefined) return undefined;
    return this.take(`the value of ${name}`);
  }

  /** What is left, as names and values in turn. */
  takePairs(): ReadonlyMap<string, string> {
    const pairs = new Map<string, string>();
    while (!this.isEmpty) pairs.set(this.take("a name"), this.take("a value"));
    return pairs;
  }

  /** What is left, as options of these names, in any order. */
  takeOptions<Name extends string>(names: readonly Name[]): Partial<Record<Name, string>> {
    const options: Partial<Record<Name, string>> = {};
    for (let name = this.takeOneOf(names); name !== undefined; name = this.takeOneOf(names)) {
      options[name] = this.take(`the value of ${name}`);
    }
    this.end();
    return options;
  }

  end(): void {
    if (!this.isEmpty) throw new AssertionFailure(`"${this.line}": what is ${this.peek()}?`);
  }
}
