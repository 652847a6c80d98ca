/** Owns the figures of a run and what went wrong in it: what the table at the end shows. */

/** What a promise can be broken by. A failure is counted under one of these. */
export const BREACHES = ["lost", "doubled", "overspent", "unbalanced", "drifted", "other"] as const;

export type Breach = (typeof BREACHES)[number];

export interface Failure {
  /** The name by which the command knows the promise. */
  readonly promise: string;
  readonly breach: Breach;
  readonly what: string;
  /** The shortest history found that leads there, a line each. */
  readonly history: readonly string[];
}

/** So many failures are kept word by word; the others are only counted. */
const FAILURES_KEPT_MAX = 20;
const LINE_CHARACTERS_MAX = 600;

export class Tally {
  operations = 0;
  acks = 0;
  refusals = 0;
  replays = 0;
  races = 0;
  cuts = 0;
  committedButErrored = 0;
  historiesChecked = 0;
  /** Deliveries after which the caller could not know whether it was written. */
  unclear = 0;
  /** Deliveries that were answered with UNAVAILABLE or RESOURCE_EXHAUSTED, and wrote nothing. */
  turnedAway = 0;
  readonly faults = new Map<string, number>();
  readonly breaches: Record<Breach, number> = {
    lost: 0,
    doubled: 0,
    overspent: 0,
    unbalanced: 0,
    drifted: 0,
    other: 0,
  };
  readonly failures: Failure[] = [];
  readonly #broken = new Set<string>();
  /** What a run could not show although nothing broke. */
  readonly notShown: string[] = [];
  /** Figures of one promise alone, by name. */
  readonly figures = new Map<string, string>();

  /** What this machine could not do, and why: the run goes on without it, and says so. */
  readonly leftOut = new Set<string>();

  /** Adds to a figure of one promise alone. */
  figure(name: string, more: number): void {
    this.figures.set(name, String(Number(this.figures.get(name) ?? 0) + more));
  }

  fault(kind: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  }

  fail(failure: Failure, times = 1): void {
    this.breaches[failure.breach] += times;
    this.#broken.add(failure.promise);
    console.log(`BROKEN  ${failure.promise} (${failure.breach}): ${failure.what}`);
    if (this.failures.length >= FAILURES_KEPT_MAX) return;
    const history = failure.history.map((line) => line.slice(0, LINE_CHARACTERS_MAX));
    this.failures.push({ ...failure, history });
  }

  get kills(): number {
    return [...this.faults].reduce((sum, [kind, times]) => {
      return kind.startsWith("kill") ? sum + times : sum;
    }, 0);
  }

  /** The promises that were not kept. */
  get broken(): string[] {
    return [...this.#broken];
  }

  /** Whether every promise was kept and shown. */
  get kept(): boolean {
    return this.notShown.length === 0 && BREACHES.every((each) => this.breaches[each] === 0);
  }

  /** The names that the last line of `--json` has. */
  toJson(seed: string, seconds: number): Readonly<Record<string, unknown>> {
    return {
      operations: this.operations,
      acks: this.acks,
      refusals: this.refusals,
      kills: this.kills,
      cuts: this.cuts,
      committed_but_errored: this.committedButErrored,
      unclear: this.unclear,
      turned_away: this.turnedAway,
      replays: this.replays,
      races: this.races,
      histories_checked: this.historiesChecked,
      ...this.breaches,
      faults: Object.fromEntries(this.faults),
      figures: Object.fromEntries(this.figures),
      not_shown: this.notShown,
      left_out: [...this.leftOut],
      broken: this.broken,
      seconds: Math.round(seconds),
      seed,
      kept: this.kept,
    };
  }

  /** The table for a reader. */
  toTable(seconds: number): string {
    const faults = [...this.faults].map(([kind, times]) => `${times} ${kind}`).join(", ");
    const rows: readonly (readonly [string, string | number])[] = [
      ["operations", this.operations],
      ["acknowledged", this.acks],
      ["refused", this.refusals],
      ["turned away", this.turnedAway],
      ["unclear outcomes met", this.unclear],
      ["replays compared", this.replays],
      ["faults", faults || "none"],
      ["commits cut", `${this.cuts}, of which ${this.committedButErrored} had been committed`],
      ["races", this.races],
      ["histories checked", this.historiesChecked],
      ...this.figures,
      ...[...this.leftOut].map((each) => ["left out", each] as const),
      ...BREACHES.map((breach) => [breach, this.breaches[breach]] as const),
      ["seconds", Math.round(seconds)],
    ];
    const width = Math.max(...rows.map(([name]) => name.length));
    return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join("\n");
  }
}
