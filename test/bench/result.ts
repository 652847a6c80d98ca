/** Owns the result of a run: what stands in its JSON. */
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { betterYardstick, type FigureName, type Round, ratiosOf } from "./figures.ts";
import { type Key, medianWindow, reachesMust, rounded, TARGETS } from "./report.ts";
import type { Scale } from "./scale.ts";

/** Everything that a run measures. */
export interface Measurements {
  readonly scale: Scale;
  readonly startedAt: Date;
  readonly seconds: number;
  readonly rounds: readonly Round[];
  readonly postgresqlVersion: string;
  /** With an empty data folder, and with one that has a database. */
  readonly startups_ms: { readonly first: number; readonly later: number };
  readonly memoryAtRest_mb: number;
  readonly bytesPerCharge: number;
  readonly rowsPerCharge: number;
  readonly indexEntriesPerCharge: number;
  /** Customers whose books the service's own audit has accepted at the end. */
  readonly auditedCustomers: number;
}

export type Result = ReturnType<typeof resultOf>;

export function resultOf(measured: Measurements) {
  const { rounds, scale } = measured;
  const ratios = ratiosOf(rounds);
  const values: Readonly<Record<Key, number>> = {
    ...ratios,
    bytes_per_charge: measured.bytesPerCharge,
    rows_per_charge: measured.rowsPerCharge,
    index_entries_per_charge: measured.indexEntriesPerCharge,
  };
  const figure = (name: FigureName) => medianWindow(rounds, name);
  const names = Object.keys(rounds[0] ?? {}) as FigureName[];
  const missed = (Object.keys(TARGETS) as Key[]).filter((key) => !reachesMust(key, values[key]));
  return {
    ...mapValues({ ...ratios, ...values }, rounded),
    yardstick: betterYardstick(rounds),
    idle_latency_ms: {
      charge: figure("idle_charge").p50_ms,
      hand_written: figure("idle_yardstick").p50_ms,
    },
    startup_ms: mapValues(measured.startups_ms, Math.round),
    memory_at_rest_mb: Math.round(measured.memoryAtRest_mb),
    audited_customers: measured.auditedCustomers,
    missed,
    run: {
      scale: scale.name,
      rounds: rounds.length,
      started_at: measured.startedAt.toISOString(),
      seconds: Math.round(measured.seconds),
      commit: commit(),
      node: process.version,
      postgresql: measured.postgresqlVersion,
      processors: cpus().length,
      processor: cpus()[0]?.model ?? "",
    },
    figures: Object.fromEntries(names.map((name) => [name, figure(name)])),
  };
}

function mapValues<K extends string>(
  values: Readonly<Record<K, number>>,
  change: (value: number) => number,
): Record<K, number> {
  const entries = Object.entries<number>(values).map(([key, value]) => [key, change(value)]);
  return Object.fromEntries(entries);
}

function commit(): string | null {
  const { status, stdout } = spawnSync("git", ["describe", "--always", "--dirty"]);
  return status === 0 ? String(stdout).trim() : null;
}
