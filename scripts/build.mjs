/**
 * Compiles src and gen to dist when a source is newer than what stands there. A first word
 * `always` compiles in any case.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
// Written last, so a compilation that broke off is never taken for a complete one.
const stamp = join(dist, ".complete");
const sources = ["src", "gen", "tsconfig.json", "tsconfig.build.json", "package-lock.json"];

/** The newest change at or below a path; a folder's own time tells of files that were removed. */
function newestChange(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestChange(join(path, name))),
    stats.mtimeMs,
  );
}

const startedAt = new Date();
const isWanted = process.argv[2] === "always" || !existsSync(stamp);
const newest = Math.max(...sources.map((source) => newestChange(join(root, source))));
if (isWanted || statSync(stamp).mtimeMs < newest) {
  rmSync(dist, { recursive: true, force: true });
  const { status } = spawnSync("tsc", ["-p", "tsconfig.build.json"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) process.exit(status ?? 1);
  // A source that changed while it was being compiled is newer than what was compiled.
  writeFileSync(stamp, startedAt.toISOString());
  utimesSync(stamp, startedAt, startedAt);
}
