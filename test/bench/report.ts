/** Owns what a reader sees while the benchmark runs and at its end, and the target of each key. */
import { type FigureName, median, type Round } from "./figures.ts";
import { perSecond, type Window } from "./window.ts";

interface Target {
  readonly sign: "≤" | "≥";
  readonly must: number | null;
  readonly aim: number;
}

/** What each key must reach, and what it should. */
export const TARGETS = {
  unary_cpu_ratio: { sign: "≤", must: 1.1, aim: 0.8 },
  unary_vs_empty_ratio: { sign: "≥", must: 0.5, aim: 0.8 },
  batch_throughput_ratio: { sign: "≥", must: 2.2, aim: 3.5 },
  batch_cpu_ratio: { sign: "≤", must: 0.5, aim: 0.3 },
  hot_customer_ratio: { sign: "≥", must: 0.7, aim: 0.9 },
  balance_vs_empty_ratio: { sign: "≥", must: 0.5, aim: 0.7 },
  history_vs_copy_ratio: { sign: "≥", must: 0.1, aim: 0.2 },
  growth_ratio: { sign: "≤", must: 1.25, aim: 1.1 },
  bytes_per_charge: { sign: "≤", must: null, aim: 1_000 },
  rows_per_charge: { sign: "≤", must: null, aim: 4 },
  index_entries_per_charge: { sign: "≤", must: null, aim: 5 },
} as const satisfies Readonly<Record<string, Target>>;

export type Key = keyof typeof TARGETS;

const reaches = (value: number, sign: Target["sign"], bound: number) =>
  sign === "≤" ? value <= bound : value >= bound;

/** Whether a value reaches what it must; a key that is only reported always does. */
export function reachesMust(key: Key, value: number): boolean {
  const { sign, must }: Target = TARGETS[key];
  return must === null || reaches(value, sign, must);
}

const WIDTHS = [18, 11, 9, 9, 10, 10, 10, 9, 7] as const;

function line(cells: readonly string[]): string {
  return cells
    .map((cell, index) => {
      const width = WIDTHS[index] ?? 0;
      return index === 0 ? cell.padEnd(width) : cell.padStart(width);
    })
    .join("");
}

export function heading(): string {
  return [
    line(["", "per second", "p50 ms", "p99 ms", "CPU ms of", "CPU ms of", "CPU ms of", "", ""]),
    line(["", "", "", "", "client", "service", "postgres", "MB", "batch"]),
  ].join("\n");
}

export function rowOf(name: string, window: Window): string {
  const cpu = (seconds: number) => digits((1000 * seconds) / window.operations, 4);
  return line([
    name,
    digits(perSecond(window), 0),
    digits(window.p50_ms, 2),
    digits(window.p99_ms, 2),
    cpu(window.client_cpu_s),
    cpu(window.service_cpu_s),
    cpu(window.postgresql_cpu_s),
    digits(window.service_memory_mb, 0),
    digits(window.commands_per_batch, 1),
  ]);
}

const digits = (value: number | null, decimals: number) =>
  value === null ? "" : value.toFixed(decimals);

/** The keys with their targets, one a line. */
export function tableOf(values: Readonly<Record<Key, number>>): string {
  const rows = Object.entries(TARGETS) as [Key, Target][];
  return rows
    .map(([key, { sign, must, aim }]) => {
      const value = values[key];
      const verdict = !reachesMust(key, value)
        ? "MISSED"
        : reaches(value, sign, aim)
          ? "aim reached"
          : must === null
            ? ""
            : "reached";
      const bound = must === null ? "" : `must ${sign} ${must}`;
      const shown = value >= 100 ? value.toFixed(0) : value.toFixed(3);
      return `${key.padEnd(26)}${shown.padStart(9)}   ${bound.padEnd(12)} aim ${sign} ${aim}`
        .padEnd(68)
        .concat(verdict)
        .trimEnd();
    })
    .join("\n");
}

/** The medians over the rounds of everything that a figure's windows tell. */
export function medianWindow(rounds: readonly Round[], name: FigureName) {
  const windows = rounds.flatMap((round) => round[name] ?? []);
  const of = (read: (window: Window) => number | null) => {
    const values = windows.flatMap((window) => read(window) ?? []);
    return values.length === 0 ? null : rounded(median(values));
  };
  const perOperation = (read: (window: Window) => number) =>
    of((window) => (1000 * read(window)) / window.operations);
  return {
    per_second: of(perSecond),
    p50_ms: of(({ p50_ms }) => p50_ms),
    p99_ms: of(({ p99_ms }) => p99_ms),
    client_cpu_ms: perOperation(({ client_cpu_s }) => client_cpu_s),
    service_cpu_ms: perOperation(({ service_cpu_s }) => service_cpu_s),
    postgresql_cpu_ms: perOperation(({ postgresql_cpu_s }) => postgresql_cpu_s),
    service_memory_mb: of(({ service_memory_mb }) => service_memory_mb),
    commands_per_batch: of(({ commands_per_batch }) => commands_per_batch),
  };
}

/** Four digits are more than a shared machine can tell apart. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
