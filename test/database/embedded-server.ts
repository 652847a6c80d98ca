/**
 * Owns what the tests of the embedded PostgreSQL share: data folders, a look at its processes, and
 * processes of their own that hold it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { findPostmaster } from "../../src/database/embedded-postmaster.ts";
import { isReplaying, listChildren } from "../prove/postmaster.ts";

export function makeDataDir(mode: number): string {
  const dataDir = mkdtempSync(join(tmpdir(), "drawdown-embedded-"));
  chmodSync(dataDir, mode);
  return dataDir;
}

export async function ask(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

export const clusterOf = (dataDir: string): string =>
  realpathSync(join(dataDir, "postgres", "cluster"));

export function postmasterOf(dataDir: string): number {
  const pid = findPostmaster(clusterOf(dataDir))?.pid;
  if (pid === undefined) throw new Error("no server runs");
  return pid;
}

/** The process of a server that replays its log after a crash; only Linux tells. */
export function findReplaying(dataDir: string): number | undefined {
  const postmaster = findPostmaster(clusterOf(dataDir));
  const children = postmaster === undefined ? [] : listChildren(postmaster.pid);
  return children.find(isReplaying);
}

export async function untilTrue(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const giveUpAt_ms = Date.now() + 10_000; Date.now() < giveUpAt_ms; ) {
    if (await isTrue()) return;
    await sleep(10);
  }
  throw new Error(`not within 10 s: ${isTrue}`);
}

export function spawnHolder(dataDir: string): ChildProcess {
  const program = join(import.meta.dirname, "hold-embedded.ts");
  return fork(program, [dataDir], { execArgv: [], stdio: "ignore" });
}

export async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
}
