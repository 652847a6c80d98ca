/** Owns the yardstick as pgbench runs it, where pgbench is installed. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
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
    const progress = new Progress(createInterface(pgbench.stderr));
    const read = async (): Promise<Reading> => ({
      ...(await readAll(watched)),
      client_cpu_s: secondsOfProcess(pgbench.pid ?? 0),
    });
    await progress.reaches(warmUp_s);
    const before = await read();
    await sleep(1000 * (seconds - warmUp_s));
    const after = await read();
    const code = await ended;
    if (code !== 0) throw new Error(`pgbench ended with ${code}: ${progress.said}`);
    const elapsed_s = (after.atMs - before.atMs) / 1000;
    return {
      ...between(before, after),
      operations: Math.round(progress.perSecondAfter(warmUp_s) * elapsed_s),
      seconds: elapsed_s,
      ...percentiles(readLatencies_ms(dir)),
      service_memory_mb: null,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What pgbench tells while it runs, once a second. */
class Progress {
  readonly #rates: { readonly at_s: number; readonly perSecond: number }[] = [];
  readonly #others: string[] = [];
  readonly #ended: Promise<void>;
  #told: () => void = () => undefined;

  constructor(lines: AsyncIterable<string>) {
    this.#ended = this.#follow(lines);
  }

  /** What else it has said: what is wrong, if anything is. */
  get said(): string {
    return this.#others.join("\n");
  }

  /** Settles when it has run for so long, or has ended. */
  async reaches(at_s: number): Promise<void> {
    while (!this.#rates.some((each) => each.at_s >= at_s - 0.5)) {
      const next = new Promise<"told">((resolve) => {
        this.#told = () => resolve("told");
      });
      if ((await Promise.race([next, this.#ended])) !== "told") return;
    }
  }

  /** The mean of the rates that it told after so long. */
  perSecondAfter(at_s: number): number {
    const later = this.#rates.filter((each) => each.at_s >= at_s + 0.5);
    return later.reduce((sum, { perSecond }) => sum + perSecond, 0) / later.length;
  }

  async #follow(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      const [, at, tps] = PROGRESS_LINE.exec(line) ?? [];
      if (at === undefined) this.#others.push(line);
      else this.#rates.push({ at_s: Number(at), perSecond: Number(tps) });
      this.#told();
    }
  }
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
