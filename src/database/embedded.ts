/**
 * Owns the PostgreSQL that the service brings along for those who configure none: starts it in the
 * data folder, shares it, revives it, and stops it.
 *
 * Several processes may use one data folder at a time, a service and `drawdown keys` for instance.
 * Each holds one connection with a shared advisory lock. Who stops tries for the exclusive lock:
 * only the last one gets it, and only that one stops the server; who comes at that moment fails to
 * get the shared lock, waits until the server is gone, and starts it again. PostgreSQL frees the
 * lock of a process that died, so kill -9 leaves nothing to clean up: the server goes on, and the
 * next process adopts it. The same connection tells when the server itself has died; then whoever
 * still holds the data folder starts it again, on the same port where that is free.
 */
import { realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Binaries, findBinaries, findPackageDir } from "./embedded-binaries.ts";
import {
  type Cluster,
  isReachable,
  makeDataDir,
  openCluster,
  REACHABLE_DIR,
  SUPERUSER,
} from "./embedded-cluster.ts";
import {
  findPostmaster,
  isServedElsewhere,
  type Postmaster,
  readLogTail,
  rememberPort,
  removeStaleFiles,
  type Settings,
  type Start,
  startPostmaster,
  stopPostmaster,
} from "./embedded-postmaster.ts";
import { EmbeddedPostgresError, findServerUser, type ServerUser } from "./embedded-process.ts";

/** The URLs say where the server is now: one that was revived may listen on another port. */
export interface EmbeddedPostgres {
  /** The role `drawdown_owner`: owns the database, migrates it, may create roles, no superuser. */
  readonly ownerUrl: string;
  /** The role `drawdown_app`: owns nothing. */
  readonly appUrl: string;
  /** For tests and operators; the service itself never connects with it. */
  readonly superuserUrl: string;
  /** Whether the server was already running, for another process or after a kill -9. */
  readonly adopted: boolean;
  /** Lets go of the server, and stops it when no other process holds it. May be called twice. */
  stop(): Promise<void>;
}

interface Site {
  readonly cluster: Cluster;
  readonly binaries: Binaries;
  readonly user: ServerUser | undefined;
  readonly settings: Settings;
  readonly startMsMax: number;
  /** Aborted when this process wants to stop. */
  readonly stopping: AbortSignal;
}

interface Hold {
  readonly connection: pg.Client;
  readonly pid: number;
  readonly port: number;
  readonly adopted: boolean;
}

/** The advisory lock of those who hold the server, in the database `postgres`: "drawdown". */
const HOLD_LOCK = "7237954716551837550";
const POLL_MS = 15;
const START_MS_MAX = 60_000;
/** For as long a server that says that it recovers is believed. */
const RECOVERY_MS_MAX = 1_800_000;
/** For so long the socket of a server that was killed here may still be open. */
const DYING_MS_MAX = 2_000;
/** What a server says that ends because its folder takes no sockets. */
const NO_SOCKETS = "could not create any Unix-domain sockets";
const STARTS_MAX = 10;
const START_PAUSE_MS = 200;
const CONNECT_MS_MAX = 5_000;
const REVIVAL_PAUSE_MS = 1_000;
const INVALID_PASSWORD = "28P01";
const CANNOT_CONNECT_NOW = "57P03";
/** What a server says that meets processes of an earlier one; only its log tells. */
const OLD_SESSIONS = "pre-existing shared memory block";

/**
 * Starts the embedded PostgreSQL of a data folder, or adopts it when it runs. `settings` go over
 * the embedded server's own. What a server takes to replay its log does not count as its start.
 */
export async function startEmbeddedPostgres({
  dataDir: givenDir,
  settings = {},
  startMsMax = START_MS_MAX,
}: {
  readonly dataDir: string;
  readonly settings?: Settings;
  readonly startMsMax?: number;
}): Promise<EmbeddedPostgres> {
  const user = findServerUser();
  makeDataDir(givenDir, user);
  const dataDir = realpathSync(givenDir);
  const binaries = await findBinaries({
    packageDir: findPackageDir(),
    copiesDir: isReachable(dataDir, user) ? dataDir : REACHABLE_DIR,
    user,
  });
  const cluster = await openCluster({ dataDir, user, binaries });
  const stop = new AbortController();
  const site = { cluster, binaries, user, settings, startMsMax, stopping: stop.signal };

  let hold = await takeHold(site);
  let revival = Promise.resolve();
  const watch = () =>
    hold.connection.once("end", () => {
      if (!stop.signal.aborted) revival = revive();
    });
  const revive = async () => {
    while (!stop.signal.aborted) {
      try {
        hold = await takeHold(site);
        watch();
        return;
      } catch {
        await sleep(REVIVAL_PAUSE_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  };
  watch();

  let stopped: Promise<void> | undefined;
  const letGo = async () => {
    stop.abort();
    await revival;
    await releaseHold(site, hold);
  };
  const { passwords } = cluster;
  return {
    get ownerUrl() {
      return url("drawdown_owner", passwords.owner, hold.port, "drawdown");
    },
    get appUrl() {
      return url("drawdown_app", passwords.app, hold.port, "drawdown");
    },
    get superuserUrl() {
      return url(SUPERUSER, passwords.superuser, hold.port, "drawdown");
    },
    adopted: hold.adopted,
    stop: () => {
      stopped ??= letGo();
      return stopped;
    },
  };
}

const url = (role: string, password: string, port: number, database: string): string =>
  `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;

/**
 * Gets hold of the running server, after starting it when there is none. That another process
 * starts or stops it meanwhile needs no care: the loop looks again.
 */
async function takeHold(site: Site): Promise<Hold> {
  const recoveredBy_ms = performance.now() + RECOVERY_MS_MAX;
  let giveUpAt_ms = performance.now() + site.startMsMax;
  let start: Start | undefined;
  let starts = 0;
  let servedSince_ms: number | undefined;
  let hasSocket = true;
  try {
    while (performance.now() < giveUpAt_ms) {
      site.stopping.throwIfAborted();
      const found = findPostmaster(site.cluster.dir);
      const held = found && (await tryHold(site, found));
      if (held === NOT_YET) {
        // Whoever stopped a server that replays its log would only let the next one begin again.
        giveUpAt_ms = Math.min(performance.now() + site.startMsMax, recoveredBy_ms);
      } else if (held) {
        const adopted = start?.child.pid !== held.pid;
        start = undefined;
        rememberPort(site.cluster.portFile, held.port);
        return { ...held, adopted };
      }
      if (start?.hasEnded() && found === undefined) {
        // The sessions of a server that was killed end by themselves, in their own time.
        if (start.logTail().includes(OLD_SESSIONS)) starts = 0;
        if (start.logTail().includes(NO_SOCKETS)) hasSocket = false;
        if (starts === STARTS_MAX) throw cannotStart(start);
        start = undefined;
        await sleep(START_PAUSE_MS);
      } else if (start === undefined && found === undefined) {
        if (await isServedElsewhere(site.cluster.dir)) {
          servedSince_ms ??= performance.now();
          if (performance.now() - servedSince_ms > DYING_MS_MAX) throw servedElsewhere(site);
          await sleep(START_PAUSE_MS);
          continue;
        }
        servedSince_ms = undefined;
        removeStaleFiles(site.cluster.dir);
        start = await startPostmaster({ ...site, postgres: site.binaries.postgres, hasSocket });
        starts += 1;
      }
      await sleep(POLL_MS);
    }
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL did not get ready. The end of ${site.cluster.logFile}:\n` +
        readLogTail(site.cluster),
    );
  } finally {
    // A server that this call started and nobody holds would be an orphan.
    if (start && !start.hasEnded()) start.child.kill("SIGINT");
  }
}

const servedElsewhere = ({ cluster }: Site): EmbeddedPostgresError =>
  new EmbeddedPostgresError(
    `A server that is no process here uses ${cluster.dir}: that of another container, which must ` +
      "end first. Several services share a database by DRAWDOWN_DATABASE_URL.",
  );

const cannotStart = (start: Start): EmbeddedPostgresError =>
  new EmbeddedPostgresError(`The embedded PostgreSQL does not start:\n${start.logTail()}`);

/** What is answered of a server that says itself that it is not ready. */
const NOT_YET = "not yet";

/** Answers nothing while the server does not answer, or is being stopped by its last holder. */
async function tryHold(
  { cluster }: Site,
  { pid, port }: Postmaster,
): Promise<Omit<Hold, "adopted"> | typeof NOT_YET | undefined> {
  if (port === undefined) return undefined;
  const connection = new pg.Client({
    connectionString: url(SUPERUSER, cluster.passwords.superuser, port, "postgres"),
    application_name: "drawdown embedded hold",
    connectionTimeoutMillis: CONNECT_MS_MAX,
  });
  // What breaks the connection also ends it, and its end is what is listened to.
  connection.on("error", () => undefined);
  try {
    await connection.connect();
    if (await askLock(connection, "pg_try_advisory_lock_shared")) return { connection, pid, port };
  } catch (error) {
    const { code, message } = error as pg.DatabaseError;
    if (code === CANNOT_CONNECT_NOW && !message.includes("shutting down")) return NOT_YET;
    if (code === INVALID_PASSWORD) {
      throw new EmbeddedPostgresError(
        `The server on 127.0.0.1:${port} refuses the password in the data folder: the files ` +
          `beside ${cluster.logFile} do not belong together.`,
      );
    }
  }
  await connection.end().catch(() => undefined);
  return undefined;
}

async function releaseHold({ cluster }: Site, { connection, pid }: Hold): Promise<void> {
  let isLast = false;
  try {
    await askLock(connection, "pg_advisory_unlock_shared");
    isLast = await askLock(connection, "pg_try_advisory_lock");
  } catch {
    // The server is gone or going: there is nothing left to stop.
  }
  if (isLast) await stopPostmaster(cluster.dir, pid);
  await connection.end().catch(() => undefined);
}

type LockFunction =
  | "pg_try_advisory_lock_shared"
  | "pg_advisory_unlock_shared"
  | "pg_try_advisory_lock";

async function askLock(connection: pg.Client, lockFunction: LockFunction): Promise<boolean> {
  const { rows } = await connection.query(`SELECT ${lockFunction}(${HOLD_LOCK}) AS answer`);
  return rows[0].answer === true;
}
