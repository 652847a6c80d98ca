/**
 * Owns the running server of one cluster: finds it by the pid file that PostgreSQL keeps, starts
 * it, and stops it. PostgreSQL itself makes sure that a cluster never has two servers, as long as
 * they can see each other; containers that share a volume cannot, but for a socket in it.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./embedded-cluster.ts";
import { EmbeddedPostgresError, type ServerUser, serverEnvironment } from "./embedded-process.ts";

export interface Postmaster {
  readonly pid: number;
  /** Undefined until it has written where it listens. */
  readonly port: number | undefined;
}

/** Settings of a server, by PostgreSQL's names. */
export type Settings = Readonly<Record<string, string>>;

/**
 * fsync, full_page_writes and synchronous_commit are stated although they are the defaults:
 * the promise that an acknowledged write is durable hangs on them.
 */
const SETTINGS: Settings = {
  listen_addresses: "127.0.0.1",
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  max_connections: "100",
  shared_buffers: "256MB",
  wal_buffers: "16MB",
  min_wal_size: "256MB",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  random_page_cost: "1.1",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  // The service reports the errors of its own statements; this log is for the server's troubles.
  log_min_messages: "log",
  log_checkpoints: "off",
};

/**
 * How glibc keeps memory, in bytes; other libraries do not look. Left alone it gives back to the
 * system what a transaction has freed, and takes it anew, page by page, in the next one: the lists
 * of the pipeline's statements alone are some 2 MB. A charge that is alone took 117 pages anew.
 */
const MEMORY = {
  MALLOC_TOP_PAD_: String(1 << 20),
  MALLOC_TRIM_THRESHOLD_: String(16 << 20),
  MALLOC_MMAP_THRESHOLD_: String(4 << 20),
};

/** As PostgreSQL names its sockets, the port behind it. */
const SOCKET = ".s.PGSQL.";
const SOCKET_PATH_BYTES_MAX = 103;
const POLL_MS = 20;
const STOP_MS_MAX = 30_000;
const QUIT_MS_MAX = 10_000;
const EMPTY_PID_FILE_MS_MAX = 10_000;
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const LOG_TAIL_CHARACTERS = 2_000;

/** Finds the cluster's live server. A zombie, or a stranger with a reused pid, is none. */
export function findPostmaster(clusterDir: string): Postmaster | undefined {
  const [pidLine, , , portLine] = readPidFile(clusterDir).split("\n");
  const pid = Number(pidLine);
  if (!isServerOf(clusterDir, pid)) return undefined;
  return { pid, port: portLine ? Number(portLine) : undefined };
}

/**
 * Removes the pid file of a server that is gone, and its socket with the file that locks it.
 * PostgreSQL does so itself when no process has that pid, but refuses to start when some other
 * process or a zombie has it. Its shared memory still keeps a second server away from a cluster
 * whose old processes have not all ended.
 */
export function removeStaleFiles(clusterDir: string): void {
  const content = readPidFile(clusterDir);
  if (isServerOf(clusterDir, Number(content.split("\n")[0]))) return;
  for (const name of readdirSync(clusterDir)) {
    if (name.startsWith(SOCKET)) rmSync(join(clusterDir, name), { force: true });
  }
  const file = join(clusterDir, "postmaster.pid");
  try {
    // An empty file is being written this instant, or was being written when the power failed.
    const age_ms = Date.now() - statSync(file).mtimeMs;
    if (content === "" && age_ms < EMPTY_PID_FILE_MS_MAX) return;
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/**
 * Whether a server answers that is no process here: one of another container, which shares the
 * files and the kernel with this one and nothing else.
 */
export async function isServedElsewhere(clusterDir: string): Promise<boolean> {
  const [, , , port] = readPidFile(clusterDir).split("\n");
  if (!port || !(await answers(join(clusterDir, `${SOCKET}${port}`)))) return false;
  // Another service may have started one here meanwhile.
  return findPostmaster(clusterDir) === undefined;
}

/** Only these say that nobody is there: one that is stopped, or out of reach, is there as well. */
const NOBODY = new Set(["ENOENT", "ECONNREFUSED", "ENOTDIR"]);

function answers(socketFile: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketFile);
    const say = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => say(true));
    socket.once("error", ({ code = "" }: NodeJS.ErrnoException) => say(!NOBODY.has(code)));
  });
}

/**
 * Where the server's socket stands, as a list of one; nowhere when the system takes no paths of
 * that length.
 */
function socketDirsOf(clusterDir: string): string {
  const longest = join(clusterDir, `${SOCKET}65535`);
  if (Buffer.byteLength(longest) > SOCKET_PATH_BYTES_MAX) return "";
  return `"${clusterDir.replaceAll('"', '""')}"`;
}

function readPidFile(clusterDir: string): string {
  try {
    return readFileSync(join(clusterDir, "postmaster.pid"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** A process is the cluster's server when its command line names the cluster; a zombie has none. */
function isServerOf(clusterDir: string, pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    if (process.platform === "linux") {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(clusterDir);
    }
    const command = execFileSync("ps", ["-ww", "-o", "command=", "-p", String(pid)]);
    return command.toString().includes(clusterDir);
  } catch {
    return false;
  }
}

export interface Start {
  readonly child: ChildProcess;
  hasEnded(): boolean;
  /** The end of what the server has logged since this start, for a message. */
  logTail(): string;
}

/**
 * Starts a server in a process group of its own, so that Ctrl-C reaches the service first and the
 * service decides when the server stops. It logs to a file, so that it can outlive the service.
 */
export async function startPostmaster({
  cluster,
  postgres,
  user,
  settings,
  hasSocket,
}: {
  readonly cluster: Cluster;
  readonly postgres: string;
  readonly user: ServerUser | undefined;
  readonly settings: Settings;
  /** Some file systems that containers share take no sockets. */
  readonly hasSocket: boolean;
}): Promise<Start> {
  const port = await choosePort(cluster.portFile);
  const logFrom = rotateLog(cluster.logFile);
  const log = openSync(cluster.logFile, "a", 0o600);
  const options = Object.entries({
    ...SETTINGS,
    unix_socket_directories: hasSocket ? socketDirsOf(cluster.dir) : "",
    ...settings,
    port: String(port),
  });
  const args = [
    "-D",
    cluster.dir,
    ...options.flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  const child = spawn(postgres, args, {
    ...user,
    env: { ...serverEnvironment(), ...MEMORY },
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  let ended = false;
  child.once("exit", () => {
    ended = true;
  });
  child.once("error", () => {
    ended = true;
  });
  child.unref();
  return {
    child,
    hasEnded: () => ended,
    logTail: () => readLogTail(cluster, logFrom),
  };
}

/**
 * The end of what the server has logged, for a message; of all that stands behind a place. It says
 * to everyone who asks while it is not ready that it is not, which tells nothing.
 */
export function readLogTail({ logFile }: Cluster, from = 0): string {
  const lines = readFileSync(logFile).subarray(from).toString().split("\n");
  const telling = lines.filter((line) => !line.includes("FATAL:  the database system is "));
  return telling.join("\n").slice(-LOG_TAIL_CHARACTERS).trim();
}

/** Keeps one older log, and answers where in the file the next lines will stand. */
function rotateLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size < LOG_BYTES_MAX) return size;
  renameSync(file, `${file}.old`);
  return 0;
}

/** The port of the last server is taken again while it is free. */
async function choosePort(portFile: string): Promise<number> {
  const last = readPort(portFile);
  if (last !== undefined && (await findFreePort(last)) === last) return last;
  const port = await findFreePort(0);
  if (port === undefined) throw new EmbeddedPostgresError("No port is free on 127.0.0.1.");
  return port;
}

/**
 * Notes where the running server listens. Only whoever has reached it knows: of several services
 * that start one after a crash, all but one chose a port in vain.
 */
export function rememberPort(portFile: string, port: number): void {
  if (readPort(portFile) !== port) writeFileSync(portFile, String(port), { mode: 0o600 });
}

function readPort(portFile: string): number | undefined {
  try {
    const port = Number(readFileSync(portFile, "utf8"));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}

function findFreePort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address?.port : undefined));
    });
  });
}

/** Stops a server: connections are cut, what was committed stays; returns when it is gone. */
export async function stopPostmaster(clusterDir: string, pid: number): Promise<void> {
  if (await signalAndWait(clusterDir, pid, "SIGINT", STOP_MS_MAX)) return;
  // Quitting without a checkpoint loses nothing either: the next start recovers from the log.
  if (await signalAndWait(clusterDir, pid, "SIGQUIT", QUIT_MS_MAX)) return;
  throw new EmbeddedPostgresError(`The embedded PostgreSQL (process ${pid}) does not stop.`);
}

async function signalAndWait(
  clusterDir: string,
  pid: number,
  signal: NodeJS.Signals,
  wait_ms_max: number,
): Promise<boolean> {
  if (!isServerOf(clusterDir, pid)) return true;
  process.kill(pid, signal);
  for (let waited_ms = 0; waited_ms < wait_ms_max; waited_ms += POLL_MS) {
    if (!isServerOf(clusterDir, pid)) return true;
    await sleep(POLL_MS);
  }
  return false;
}
