/**
 * Owns the processes of the embedded PostgreSQL of a data folder, as one who kills them sees them:
 * where they are, what they do at the moment, and how the whole of it ends.
 */
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const GONE_MS_MAX = 20_000;
const POLL_MS = 20;

/** The id of the server's main process; undefined while there is none. */
export function findPostmaster(dataDir: string): number | undefined {
  try {
    const cluster = realpathSync(join(dataDir, "postgres", "cluster"));
    const pid = Number(readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n")[0]);
    return pid > 0 && commandOf(pid).split("\0").includes(cluster) ? pid : undefined;
  } catch {
    return undefined;
  }
}

export interface Backend {
  readonly pid: number;
  /** What it says that it is doing: `postgres: drawdown_app drawdown 127.0.0.1(5) COMMIT`. */
  readonly title: string;
}

/** The sessions of the service, those first that are at work. */
export function listBackends(dataDir: string): Backend[] {
  const postmaster = findPostmaster(dataDir);
  if (postmaster === undefined) return [];
  const found: Backend[] = [];
  for (const pid of listChildren(postmaster)) {
    const title = commandOf(pid).replaceAll("\0", " ").trim();
    if (title.includes("drawdown_app drawdown")) found.push({ pid, title });
  }
  return found.sort((one, other) => isIdle(one) - isIdle(other));
}

/** The processes that a process has started and that still run. */
export function listChildren(parent: number): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.filter((pid) => parentOf(pid) === parent);
}

/** Whether it is the process that replays a server's log after a crash. */
export function isReplaying(pid: number): boolean {
  return commandOf(pid).startsWith("postgres: startup");
}

const isIdle = ({ title }: Backend): number => (title.endsWith(" idle") ? 1 : 0);

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

/** Sends a signal; answers whether there was somebody to get it. */
export function signal(pid: number | undefined, name: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** Ends the server of a data folder at once, whoever started it, and waits until it is gone. */
export async function endServer(dataDir: string): Promise<void> {
  const giveUpAt_ms = performance.now() + GONE_MS_MAX;
  for (let pid = findPostmaster(dataDir); pid !== undefined; pid = findPostmaster(dataDir)) {
    if (performance.now() > giveUpAt_ms) throw new Error(`PostgreSQL ${pid} does not end`);
    signal(pid, "SIGQUIT");
    await sleep(POLL_MS);
  }
}

/** How much memory a process has in use, in bytes; 0 when it has ended. */
export function residentBytes(pid: number): number {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
