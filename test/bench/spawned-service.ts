/**
 * Owns the processes under test: the service, started as a user starts it, and the same edge with
 * handlers that do nothing. Both say where they listen in one line on their standard output.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { memoryOfProcess_mb } from "./processor-time.ts";

/** The project's folder. */
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const READY_LINE = /^drawdown ready http=(\S+) grpc=(\S+)$/m;
const START_MS_MAX = 60_000;
/** The service drains for at most 8 s and then ends. */
const STOP_MS_MAX = 12_000;

/** The key that every client of the benchmark presents. */
export const BENCH_KEY = "dda_key-of-the-benchmark";

export interface SpawnedService {
  readonly pid: number;
  /** Where the gRPC port listens, as host:port. */
  readonly grpc: string;
  /** Where the HTTP port listens. */
  readonly http: string;
  /** From starting the process until it says that it is ready. */
  readonly startup_ms: number;
  memory_mb(): number;
  stop(): Promise<void>;
}

/** Starts the service that `npm start` starts, on the embedded PostgreSQL of a data folder. */
export function spawnService(dataDir: string): Promise<SpawnedService> {
  return spawnReady(["dist/src/main.js", "serve"], { DRAWDOWN_DATA_DIR: dataDir });
}

/** Starts the edge alone, with handlers that do nothing. */
export function spawnEmptyService(): Promise<SpawnedService> {
  return spawnReady(["test/bench/empty-service.ts"], {});
}

async function spawnReady(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<SpawnedService> {
  const startedAtMs = performance.now();
  const { PATH } = process.env;
  const child = spawn(process.execPath, [...profilerFlags(), ...words], {
    cwd: ROOT,
    env: {
      PATH,
      DRAWDOWN_HTTP_PORT: "0",
      DRAWDOWN_GRPC_PORT: "0",
      DRAWDOWN_ADMIN_KEY: BENCH_KEY,
      // Streams that the benchmark breaks off are no news.
      DRAWDOWN_LOG_LEVEL: "warn",
      ...environment,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${words[0]} could not be started`);
  const [http, grpc] = await readyLineOf(child);
  return {
    pid,
    http: `http://${http}`,
    grpc,
    startup_ms: performance.now() - startedAtMs,
    memory_mb: () => memoryOfProcess_mb(pid),
    stop: () => stop(child),
  };
}

/** BENCH_PROFILE_DIR names a folder for the CPU profiles of what is spawned. */
function profilerFlags(): readonly string[] {
  const { BENCH_PROFILE_DIR: dir } = process.env;
  return dir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${dir}`];
}

function readyLineOf(child: ChildProcess): Promise<readonly [http: string, grpc: string]> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const timer = setTimeout(() => reject(new Error("the service is not ready")), START_MS_MAX);
    child.once("exit", (code) => reject(new Error(`the service ended with ${code}: ${printed}`)));
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      const [, http, grpc] = READY_LINE.exec(printed) ?? [];
      if (http === undefined || grpc === undefined) return;
      clearTimeout(timer);
      resolve([http, grpc]);
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
  await ended;
  clearTimeout(timer);
}
