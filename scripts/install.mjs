/**
 * Installs what is missing, so that a fresh clone needs Node 20 and npm and nothing else: runs
 * `npm ci` when node_modules is missing or older than the lock file. npm also brings the Node that
 * the project runs on; this file runs on the machine's own, so it keeps to what Node 20 knows.
 */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const installed = join(root, "node_modules", ".package-lock.json");
const lock = join(root, "package-lock.json");

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  // npm would empty the folder that a link leads to, which is somebody else's.
  if (lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error("node_modules is a link to modules of another age; remove it and try again.");
    process.exit(1);
  }
  console.error("Installing the dependencies (npm ci)…");
  // What installs must not depend on NODE_ENV or on the user's npm settings: the build needs all.
  const options = [
    "ci",
    "--include=dev",
    "--include=optional",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const npm = process.env.npm_execpath;
  const { status, error } = npm?.endsWith(".js")
    ? spawnSync(process.execPath, [npm, ...options], { cwd: root, stdio: ["ignore", 2, 2] })
    : spawnSync("npm", options, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    console.error(`npm ci failed${error ? `: ${error.message}` : ""}.`);
    process.exit(status ?? 1);
  }
}

// The Node that the project's other scripts get: npm puts node_modules/.bin first on the PATH.
const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
const { stdout } = spawnSync("node", ["--version"], { env: { ...process.env, PATH: path } });
const found = String(stdout).trim();
const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const [major, minor] = found.replace("v", "").split(".").map(Number);
const [leastMajor, leastMinor] = engines.node.replace(">=", "").split(".").map(Number);
if (!(major > leastMajor || (major === leastMajor && minor >= leastMinor))) {
  console.error(
    `Node ${engines.node} is needed and ${found} is what there is; npm brings one for Linux ` +
      "only. Install a newer Node and try again.",
  );
  process.exit(1);
}
