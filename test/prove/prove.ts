/**
 * Owns the command that shows what the service promises: which promises run, at what size, from
 * which seed, and what is printed about it.
 *
 *   npm run prove -- crash --size large --seed 7
 *   npm run prove -- --quick --json
 */
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { cpSync, existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Fleet } from "./fleet.ts";
import { PROMISES, type PromiseName } from "./promises.ts";
import { Random } from "./random.ts";
import { type Run, SIZES, type Size } from "./run.ts";
import { Scratch } from "./scratch.ts";
import { Tally } from "./tally.ts";

const USAGE = `Usage: npm run prove -- [promise…] [--size small|large] [--seed N]
       npm run prove -- --quick [--json]

Promises:
${Object.entries(PROMISES)
  .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
  .join("\n")}

Without a promise all of them run. --quick runs a small part of some within 50 s.
`;

/** The root of the project that this file stands in: a scratch copy proves its own sources. */
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SHARED_REPLICAS = 3;
const QUICK_MS_MAX = 43_000;
const HOURS_8_MS = 8 * 3_600_000;

interface Order {
  readonly promises: readonly PromiseName[];
  readonly size: Size;
  readonly seed: string;
  readonly json: boolean;
}

function readOrder(words: readonly string[]): Order | undefined {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      size: { type: "string", default: "small" },
      seed: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const size = values.quick ? "quick" : SIZES.find((each) => each === values.size);
  const known = Object.keys(PROMISES) as PromiseName[];
  const named = known.filter((each) => positionals.includes(each));
  const isKnown = positionals.every((each) => known.includes(each as PromiseName));
  if (values.help || size === undefined || !isKnown) return undefined;
  const all = known.filter((each) => size !== "quick" || PROMISES[each].quickShare > 0);
  return {
    promises: named.length > 0 ? named : all,
    size,
    seed: values.seed ?? String(randomInt(2 ** 32)),
    json: values.json,
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
  console.log(`seed ${order.seed}, size ${order.size}: ${order.promises.join(", ")}`);
  try {
    const bench = { order, program: compile(scratch), scratch, tally, startedAt_ms };
    const shared = order.size === "quick" ? new SharedFleet(bench) : undefined;
    for (const name of order.promises) await proveOne(name, bench, shared);
  } finally {
    await scratch.close();
  }
  report(order, tally, seconds());
  return tally.kept;
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

  open(): Promise<Fleet> {
    this.#started ??= startFleet(this.#bench, SHARED_REPLICAS);
    return this.#started;
  }
}

async function startFleet({ program, scratch }: Bench, size: number): Promise<Fleet> {
  const fleet = new Fleet(scratch, { program, size });
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
  const say = (text: string) => {
    const time = ((performance.now() - beganAt_ms) / 1_000).toFixed(1);
    console.log(`${name.padEnd(8)} ${time.padStart(6)} s  ${text}`);
  };
  const run: Run = {
    seed,
    size,
    tally,
    scratch,
    program,
    say,
    root: ROOT,
    random: new Random(`${seed}/${name}`),
    openFleet: (count) => shared?.open() ?? startFleet(bench, count),
    isLate: () => performance.now() > lateAt_ms,
  };
  const { mark } = scratch;
  try {
    await PROMISES[name].show(run);
    say("done");
  } catch (error) {
    const history = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
    tally.fail({ promise: name, breach: "other", what: "the run itself broke off", history });
    say("broke off");
  } finally {
    if (shared === undefined) await scratch.endSince(mark);
  }
}

/** A promise's part of what is left of a quick run's time; other runs end when all is done. */
function timeFor(name: PromiseName, { order, startedAt_ms }: Bench): number {
  if (order.size !== "quick") return HOURS_8_MS;
  const left = order.promises.slice(order.promises.indexOf(name));
  const shares = left.reduce((sum, each) => sum + PROMISES[each].quickShare, 0) || 1;
  const leftMs = QUICK_MS_MAX - (performance.now() - startedAt_ms);
  return (leftMs * PROMISES[name].quickShare) / shares;
}

function report({ json, seed, size }: Order, tally: Tally, seconds: number): void {
  for (const { promise, breach, what, history } of tally.failures) {
    const again = size === "quick" ? "--quick" : `--size ${size}`;
    console.log(`\nBROKEN  ${promise} (${breach}): ${what}`);
    for (const line of history) console.log(`    ${line}`);
    console.log(`    again: npm run prove -- ${promise} ${again} --seed ${seed}`);
  }
  for (const each of tally.notShown) console.log(`\nNOT SHOWN  ${each}`);
  console.log(`\n${tally.toTable(seconds)}`);
  console.log(`\nseed ${seed}: ${tally.kept ? "every promise was kept" : "NOT kept"}`);
  if (json) console.log(JSON.stringify(tally.toJson(seed, seconds)));
}

const order = readOrder(process.argv.slice(2));
if (order === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = (await prove(order)) ? 0 : 1;
}
