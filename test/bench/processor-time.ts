/**
 * Owns how much processor time processes have used, as Linux counts it below /proc. On a shared
 * machine seconds of the clock say little; these can be compared.
 */
import { readdirSync, readFileSync } from "node:fs";

/** The kernel counts the time of children that have ended in these. */
const TICKS_PER_SECOND = 100;
const NANOSECONDS_PER_SECOND = 1e9;
/** Places in /proc/<pid>/stat, counted behind the name in parentheses. */
const PARENT = 1;
const CHILDREN_USER_TICKS = 13;
const CHILDREN_SYSTEM_TICKS = 14;

function statOf(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

export function parentOf(pid: number): number {
  return Number(statOf(pid)[PARENT]);
}

function childrenOf(pid: number): readonly number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1")
      .split(" ")
      .filter((child) => child !== "")
      .map(Number),
  );
}

/** What all threads of a process have used, in seconds; 0 for one that has just ended. */
export function secondsOfProcess(pid: number): number {
  let nanoseconds = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [used = ""] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(
        " ",
        1,
      );
      nanoseconds += Number(used);
    }
  } catch (error) {
    if (!hasEnded(error)) throw error;
  }
  return nanoseconds / NANOSECONDS_PER_SECOND;
}

/** What a process and all its children, also those that have ended, have used, in seconds. */
export function secondsOfFamily(pid: number): number {
  const stat = statOf(pid);
  const ended = Number(stat[CHILDREN_USER_TICKS]) + Number(stat[CHILDREN_SYSTEM_TICKS]);
  return [pid, ...childrenOf(pid)].reduce(
    (sum, each) => sum + secondsOfProcess(each),
    ended / TICKS_PER_SECOND,
  );
}

/** What a process keeps in memory. */
export function memoryOfProcess_mb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

function hasEnded(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ESRCH";
}
