/** Owns what the machine says about TCP connections, for who wants to know that one is gone. */
import { readFileSync } from "node:fs";

const TIME_WAIT = "06";

/**
 * Of the connections that came to a port of this machine from these ports, how many the process
 * that listens still has open.
 */
export function countOpen(listeningPorts: readonly number[], from: ReadonlySet<number>): number {
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1);
  return lines.filter((line) => {
    const [, local = "", remote = "", state] = line.trim().split(/\s+/);
    const isTheirs = listeningPorts.includes(portOf(local)) && from.has(portOf(remote));
    return isTheirs && state !== TIME_WAIT;
  }).length;
}

const portOf = (address: string): number => Number.parseInt(address.split(":")[1] ?? "", 16);
