/** Owns what the machine says about TCP connections, for who wants to know that one is gone. */
import { readFileSync } from "node:fs";

const ESTABLISHED = "01";
const TIME_WAIT = "06";

/**
 * Of the connections that callers have ended which came from these ports of this machine, those
 * that the process that listens still has open, in the kernel's words. A caller who came later may
 * have been given a port that became free: his connection stands on his own side too.
 */
export function leftOpen(
  listeningPorts: readonly number[],
  from: ReadonlySet<number>,
): readonly string[] {
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1);
  const ends = lines.map((line) => {
    const [, local = "", remote = "", state = ""] = line.trim().split(/\s+/);
    return { local, remote, state, line: line.trim() };
  });
  const standing = new Set(
    ends.filter(({ state }) => state === ESTABLISHED).map(({ local, remote }) => local + remote),
  );
  const left = ends.filter(({ local, remote, state }) => {
    const isTheirs = listeningPorts.includes(portOf(local)) && from.has(portOf(remote));
    return isTheirs && state !== TIME_WAIT && !standing.has(remote + local);
  });
  return left.map(({ line }) => line);
}

const portOf = (address: string): number => Number.parseInt(address.split(":")[1] ?? "", 16);
