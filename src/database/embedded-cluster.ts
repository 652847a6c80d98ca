/**
 * Owns the files of the embedded cluster in the data folder, and how they are first made:
 *
 *   postgres/passwords.json   the passwords of the three roles; only the service's user reads it
 *   postgres/server.log       what the server prints
 *   postgres/port             where it last listened
 *   postgres/cluster/         PostgreSQL's own data, owned by the user that runs the server
 *
 * The folder `postgres` is made under another name and renamed when it is complete, with its roles
 * and its database in it: a crash at any moment leaves either nothing or all of it. Where root
 * runs the service from a folder that the server's user cannot enter, `cluster` is a symbolic link
 * to a folder below /var/lib/drawdown.
 *
 * The roles: a superuser that only this module and operators use; `drawdown_owner`, who owns the
 * database and migrates it; `drawdown_app`, who serves requests and owns nothing. The owner makes
 * `drawdown_app`, as it does on a PostgreSQL that is not embedded.
 */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Binaries } from "./embedded-binaries.ts";
import { EmbeddedPostgresError, isAlive, run, type ServerUser } from "./embedded-process.ts";

/** Where root puts what the server's user must reach, when the data folder is out of its reach. */
export const REACHABLE_DIR = "/var/lib/drawdown";

export const SUPERUSER = "drawdown_superuser";
const POSTGRES_MAJOR = "18";
const PASSWORD_BYTES = 24;
const REMOVAL_PAUSE_MS = 50;
const MAKING = "postgres.making-";

export interface Passwords {
  readonly superuser: string;
  readonly owner: string;
  readonly app: string;
}

export interface Cluster {
  /** PostgreSQL's data directory, free of symbolic links. */
  readonly dir: string;
  readonly logFile: string;
  readonly portFile: string;
  readonly passwords: Passwords;
}

interface Making {
  readonly dataDir: string;
  readonly user: ServerUser | undefined;
  readonly binaries: Binaries;
}

/** Opens the cluster of a data folder, after making it if there is none. */
export async function openCluster(making: Making): Promise<Cluster> {
  const postgresDir = join(making.dataDir, "postgres");
  await removeHalfMade(making.dataDir);
  if (!existsSync(postgresDir)) await makeCluster(making, postgresDir);

  const passwords = readPasswords(join(postgresDir, "passwords.json"));
  const version = readVersion(join(postgresDir, "cluster", "PG_VERSION"));
  if (version !== POSTGRES_MAJOR) {
    throw new EmbeddedPostgresError(
      `${postgresDir} is not a cluster of PostgreSQL ${POSTGRES_MAJOR} (found: ${version}). ` +
        `Move it away, or choose another DRAWDOWN_DATA_DIR.`,
    );
  }
  const dir = realpathSync(join(postgresDir, "cluster"));
  // PostgreSQL refuses a folder that a group may write, as which a cluster may mount its volumes.
  if ((statSync(dir).mode & 0o027) !== 0) chmodSync(dir, 0o700);
  return {
    dir,
    logFile: join(postgresDir, "server.log"),
    portFile: join(postgresDir, "port"),
    passwords,
  };
}

/** Makes the data folder where it is missing; the server's user must be able to pass through. */
export function makeDataDir(dataDir: string, user: ServerUser | undefined): void {
  try {
    if (mkdirSync(dataDir, { recursive: true }) === undefined) return;
    chmodSync(dataDir, passageMode(user));
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The data folder ${dataDir} cannot be made: ${describe(error)}. Set DRAWDOWN_DATA_DIR.`,
    );
  }
}

/** Whether the server's user can pass through a folder and all folders above it. */
export function isReachable(dir: string, user: ServerUser | undefined): boolean {
  if (user === undefined) return true;
  for (let at = resolve(dir); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

const passageMode = (user: ServerUser | undefined): number => (user ? 0o711 : 0o700);

async function makeCluster({ dataDir, user, binaries }: Making, target: string): Promise<void> {
  const makingDir = mkdtempSync(join(dataDir, `${MAKING}${process.pid}-`));
  try {
    chmodSync(makingDir, passageMode(user));
    const clusterDir = placeCluster(makingDir, user);
    const passwords = {
      superuser: newPassword(),
      owner: newPassword(),
      app: newPassword(),
    } satisfies Passwords;
    await runInitdb({ clusterDir, user, binaries, password: passwords.superuser });
    await makeRoles({ clusterDir, user, binaries, passwords });
    writeFileSync(join(makingDir, "passwords.json"), JSON.stringify(passwords, null, 2), {
      mode: 0o600,
      flush: true,
    });
    renameSync(makingDir, target);
  } catch (error) {
    await removeMaking(makingDir);
    // Another service that started at the same moment may have been first: its cluster is used.
    if (!existsSync(target)) throw error;
  }
}

function placeCluster(makingDir: string, user: ServerUser | undefined): string {
  const clusterDir = join(makingDir, "cluster");
  if (isReachable(makingDir, user)) {
    makeOwnedDir(clusterDir, user);
    return clusterDir;
  }

  mkdirSync(REACHABLE_DIR, { recursive: true });
  const elsewhere = mkdtempSync(join(REACHABLE_DIR, "cluster-"));
  symlinkSync(join(elsewhere, "cluster"), clusterDir);
  chmodSync(elsewhere, passageMode(user));
  makeOwnedDir(join(elsewhere, "cluster"), user);
  return join(elsewhere, "cluster");
}

function makeOwnedDir(dir: string, user: ServerUser | undefined): void {
  mkdirSync(dir, { mode: 0o700 });
  if (user) chownSync(dir, user.uid, user.gid);
}

async function runInitdb({
  clusterDir,
  user,
  binaries,
  password,
}: {
  readonly clusterDir: string;
  readonly user: ServerUser | undefined;
  readonly binaries: Binaries;
  readonly password: string;
}): Promise<void> {
  const passwordFile = `${clusterDir}.password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user) chownSync(passwordFile, user.uid, user.gid);
  const options = [
    `--pgdata=${clusterDir}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--data-checksums",
    "--no-instructions",
  ];
  const { ok, output } = await run(binaries.initdb, options, { user });
  rmSync(passwordFile);
  if (!ok) throw new EmbeddedPostgresError(`The embedded cluster could not be made: ${output}`);
}

/** Runs PostgreSQL without a network on the new cluster: one statement a line. */
async function makeRoles({
  clusterDir,
  user,
  binaries,
  passwords,
}: {
  readonly clusterDir: string;
  readonly user: ServerUser | undefined;
  readonly binaries: Binaries;
  readonly passwords: Passwords;
}): Promise<void> {
  const statements = [
    `CREATE ROLE drawdown_owner LOGIN CREATEROLE PASSWORD '${passwords.owner}'`,
    "CREATE DATABASE drawdown OWNER drawdown_owner",
    "SET ROLE drawdown_owner",
    `CREATE ROLE drawdown_app LOGIN PASSWORD '${passwords.app}'`,
  ];
  const args = ["--single", "-D", clusterDir, "-c", "exit_on_error=on", "postgres"];
  const { ok, output } = await run(binaries.postgres, args, {
    user,
    input: `${statements.join("\n")}\n`,
  });
  if (!ok) throw new EmbeddedPostgresError(`The roles could not be made: ${output}`);
}

const newPassword = (): string => randomBytes(PASSWORD_BYTES).toString("base64url");

/** What a process left behind that died while it made a cluster. A live one is left alone. */
async function removeHalfMade(dataDir: string): Promise<void> {
  for (const name of readdirSync(dataDir)) {
    if (!name.startsWith(MAKING)) continue;
    const pid = Number.parseInt(name.slice(MAKING.length), 10);
    if (pid !== process.pid && !isAlive(pid)) await removeMaking(join(dataDir, name));
  }
}

/** An initdb that outlived its parent may still be writing and removing files in there. */
async function removeMaking(makingDir: string): Promise<void> {
  const cluster = join(makingDir, "cluster");
  const isElsewhere = lstatSync(cluster, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: REMOVAL_PAUSE_MS };
  try {
    if (isElsewhere) await rm(dirname(readlinkSync(cluster)), options);
    await rm(makingDir, options);
  } catch {
    // The next start removes what is left, and this one is not kept from making a cluster.
  }
}

function readPasswords(file: string): Passwords {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new EmbeddedPostgresError(
      `The passwords of the embedded cluster cannot be read: ${describe(error)}. Start the ` +
        "service as the user that first started it, or choose another DRAWDOWN_DATA_DIR.",
    );
  }
}

function readVersion(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    return describe(error);
  }
}

const describe = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
