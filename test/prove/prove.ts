/**
 * Owns the command that shows what the service promises: which promises run, at what size, from
 * which seed, and what is printed about it.
 *
 *   npm run prove -- crash --size large --seed 7
 *   npm run prove -- --quick --json
 */
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { cpSync, existsSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Fleet } from "./fleet.ts";
import { PROMISES, type PromiseName } from "./promises.ts";
import { Random } from "./random.ts";
import { type Run, SIZES, type Size, type Stage } from "./run.ts";
import { Scratch } from "./scratch.ts";
import { Tally } from "./tally.ts";

const USAGE = `Usage: npm run prove -- [promise…] [--size small|large] [--seed N] [--json]
       npm run prove -- --quick [--json]

Promises:
${Object.entries(PROMISES)
  .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
  .join("\n")}

Without a promise all of them run. --quick runs a small part of some within 50 s.
--minutes N ends the run after that time with what it has by then.
--report FILE writes the figures to a file.
`;

/** The root of the project that this file stands in: a scratch copy proves its own sources. */
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SHARED_REPLICAS = 3;
const QUICK_MS_MAX = 43_000;
const STANDSTILL_SAMPLE_MS = 250;

interface Order {
  readonly promises: readonly PromiseName[];
  readonly size: Size;
  readonly seed: string;
  readonly json: boolean;
  readonly minutes: number;
  readonly report: string | undefined;
}

function readOrder(words: readonly string[]): Order | undefined {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      size: { type: "string", default: "small" },
      seed: { type: "string" },
      minutes: { type: "string", default: "480" },
      report: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const size = values.quick ? "quick" : SIZES.find((each) => each === values.size);
  const known = Object.keys(PROMISES) as PromiseName[];
  const named = known.filter((each) => positionals.includes(each));
  const isKnown = positionals.every((each) => known.includes(each as PromiseName));
  const minutes = Number(values.minutes);
  if (values.help || size === undefined || !isKnown || !(minutes > 0)) return undefined;
  const all = known.filter((each) => shareOf(each, size) > 0);
  return {
    promises: named.length > 0 ? named : all,
    size,
    seed: values.seed ?? String(randomInt(2 ** 32)),
    json: values.json,
    minutes,
    report: values.report,
  };
}

/** Compiles the sources to a folder of the run's own, which no build can change meanwhile. */
function compile(scratch: Scratch): string {
  const modules = join(ROOT, "node_modules");
  const outDir = join(scratch.dir, "dist");
  const args = ["-p", join(ROOT, "tsconfig.build.json"), "--outDir", outDir];
  const { status } = spawnSync(join(modules, ".bin", "tsc"), args, { stdio: ["ignore", 2, 2] });
  const program = join(outDir, "src", "main.js");
  if (status !== 0 || !existsSync(program)) throw new Error("the sources do not compile");
  cpSync(join(ROOT, "package.json"), join(scratch.dir, "package.json"));
  symlinkSync(modules, join(scratch.dir, "node_modules"));
  return program;
}

async function prove(order: Order): Promise<boolean> {
  const startedAt_ms = performance.now();
  const seconds = () => (performance.now() - startedAt_ms) / 1_000;
  const tally = new Tally();
  const scratch = new Scratch("prove");
  const stop = () => void scratch.close().then(() => process.exit(130));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  process.once("uncaughtException", (error) => {
    console.error(error);
    stop();
  });
  const standstill = new Standstill();
  console.log(`seed ${order.seed}, size ${order.size}: ${order.promises.join(", ")}`);
  try {
    const bench = { order, program: compile(scratch), scratch, tally, startedAt_ms };
    const shared = order.size === "quick" ? new SharedFleet(bench) : undefined;
    for (const name of order.promises) await proveOne(name, bench, shared);
  } finally {
    await scratch.close();
  }
  tally.figures.set("longest standstill of the run itself", `${standstill.end()} ms`);
  report(order, tally, seconds());
  return tally.kept;
}

/** Measures how long the run itself did nothing: what a busy machine does to it is no finding. */
class Standstill {
  #lastMs = performance.now();
  #longestMs = 0;
  readonly #timer = setInterval(() => {
    const nowMs = performance.now();
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }, STANDSTILL_SAMPLE_MS);

  /** Answers in milliseconds. */
  end(): number {
    clearInterval(this.#timer);
    return Math.round(Math.max(0, this.#longestMs - STANDSTILL_SAMPLE_MS));
  }
}

interface Bench {
  readonly order: Order;
  readonly program: string;
  readonly scratch: Scratch;
  readonly tally: Tally;
  readonly startedAt_ms: number;
}

/** The replicas that the promises of a quick run share, started when the first one asks. */
class SharedFleet {
  readonly #bench: Bench;
  #started: Promise<Fleet> | undefined;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  open(promise: PromiseName): Promise<Fleet> {
    this.#started ??= startFleet({ ...this.#bench, promise }, SHARED_REPLICAS);
    return this.#started;
  }
}

async function startFleet(stage: Stage, size: number): Promise<Fleet> {
  const fleet = new Fleet(stage, { size });
  await fleet.start();
  return fleet;
}

async function proveOne(
  name: PromiseName,
  bench: Bench,
  shared: SharedFleet | undefined,
): Promise<void> {
  const { order, program, scratch, tally } = bench;
  const { size, seed } = order;
  const beganAt_ms = performance.now();
  const lateAt_ms = beganAt_ms + timeFor(name, bench);
  let isCutShort = false;
  const isLate = () => {
    isCutShort ||= performance.now() > lateAt_ms;
    return isCutShort;
  };
  const say = (text: string) => {
    const time = ((performance.now() - beganAt_ms) / 1_000).toFixed(1);
    console.log(`${name.padEnd(8)} ${time.padStart(6)} s  ${text}`);
  };
  const run: Run = {
    promise: name,
    seed,
    size,
    tally,
    scratch,
    program,
    say,
    root: ROOT,
    random: new Random(`${seed}/${name}`),
    openFleet: (count) => shared?.open(name) ?? startFleet({ ...bench, promise: name }, count),
    isLate,
  };
  const { mark } = scratch;
  try {
    await PROMISES[name].show(run);
    if (isCutShort && size !== "quick") tally.leftOut.add(`${name}: the rest, for want of time`);
    say("done");
  } catch (error) {
    const history = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
    tally.fail({ promise: name, breach: "other", what: "the run itself broke off", history });
    say("broke off");
  } finally {
    if (shared === undefined) await scratch.endSince(mark);
  }
}

/** A promise's part of what is left of the time. */
function timeFor(name: PromiseName, { order, startedAt_ms }: Bench): number {
  const { promises, size, minutes } = order;
  const left = promises.slice(promises.indexOf(name));
  const shares = left.reduce((sum, each) => sum + shareOf(each, size), 0) || 1;
  const wholeMs = size === "quick" ? QUICK_MS_MAX : minutes * 60_000;
  const leftMs = wholeMs - (performance.now() - startedAt_ms);
  return (leftMs * shareOf(name, size)) / shares;
}

function shareOf(name: PromiseName, size: Size): number {
  const { quick, whole } = PROMISES[name].shares;
  return size === "quick" ? quick : whole;
}

function report(order: Order, tally: Tally, seconds: number): void {
  const { json, seed, size } = order;
  for (const { promise, breach, what, history } of tally.failures) {
    const again = size === "quick" ? "--quick" : `--size ${size}`;
    console.log(`\nBROKEN  ${promise} (${breach}): ${what}`);
    for (const line of history) console.log(`    ${line}`);
    console.log(`    again: npm run prove -- ${promise} ${again} --seed ${seed}`);
  }
  for (const each of tally.notShown) console.log(`\nNOT SHOWN  ${each}`);
  console.log(`\n${tally.toTable(seconds)}`);
  console.log(`\nseed ${seed}: ${tally.kept ? "every promise was kept" : "NOT kept"}`);
  const figures = { promises: order.promises, size, ...tally.toJson(seed, seconds) };
  if (order.report !== undefined) {
    writeFileSync(order.report, `${JSON.stringify({ ...machine(), ...figures }, null, 2)}\n`);
  }
  if (json) console.log(JSON.stringify(figures));
}

/** What a reader of a report wants to know of the place where it was made. */
function machine(): Readonly<Record<string, unknown>> {
  const [processor] = cpus();
  const git = spawnSync("git", ["rev-parse", "HEAD"], { cwd: ROOT, encoding: "utf8" });
  return {
    date: new Date().toISOString(),
    commit: git.stdout?.trim() || null,
    processor: `${cpus().length} × ${processor?.model}`,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}

const order = readOrder(process.argv.slice(2));
if (order === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const isKept = await prove(order);
  // What a client library still does for services that are gone must not keep the command running.
  process.exit(isKept ? 0 : 1);
}
