/**
 * Owns one measurement: a load runs, and between two moments everything is counted, what was done
 * and what it took of client, service and PostgreSQL.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Load, Measured } from "./load.ts";
import type { LoadProcesses } from "./load-processes.ts";
import { secondsOfFamily, secondsOfProcess } from "./processor-time.ts";
import type { SpawnedService } from "./spawned-service.ts";

export interface Window {
  readonly operations: number;
  readonly seconds: number;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly client_cpu_s: number;
  readonly service_cpu_s: number;
  readonly postgresql_cpu_s: number;
  /** Null where no service is under load. */
  readonly service_memory_mb: number | null;
  /** How many commands shared a transaction, on average; null where none were sent. */
  readonly commands_per_batch: number | null;
}

export const perSecond = ({ operations, seconds }: Window) => operations / seconds;
/** CPU of the servers: what an operation costs whoever runs the service. */
export const serverCpu_s = ({ service_cpu_s, postgresql_cpu_s }: Window) =>
  service_cpu_s + postgresql_cpu_s;
export const serverCpuPerOperation_ms = (window: Window) =>
  (1000 * serverCpu_s(window)) / window.operations;

/** Whom a window watches. */
export interface Watched {
  readonly processes: LoadProcesses;
  /** The service that is under this load; null for SQL written by hand. */
  readonly service: SpawnedService | null;
  readonly postmasterPid: number;
}

export interface Duration {
  readonly warmUp_ms: number;
  readonly window_ms: number;
}

/** What is read at both ends of a window. */
export interface Reading {
  readonly atMs: number;
  readonly client_cpu_s: number;
  readonly service_cpu_s: number;
  readonly postgresql_cpu_s: number;
  readonly batches: number;
  readonly commands: number;
}

export async function readAll(watched: Watched): Promise<Reading> {
  const { processes, service, postmasterPid } = watched;
  const batches = service === null ? NO_BATCHES : await readBatches(service);
  return {
    ...batches,
    atMs: performance.now(),
    client_cpu_s: processes.cpu_s(),
    service_cpu_s: service === null ? 0 : secondsOfProcess(service.pid),
    postgresql_cpu_s: secondsOfFamily(postmasterPid),
  };
}

const NO_BATCHES = { batches: 0, commands: 0 } as const;

/** What the service itself says of the batches that formed. */
async function readBatches({ http }: SpawnedService) {
  const text = await (await fetch(`${http}/metrics`)).text();
  const value = (name: string) =>
    Number(new RegExp(`^drawdown_batch_commands_${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
  return { batches: value("count"), commands: value("sum") };
}

/** Measures a load that is shared by so many processes; for as long as it lasts: `null`. */
export async function measureLoad(
  watched: Watched,
  load: { readonly processes: 1 | 2; readonly share: (of: number) => Load },
  duration: Duration | null,
): Promise<Window> {
  const { processes } = watched;
  if (duration !== null) {
    processes.start(load.processes, load.share);
    await sleep(duration.warmUp_ms);
  }
  const before = await readAll(watched);
  if (duration === null) processes.start(load.processes, load.share);
  processes.mark();
  if (duration === null) await processes.finish();
  else await sleep(duration.window_ms);
  const measured = await processes.read();
  const after = await readAll(watched);
  const service_memory_mb = watched.service?.memory_mb() ?? null;
  await processes.stop();
  const sum = (of: (each: Measured) => number) =>
    measured.reduce((total, each) => total + of(each), 0);
  return {
    ...between(before, after),
    operations: sum(({ operations }) => operations),
    seconds: sum(({ seconds }) => seconds) / measured.length,
    ...percentiles(measured.flatMap(({ latencies_ms }) => latencies_ms)),
    service_memory_mb,
  };
}

export function between(before: Reading, after: Reading) {
  const batches = after.batches - before.batches;
  return {
    client_cpu_s: after.client_cpu_s - before.client_cpu_s,
    service_cpu_s: after.service_cpu_s - before.service_cpu_s,
    postgresql_cpu_s: after.postgresql_cpu_s - before.postgresql_cpu_s,
    commands_per_batch: batches === 0 ? null : (after.commands - before.commands) / batches,
  };
}

export function percentiles(latencies_ms: readonly number[]) {
  const sorted = latencies_ms.toSorted((left, right) => left - right);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? null;
  return { p50_ms: at(0.5), p99_ms: at(0.99) };
}
