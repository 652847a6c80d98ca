/**
 * Owns the troubles of the disk that PostgreSQL writes to, as far as the machine can make them:
 * flushes that fail (through strace), and a volume that is full (a file system in memory).
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findPostmaster, isReplaying, listChildren } from "./postmaster.ts";

const FLUSHES = "fdatasync,fsync,sync_file_range";
const ATTACH_MS_MAX = 5_000;
const CHUNK_BYTES = 1 << 20;

/**
 * Lets every flush of the server's processes fail with EIO for a while: of its sessions, its log
 * writer and its checkpointer, not of those that come after them, so that the server can recover.
 * A PostgreSQL 18.4 whose recovery itself meets such a failure may stay in it for ever.
 * Answers why it could not be done; undefined when it was.
 */
export async function failDisk(dataDir: string, ms: number): Promise<string | undefined> {
  const postmaster = findPostmaster(dataDir);
  if (postmaster === undefined) return "the server was not running";
  const children = listChildren(postmaster);
  if (children.some(isReplaying)) return "the server was replaying its log";
  const pids = children.flatMap((pid) => ["-p", String(pid)]);
  const args = ["-e", `trace=${FLUSHES}`, "-e", `inject=${FLUSHES}:error=EIO`, ...pids];
  const strace = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
  // It also ends by itself, when all whom it traces have ended.
  const ended = new Promise((resolve) => strace.once("close", resolve));
  const hindrance = await untilAttached(strace);
  if (hindrance !== undefined) return hindrance;
  await sleep(ms);
  strace.kill("SIGINT");
  await ended;
  return undefined;
}

/** Resolves with nothing when the tracing has begun, or with what stood in the way. */
function untilAttached(strace: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = "";
    const timer = setTimeout(() => {
      strace.kill("SIGKILL");
      resolve(`strace did not attach: ${said.slice(0, 200)}`);
    }, ATTACH_MS_MAX);
    const finish = (why: string | undefined) => {
      clearTimeout(timer);
      resolve(why);
    };
    strace.once("error", (error) => finish(`strace cannot be run (${error.message})`));
    strace.once("exit", () => finish(`strace may not trace here: ${said.slice(0, 200)}`));
    strace.stderr?.on("data", (chunk: Buffer) => {
      said += said.length < 10_000 ? chunk.toString() : "";
      if (said.includes("attached")) finish(undefined);
    });
  });
}

/** Mounts a small volume on a folder; answers whether that is allowed. */
export function mountVolume(dir: string, bytes: number): boolean {
  mkdirSync(dir, { recursive: true });
  const options = `size=${bytes},mode=0711`;
  return spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", dir]).status === 0;
}

export function unmountVolume(dir: string): void {
  spawnSync("umount", [dir]);
}

/** Fills what is left of a volume; returns what gives the room back. */
export function fillVolume(dir: string): () => void {
  const file = join(dir, "filler");
  const open = openSync(file, "w");
  for (let bytes = CHUNK_BYTES; bytes >= 1; ) {
    try {
      if (writeSync(open, Buffer.alloc(bytes)) < bytes) bytes >>= 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      bytes >>= 1;
    }
  }
  closeSync(open);
  return () => rmSync(file);
}
