/**
 * Owns what the environment may say: turns it into one frozen Config, or refuses to start and
 * names everything that is wrong at once. A variable that is set to nothing counts as not set.
 */
import { isIP } from "node:net";
import { resolve } from "node:path";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the program can be told to do. */
export const COMMANDS = ["serve", "migrate", "audit"] as const;

export type Command = (typeof COMMANDS)[number];

export interface Config {
  /** Undefined means the embedded PostgreSQL in the data folder. */
  readonly databaseUrl: string | undefined;
  /** Set without `databaseUrl` only for the command `migrate`. */
  readonly ownerDatabaseUrl: string | undefined;
  /** An absolute path. */
  readonly dataDir: string;
  readonly host: string;
  /** 0 picks a free port. */
  readonly httpPort: number;
  /** 0 picks a free port. */
  readonly grpcPort: number;
  /** Undefined means the one in the data folder, which is made at the first start. */
  readonly adminKey: string | undefined;
  readonly logLevel: LogLevel;
}

/** Every problem of the environment, one a line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((each) => `  ${each}`).join("\n")}`);
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

const PORT_MAX = 65_535;
const ADMIN_KEY_CHARACTERS_MAX = 256;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
/** What can stand behind "Bearer " in a header without being changed on the way. */
const ADMIN_KEY = /^[\x21-\x7e]+$/;

/** Reads the configuration of a command; `workingDir` is what relative paths start from. */
export function readConfig({
  environment,
  workingDir,
  command,
}: {
  readonly environment: Environment;
  readonly workingDir: string;
  readonly command: Command;
}): Config {
  const problems: string[] = [];
  const read = <T>(variable: string, parse: (value: string) => T, otherwise: T): T => {
    const value = environment[variable];
    if (value === undefined || value === "") return otherwise;
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      problems.push(`${variable} ${error.message}`);
      return otherwise;
    }
  };

  const config: Config = {
    databaseUrl: read("DRAWDOWN_DATABASE_URL", parseDatabaseUrl, undefined),
    ownerDatabaseUrl: read("DRAWDOWN_OWNER_DATABASE_URL", parseDatabaseUrl, undefined),
    dataDir: resolve(workingDir, read("DRAWDOWN_DATA_DIR", parseDir, ".drawdown")),
    host: read("DRAWDOWN_HOST", parseHost, "127.0.0.1"),
    httpPort: read("DRAWDOWN_HTTP_PORT", parsePort, 8080),
    grpcPort: read("DRAWDOWN_GRPC_PORT", parsePort, 50051),
    adminKey: read<string | undefined>("DRAWDOWN_ADMIN_KEY", parseAdminKey, undefined),
    logLevel: read<LogLevel>("DRAWDOWN_LOG_LEVEL", parseLogLevel, "info"),
  };
  // Whoever migrates needs no more than the owner's access; whoever serves needs the application's.
  const { DRAWDOWN_DATABASE_URL: isNamed, DRAWDOWN_OWNER_DATABASE_URL: isOwnerNamed } = environment;
  if (isOwnerNamed && !isNamed && command !== "migrate") {
    problems.push(
      "DRAWDOWN_OWNER_DATABASE_URL is set and DRAWDOWN_DATABASE_URL is not: the embedded " +
        "PostgreSQL has an owner of its own",
    );
  }
  if (config.httpPort === config.grpcPort && config.httpPort !== 0) {
    problems.push(
      `DRAWDOWN_HTTP_PORT and DRAWDOWN_GRPC_PORT are both ${config.httpPort}: each protocol ` +
        "needs a port of its own",
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

/** What is wrong with one value. It never repeats a value that may hold a password. */
class BadValue extends Error {}

function parseDatabaseUrl(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== "postgres:" && url?.protocol !== "postgresql:") {
    throw new BadValue("is not a URL like postgres://user:password@host:5432/database");
  }
  if (url.pathname.length < 2) throw new BadValue("names no database (…host:5432/database)");
  return value;
}

function parseDir(value: string): string {
  if (value.includes("\0")) throw new BadValue("is not a path");
  return value;
}

function parseHost(value: string): string {
  if (isIP(value) === 0 && !HOST_NAME.test(value)) {
    throw new BadValue(`is not an address or host name: ${JSON.stringify(value)}`);
  }
  return value;
}

function parsePort(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (!(port <= PORT_MAX)) {
    throw new BadValue(`is not a port from 0 to ${PORT_MAX}: ${JSON.stringify(value)}`);
  }
  return port;
}

function parseAdminKey(value: string): string {
  if (!ADMIN_KEY.test(value)) {
    throw new BadValue("has characters other than visible ASCII, which no header carries safely");
  }
  if (value.length > ADMIN_KEY_CHARACTERS_MAX) {
    throw new BadValue(`is longer than ${ADMIN_KEY_CHARACTERS_MAX} characters`);
  }
  return value;
}

function parseLogLevel(value: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === value);
  if (level === undefined) {
    throw new BadValue(`is not one of ${LOG_LEVELS.join(", ")}: ${JSON.stringify(value)}`);
  }
  return level;
}
