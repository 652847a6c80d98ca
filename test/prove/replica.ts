/**
 * Owns one running service, started as a user starts it: the compiled program, its environment,
 * its ready line; and its end, by a signal of one's choosing.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { WriteStream } from "node:fs";
import type { Scratch } from "./scratch.ts";

export const ADMIN_KEY = "dda_the-key-of-a-run-that-proves";

/** Long, because the machine may be busy with much else; a promise has bounds of its own. */
const READY_MS_MAX = 180_000;
const READY = /^drawdown ready http=(\S+) grpc=(\S+)$/m;

export interface ReplicaOptions {
  /** The compiled main.js. */
  readonly program: string;
  /** Where it is started: the data folder stands below it unless the environment says else. */
  readonly workingDir: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Flags for Node itself. */
  readonly nodeFlags?: readonly string[];
  readonly log: WriteStream;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Replica {
  readonly pid: number;
  readonly http: string;
  readonly grpc: string;
  readonly readyMs: number;
  /** Resolves when the process has ended. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    exited: Promise<Exit>,
    [http, grpc]: readonly [string, string],
    readyMs: number,
  ) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.exited = exited;
    this.http = http;
    this.grpc = grpc;
    this.readyMs = readyMs;
  }

  /** Starts a service and waits until it says that it is ready. */
  static async start(scratch: Scratch, options: ReplicaOptions): Promise<Replica> {
    const { program, workingDir, environment, nodeFlags = [], log } = options;
    const startedAt_ms = performance.now();
    const { PATH = "/usr/bin:/bin" } = process.env;
    const child = spawn(process.execPath, [...nodeFlags, program, "serve"], {
      cwd: workingDir,
      env: {
        PATH,
        DRAWDOWN_HTTP_PORT: "0",
        DRAWDOWN_GRPC_PORT: "0",
        DRAWDOWN_ADMIN_KEY: ADMIN_KEY,
        DRAWDOWN_LOG_LEVEL: "warn",
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const exited = new Promise<Exit>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    scratch.defer(async () => {
      child.kill("SIGKILL");
      await exited;
    });
    const ports = await readReadyLine(child, log);
    return new Replica(child, exited, ports, performance.now() - startedAt_ms);
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends a signal, and does not wait. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Sends a signal that ends it, and waits for the end. */
  async end(name: NodeJS.Signals): Promise<Exit & { readonly tookMs: number }> {
    const startedAt_ms = performance.now();
    this.#child.kill(name);
    const exit = await this.exited;
    return { ...exit, tookMs: performance.now() - startedAt_ms };
  }
}

function readReadyLine(
  child: ChildProcess,
  log: WriteStream,
): Promise<readonly [http: string, grpc: string]> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(new Error(`the service ${why}:\n${printed.slice(-2_000)}`));
    };
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`was not ready in ${READY_MS_MAX / 1_000} s`);
    }, READY_MS_MAX);
    const take = (chunk: Buffer) => {
      if (!log.closed) log.write(chunk);
      if (printed.length > 100_000) return;
      printed += chunk.toString();
      const ready = READY.exec(printed);
      if (ready?.[1] === undefined || ready[2] === undefined) return;
      clearTimeout(timer);
      resolve([ready[1], ready[2]]);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
  });
}
