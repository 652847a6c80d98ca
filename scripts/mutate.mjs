/**
 * Mutation testing of the ledger: changes the code in thousands of small ways, and counts which of
 * them turn a test red. The pure folders are held by pure tests, the pipeline by tests over a
 * database. `npm run mutate` takes all folders, `npm run mutate -- grant` one, and
 * `npm run mutate -- pipeline/lane.ts` one file, whose figures are only shown.
 *
 * What survives the quick tests is tried once more with all tests, each file of them in a process
 * of its own: there the code that runs once is run again, a statement that is composed and kept for
 * instance.
 *
 * It works in a copy in the temporary folder, into which it installs Stryker: that brings some 170
 * packages, with which an install of this project is not to be burdened.
 *
 * The figures go into docs/proof/mutation.json; what survived is printed, place by place.
 *
 * Mutants of constants at the top of a module ("static") are left out: each would need a process of
 * its own with all tests. The tables among them are compared with the rules by tests of their own.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const STRYKER = ["@stryker-mutator/core@10.1.1", "@stryker-mutator/vitest-runner@10.1.1"];
/** Tests that need no database and are quick. */
const PURE = {
  quick: "test/{money,ledger,pricing,scenarios,charge,customer}/**/*.test.ts",
  settings: { testTimeout: 30_000 },
};
/** A lane that stands still is found out by a test that waits for it. */
const STORED = {
  quick: "test/pipeline/**/*.test.ts",
  all: "test/{pipeline,access,queries,model}/**/*.test.ts",
  settings: { testTimeout: 10_000, globalSetup: "test/cluster.ts" },
};
const FOLDERS = {
  ...{ ledger: PURE, pricing: PURE, grant: PURE, invoice: PURE, charge: PURE, book: PURE },
  ...{ money: PURE, pipeline: STORED },
};
/** A list of a standard, not code. */
const LEFT_OUT = "!src/money/iso-4217.ts";
/** What became of a mutant that no test noticed. */
const MISSED = ["Survived", "NoCoverage"];
const NOT_COPIED = new Set([".git", ".drawdown", "dist", "reports"]);

const root = fileURLToPath(new URL("..", import.meta.url));
const resultFile = join(root, "docs", "proof", "mutation.json");

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(FOLDERS, folderOf(name)));
if (unknown.length > 0) {
  const names = Object.keys(FOLDERS).join(", ");
  console.error(`There is no ${unknown.join(", ")} among ${names}.`);
  process.exit(2);
}

const dir = mkdtempSync(join(tmpdir(), "drawdown-mutate-"));
try {
  prepare();
  const scores = (asked.length > 0 ? asked : Object.keys(FOLDERS)).map(mutate);
  process.exitCode = scores.every((score) => score >= 85) ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/** The folder of what is asked for: a folder, or a file in it. */
function folderOf(name) {
  return name.split("/")[0];
}

function prepare() {
  // An install into a link changes what it points to.
  const modules = join(root, "node_modules");
  if (lstatSync(modules).isSymbolicLink()) throw new Error(`${modules} must not be a link`);
  // Of the project itself only: installed packages have folders of these names that they need.
  const isCopied = (path) => !NOT_COPIED.has(relative(root, path));
  cpSync(root, dir, { recursive: true, verbatimSymlinks: true, filter: isCopied });
  run("npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", ...STRYKER);
}

function mutate(name) {
  const { quick, all, settings } = FOLDERS[folderOf(name)];
  const places = name.includes("/") ? [`src/${name}`] : [`src/${name}/**/*.ts`, LEFT_OUT];
  const mutants = tryMutants(places, quick, { ...settings, isolate: false });
  const survivors = mutants.filter(({ status }) => MISSED.includes(status));
  if (all !== undefined && survivors.length > 0) {
    const again = tryMutants(survivors.map(placeOf), all, { ...settings, isolate: true });
    const found = new Map(again.map((mutant) => [keyOf(mutant), mutant.status]));
    for (const survivor of survivors)
      survivor.status = found.get(keyOf(survivor)) ?? survivor.status;
  }
  return tell(name, mutants);
}

/** Runs the tests for each mutant of these places. */
function tryMutants(places, tests, settings) {
  const test = { include: [tests], pool: "forks", maxWorkers: 1, ...settings };
  writeFileSync(
    join(dir, "vitest.mutate.config.mjs"),
    `export default ${JSON.stringify({ test })};\n`,
  );
  const report = "reports/mutants.json";
  const stryker = {
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner"],
    vitest: { configFile: "vitest.mutate.config.mjs", related: false },
    mutate: places,
    coverageAnalysis: "perTest",
    ignoreStatic: true,
    concurrency: 1,
    inPlace: true,
    timeoutMS: 10_000,
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: report },
  };
  writeFileSync(join(dir, "stryker.config.json"), JSON.stringify(stryker));
  run("stryker", "run");
  const { files } = JSON.parse(readFileSync(join(dir, report), "utf8"));
  return Object.entries(files).flatMap(([file, { mutants }]) =>
    mutants.map((mutant) => ({ file, ...mutant })),
  );
}

/** Where a mutant stands, as Stryker takes it; its columns are told from 1 and taken from 0. */
function placeOf({ file, location: { start, end } }) {
  return `${file}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`;
}

function keyOf({ file, location, mutatorName, replacement }) {
  return JSON.stringify([file, location, mutatorName, replacement]);
}

function tell(name, mutants) {
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const caught = count("Killed", "Timeout");
  const missed = count(...MISSED);
  const score = Math.round((1_000 * caught) / (caught + missed)) / 10;
  for (const { file, status, location, mutatorName, replacement = "" } of mutants) {
    if (!MISSED.includes(status)) continue;
    const { line, column } = location.start;
    console.log(`${status} ${file}:${line}:${column} ${mutatorName}: ${oneLine(replacement)}`);
  }
  console.log(`${name}: ${caught} of ${caught + missed} mutants were noticed, ${score} %`);
  if (name !== folderOf(name)) return score;
  keep(name, {
    date: new Date().toISOString().slice(0, 10),
    mutants: mutants.length,
    static_left_out: count("Ignored"),
    did_not_compile: count("CompileError", "RuntimeError"),
    killed: count("Killed"),
    timed_out: count("Timeout"),
    survived: count("Survived"),
    not_covered: count("NoCoverage"),
    score_percent: score,
  });
  return score;
}

function oneLine(text) {
  return text.replace(/\s+/g, " ").slice(0, 60);
}

function keep(folder, figures) {
  const kept = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, "utf8")) : {};
  mkdirSync(join(root, "docs", "proof"), { recursive: true });
  writeFileSync(resultFile, `${JSON.stringify({ ...kept, [folder]: figures }, null, 2)}\n`);
}

function run(program, ...args) {
  const path = [join(dir, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path };
  const { status, error } = spawnSync(program, args, { cwd: dir, env, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw error ?? new Error(`${program} ended with ${status}`);
}
