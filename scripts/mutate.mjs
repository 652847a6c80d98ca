/**
 * Mutation testing of the ledger: changes the code in thousands of small ways, and counts which of
 * them turn a test red. The pure folders are held by pure tests, the pipeline by tests over a
 * database. `npm run mutate` takes all folders, `npm run mutate -- grant` one.
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
  tests: "test/{money,ledger,pricing,scenarios,charge,customer}/**/*.test.ts",
  testTimeout: 30_000,
};
/** A lane that stands still is found out by a test that waits for it. */
const STORED = {
  tests: "test/{pipeline,core,model}/**/*.test.ts",
  testTimeout: 10_000,
  globalSetup: "test/cluster.ts",
};
const FOLDERS = {
  ...{ ledger: PURE, pricing: PURE, grant: PURE, invoice: PURE, charge: PURE, book: PURE },
  ...{ money: PURE, pipeline: STORED },
};
/** A list of a standard, not code. */
const LEFT_OUT = "!src/money/iso-4217.ts";
const NOT_COPIED = new Set([".git", ".drawdown", "dist", "reports"]);

const root = fileURLToPath(new URL("..", import.meta.url));
const resultFile = join(root, "docs", "proof", "mutation.json");

const asked = process.argv.slice(2);
const unknown = asked.filter((folder) => !Object.hasOwn(FOLDERS, folder));
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

function prepare() {
  // An install into a link changes what it points to.
  const modules = join(root, "node_modules");
  if (lstatSync(modules).isSymbolicLink()) throw new Error(`${modules} must not be a link`);
  // Of the project itself only: installed packages have folders of these names that they need.
  const isCopied = (path) => !NOT_COPIED.has(relative(root, path));
  cpSync(root, dir, { recursive: true, verbatimSymlinks: true, filter: isCopied });
  run("npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", ...STRYKER);
}

function mutate(folder) {
  const { tests, ...settingsOfTests } = FOLDERS[folder];
  const test = { include: [tests], pool: "forks", maxWorkers: 1, isolate: false };
  const config = JSON.stringify({ test: { ...test, ...settingsOfTests } });
  writeFileSync(join(dir, "vitest.mutate.config.mjs"), `export default ${config};\n`);
  const report = `reports/${folder}.json`;
  const settings = {
    testRunner: "vitest",
    plugins: ["@stryker-mutator/vitest-runner"],
    vitest: { configFile: "vitest.mutate.config.mjs", related: false },
    mutate: [`src/${folder}/**/*.ts`, LEFT_OUT],
    coverageAnalysis: "perTest",
    ignoreStatic: true,
    concurrency: 1,
    inPlace: true,
    timeoutMS: 10_000,
    reporters: ["json", "progress-append-only"],
    jsonReporter: { fileName: report },
  };
  writeFileSync(join(dir, "stryker.config.json"), JSON.stringify(settings));
  run("stryker", "run");
  return tell(folder, JSON.parse(readFileSync(join(dir, report), "utf8")).files);
}

function tell(folder, files) {
  const mutants = Object.entries(files).flatMap(([file, { mutants: own }]) =>
    own.map((mutant) => ({ file, ...mutant })),
  );
  const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  const caught = count("Killed", "Timeout");
  const missed = count("Survived", "NoCoverage");
  const score = Math.round((1_000 * caught) / (caught + missed)) / 10;
  for (const { file, status, location, mutatorName, replacement = "" } of mutants) {
    if (status !== "Survived" && status !== "NoCoverage") continue;
    const { line, column } = location.start;
    console.log(`${status} ${file}:${line}:${column} ${mutatorName}: ${oneLine(replacement)}`);
  }
  console.log(`${folder}: ${caught} of ${caught + missed} mutants were noticed, ${score} %`);
  keep(folder, {
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
