/** Owns the yardstick as pgbench runs it, where pgbench is installed. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { CustomerRange } from "./load.ts";
import { secondsOfProcess } from "./processor-time.ts";
import { SET_TENANT, YARDSTICK_FILE } from "./sql-load.ts";
import {
  between,
  type Duration,
  percentiles,
  type Reading,
  readAll,
  type Watched,
  type Window,
} from "./window.ts";

const THREADS = 2;
/** This share of transactions is written down, which is enough for their percentiles. */
const SAMPLING_RATE = 0.1;
const PROGRESS_LINE = /^progress: ([\d.]+) s, ([\d.]+) tps/;
/** The place of a transaction's latency, in microseconds, in a line of pgbench's log. */
const LOG_LATENCY = 2;

export function isPgbenchInstalled(): boolean {
  return spawnSync("pgbench", ["--version"]).status === 0;
}

/**
 * pgbench prepares every statement, which two in one message cannot be: a pipeline sends BEGIN and
 * the tenant in one message instead.
 */
const script = ({ first, count }: CustomerRange) => `
\\set customer random(${first}, ${first + count - 1})
\\startpipeline
BEGIN;
${SET_TENANT};
\\endpipeline
${readFileSync(YARDSTICK_FILE, "utf8")};
COMMIT;
`;

/** Whole seconds only, because pgbench reports its progress once a second. */
export async function measurePgbench(
  watched: Watched,
  load: {
    readonly url: string;
    readonly customers: CustomerRange;
    readonly connections: number;
  },
  { warmUp_ms, window_ms }: Duration,
): Promise<Window> {
  const warmUp_s = Math.max(1, Math.round(warmUp_ms / 1000));
  const seconds = warmUp_s + Math.max(1, Math.round(window_ms / 1000));
  const dir = mkdtempSync(join(tmpdir(), "drawdown-pgbench-"));
  try {
    const scriptFile = join(dir, "yardstick.sql");
    writeFileSync(scriptFile, script(load.customers));
    const pgbench = spawn(
      "pgbench",
      [
        ...["--no-vacuum", "--protocol=prepared", `--file=${scriptFile}`],
        ...[`--client=${load.connections}`, `--jobs=${THREADS}`],
        ...[`--time=${seconds + 1}`, "--progress=1"],
        ...["--log", `--log-prefix=${join(dir, "log")}`, `--sampling-rate=${SAMPLING_RATE}`],
        load.url,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const ended = new Promise<number | null>((resolve) => pgbench.once("exit", resolve));
    const window = await follow(createInterface(pgbench.stderr), warmUp_s, async () => ({
      ...(await readAll(watched)),
      client_cpu_s: secondsOfProcess(pgbench.pid ?? 0),
    }));
    const code = await ended;
    if (code !== 0 || window === null) throw new Error(`pgbench ended with ${code}`);
    return { ...window, ...percentiles(readLatencies_ms(dir)) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Reads everything at the first line behind the warm-up and at each later one. */
async function follow(
  lines: AsyncIterable<string>,
  warmUp_s: number,
  read: () => Promise<Reading>,
): Promise<Window | null> {
  let before: { readonly at_s: number; readonly reading: Reading } | null = null;
  let window: Window | null = null;
  let operations = 0;
  const said: string[] = [];
  for await (const line of lines) {
    const [, at, tps] = PROGRESS_LINE.exec(line) ?? [];
    if (at === undefined) {
      said.push(line);
      continue;
    }
    const at_s = Number(at);
    if (before === null) {
      if (at_s >= warmUp_s - 0.5) before = { at_s, reading: await read() };
      continue;
    }
    const last_s = before.at_s + (window?.seconds ?? 0);
    operations += Number(tps) * (at_s - last_s);
    window = {
      ...between(before.reading, await read()),
      operations: Math.round(operations),
      seconds: at_s - before.at_s,
      p50_ms: null,
      p99_ms: null,
      service_memory_mb: null,
    };
  }
  if (window === null) throw new Error(`pgbench says: ${said.join("\n")}`);
  return window;
}

function readLatencies_ms(dir: string): readonly number[] {
  const logs = readdirSync(dir).filter((name) => name.startsWith("log"));
  return logs.flatMap((name) =>
    readFileSync(join(dir, name), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => Number(line.split(" ")[LOG_LATENCY]) / 1000),
  );
}
