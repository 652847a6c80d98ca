/**
 * Runs every check of the project, all of them even when one fails, and ends with a line for each.
 * Arguments go to vitest.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CHECKS = [
  ["contract: lint", () => run("buf", "lint")],
  ["contract: format", () => run("buf", "format", "-d", "--exit-code")],
  ["contract: gen is what buf generates", isGenerated],
  ["code: format and lint", () => run("biome", "ci", ".")],
  ["code: types", () => run("tsc", "--noEmit", "-p", ".")],
  ["tests", () => run("vitest", "run", ...process.argv.slice(2))],
];

function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (error) console.error(error.message);
  return status === 0;
}

/** Generates into a temporary folder and compares: gen is committed, so that a start needs no buf. */
function isGenerated() {
  const fresh = mkdtempSync(join(tmpdir(), "drawdown-gen-"));
  try {
    if (!run("buf", "generate", "--output", fresh)) return false;
    const differing = listDifferences("gen", join(fresh, "gen"));
    for (const name of differing) console.error(`gen/${name} differs: run npm run generate`);
    return differing.length === 0;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function listDifferences(one, other) {
  const names = new Set([...listFiles(one), ...listFiles(other)]);
  return [...names].filter((name) => readText(join(one, name)) !== readText(join(other, name)));
}

function listFiles(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? listFiles(join(dir, entry.name)).map((name) => join(entry.name, name))
      : [entry.name],
  );
}

const readText = (file) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);

const results = CHECKS.map(([name, check]) => {
  console.log(`\n── ${name}`);
  return { name, ok: check() };
});
console.log();
for (const { name, ok } of results) console.log(`${ok ? "passed" : "FAILED"}  ${name}`);
process.exit(results.every(({ ok }) => ok) ? 0 : 1);
