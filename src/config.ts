/**
 * Owns what the environment may say: turns it into one frozen Config, or refuses to start and
 * names everything that is wrong at once. A variable that is set to nothing counts as not set; a
 * secret may stand in a file that `<variable>_FILE` names instead.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  BadValue,
  isLoopback,
  type KeySetSource,
  type LogLevel,
  parseAdminKey,
  parseDatabaseUrl,
  parseDir,
  parseFile,
  parseHost,
  parseLogLevel,
  parseOrigins,
  parsePort,
  parseYesNo,
  wholeNumber,
} from "./config-values.ts";
import { WEB_TOKEN_SETTINGS, type WebTokenConfig } from "./config-web-tokens.ts";

export type { LogLevel } from "./config-values.ts";

/** What the program can be told to do. */
export const COMMANDS = ["serve", "migrate", "audit", "keys"] as const;

export type Command = (typeof COMMANDS)[number];

/** The bounds of the ports. A call fits through both or neither. */
export interface Limits {
  /** Of one request message, as it is sent and after it was decompressed. */
  readonly requestBytesMax: number;
  /** Of all headers of a call together, names and values. */
  readonly headerBytesMax: number;
  /** Calls in flight on one connection. */
  readonly concurrentStreamsMax: number;
  /** Connections of one port. */
  readonly connectionsMax: number;
  /** The deadline of a unary call whose caller sets none. */
  readonly deadlineMsDefault: number;
  /** The longest deadline that a unary call gets, whatever its caller asks for. */
  readonly deadlineMsMax: number;
  /** A stream ends when its reader has taken nothing for so long. */
  readonly stalledReaderMsMax: number;
  /** Calls that each API key may make in a second; 0 is no bound. */
  readonly callsPerSecondPerKeyMax: number;
  /** Calls of all tenants together in a second, each of which has a fair share; 0 is no bound. */
  readonly callsPerSecondMax: number;
}

export interface Config extends Limits, WebTokenConfig {
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
  /** Certificate files of both ports, as absolute paths; all undefined where there is no TLS. */
  readonly tlsCertFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
  readonly tlsClientCaFile: string | undefined;
  /** Whether calls may come in cleartext from other machines. */
  readonly allowCleartext: boolean;
  /** The origins of web pages that may call, as browsers write them. */
  readonly corsOrigins: readonly string[];
  readonly logLevel: LogLevel;
  /** Whether the log may show amounts. */
  readonly logAmounts: boolean;
}

/** One variable of the environment. */
export interface Setting<T> {
  readonly variable: string;
  /** Throws BadValue for what it cannot use. */
  readonly parse: (value: string) => T;
  readonly otherwise: T;
  /** Whether `<variable>_FILE` may name a file that holds the value. */
  readonly isSecret?: true;
  /** Every command reads it, not only `serve`. */
  readonly isForAll?: true;
  /** What `--help` says. */
  readonly meaning: string;
}

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

export const SETTINGS: { readonly [Name in keyof Config]: Setting<Config[Name]> } = {
  databaseUrl: {
    variable: "DRAWDOWN_DATABASE_URL",
    parse: parseDatabaseUrl,
    otherwise: undefined,
    isSecret: true,
    isForAll: true,
    meaning: "a PostgreSQL 15 or newer; without it one is started in the data folder",
  },
  ownerDatabaseUrl: {
    variable: "DRAWDOWN_OWNER_DATABASE_URL",
    parse: parseDatabaseUrl,
    otherwise: undefined,
    isSecret: true,
    isForAll: true,
    meaning: "the same database as the owner of its tables, for migrations",
  },
  dataDir: {
    variable: "DRAWDOWN_DATA_DIR",
    parse: parseDir,
    otherwise: ".drawdown",
    isForAll: true,
    meaning: "the folder of the embedded PostgreSQL and the admin key",
  },
  host: {
    variable: "DRAWDOWN_HOST",
    parse: parseHost,
    otherwise: "127.0.0.1",
    meaning: "the address to listen on",
  },
  httpPort: {
    variable: "DRAWDOWN_HTTP_PORT",
    parse: parsePort,
    otherwise: 8080,
    meaning: "the port of Connect, gRPC-Web and gRPC, and of /metrics; 0 picks a free one",
  },
  grpcPort: {
    variable: "DRAWDOWN_GRPC_PORT",
    parse: parsePort,
    otherwise: 50051,
    meaning: "the port of gRPC at volume; 0 picks a free one",
  },
  adminKey: {
    variable: "DRAWDOWN_ADMIN_KEY",
    parse: parseAdminKey,
    otherwise: undefined,
    isSecret: true,
    meaning: "the admin key; without it one is made and kept in the data folder",
  },
  tlsCertFile: {
    variable: "DRAWDOWN_TLS_CERT_FILE",
    parse: parseFile,
    otherwise: undefined,
    meaning: "the certificate chain of both ports, in PEM; read again when it changes",
  },
  tlsKeyFile: {
    variable: "DRAWDOWN_TLS_KEY_FILE",
    parse: parseFile,
    otherwise: undefined,
    meaning: "the private key of the certificate, in PEM",
  },
  tlsClientCaFile: {
    variable: "DRAWDOWN_TLS_CLIENT_CA_FILE",
    parse: parseFile,
    otherwise: undefined,
    meaning: "whose certificates clients must show, in PEM; without it they need none",
  },
  allowCleartext: {
    variable: "DRAWDOWN_ALLOW_CLEARTEXT",
    parse: parseYesNo,
    otherwise: false,
    meaning: "true to listen without TLS on an address that other machines reach",
  },
  corsOrigins: {
    variable: "DRAWDOWN_CORS_ORIGINS",
    parse: parseOrigins,
    otherwise: [],
    meaning: "the web pages that may call, such as https://portal.example.com, with commas between",
  },
  logLevel: {
    variable: "DRAWDOWN_LOG_LEVEL",
    parse: parseLogLevel,
    otherwise: "info",
    meaning: "trace, debug, info, warn, error, fatal or silent",
  },
  logAmounts: {
    variable: "DRAWDOWN_LOG_AMOUNTS",
    parse: parseYesNo,
    otherwise: false,
    meaning: "true to have amounts and quantities in the log, beside the ids of a call",
  },
  ...WEB_TOKEN_SETTINGS,
  requestBytesMax: {
    variable: "DRAWDOWN_REQUEST_BYTES_MAX",
    parse: wholeNumber(1024, 64 * MIB),
    otherwise: 4 * MIB,
    meaning: "the bytes of a request, as sent and decompressed",
  },
  headerBytesMax: {
    variable: "DRAWDOWN_HEADER_BYTES_MAX",
    parse: wholeNumber(1024, 64 * 1024),
    otherwise: 16 * 1024,
    meaning: "the bytes of a call's headers",
  },
  concurrentStreamsMax: {
    variable: "DRAWDOWN_CONCURRENT_STREAMS_MAX",
    parse: wholeNumber(1, 100_000),
    otherwise: 1_000,
    meaning: "the calls in flight on one connection",
  },
  connectionsMax: {
    variable: "DRAWDOWN_CONNECTIONS_MAX",
    parse: wholeNumber(1, 1_000_000),
    otherwise: 10_000,
    meaning: "the connections of one port; further ones are closed at once",
  },
  deadlineMsDefault: {
    variable: "DRAWDOWN_DEADLINE_MS_DEFAULT",
    parse: wholeNumber(100, HOUR_MS),
    otherwise: 60_000,
    meaning: "the deadline of a unary call whose caller sets none",
  },
  deadlineMsMax: {
    variable: "DRAWDOWN_DEADLINE_MS_MAX",
    parse: wholeNumber(100, HOUR_MS),
    otherwise: 300_000,
    meaning: "the longest deadline of a unary call; a longer one is cut to it",
  },
  stalledReaderMsMax: {
    variable: "DRAWDOWN_STALLED_READER_MS_MAX",
    parse: wholeNumber(100, HOUR_MS),
    otherwise: 120_000,
    meaning: "how long the reader of a stream may take nothing before the stream is ended",
  },
  callsPerSecondPerKeyMax: {
    variable: "DRAWDOWN_CALLS_PER_SECOND_PER_KEY_MAX",
    parse: wholeNumber(0, 1_000_000),
    otherwise: 0,
    meaning: "the calls that an API key may make in a second; 0 for any number",
  },
  callsPerSecondMax: {
    variable: "DRAWDOWN_CALLS_PER_SECOND_MAX",
    parse: wholeNumber(0, 1_000_000),
    otherwise: 0,
    meaning: "the calls of all tenants in a second, in fair shares; 0 for any number",
  },
};

/** The bounds of those who configure none. */
export const LIMITS_DEFAULT: Limits = Object.fromEntries(
  Object.entries(SETTINGS).map(([name, { otherwise }]) => [name, otherwise]),
) as unknown as Limits;

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
  const settings = Object.entries<Setting<unknown>>(SETTINGS);
  const values = settings.map(([name, setting]) => {
    return [name, readSetting(setting, { environment, workingDir, problems })];
  });
  const read = Object.fromEntries(values) as Config;
  const absolute = (file: string | undefined) => file && resolve(workingDir, file);
  const config: Config = {
    ...read,
    dataDir: resolve(workingDir, read.dataDir),
    tlsCertFile: absolute(read.tlsCertFile),
    tlsKeyFile: absolute(read.tlsKeyFile),
    tlsClientCaFile: absolute(read.tlsClientCaFile),
    jwtKeySet: keySetFrom(workingDir, read.jwtKeySet),
  };
  problems.push(...contradictionsIn(config, command));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config);
}

function keySetFrom(workingDir: string, source: KeySetSource | undefined) {
  if (source?.kind !== "file") return source;
  return { ...source, path: resolve(workingDir, source.path) };
}

/** What the values say together that they may not. */
function contradictionsIn(config: Config, command: Command): readonly string[] {
  const { databaseUrl, ownerDatabaseUrl, httpPort, grpcPort } = config;
  const found: string[] = [];
  // Whoever migrates needs no more than the owner's access; whoever serves needs the application's.
  if (ownerDatabaseUrl !== undefined && databaseUrl === undefined && command !== "migrate") {
    found.push(
      "DRAWDOWN_OWNER_DATABASE_URL is set and DRAWDOWN_DATABASE_URL is not: the embedded " +
        "PostgreSQL has an owner of its own",
    );
  }
  if (httpPort === grpcPort && httpPort !== 0) {
    found.push(
      `DRAWDOWN_HTTP_PORT and DRAWDOWN_GRPC_PORT are both ${httpPort}: each protocol ` +
        "needs a port of its own",
    );
  }
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile } = config;
  if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined)) {
    found.push("DRAWDOWN_TLS_CERT_FILE and DRAWDOWN_TLS_KEY_FILE: set both of them or neither");
  } else if (tlsClientCaFile !== undefined && tlsCertFile === undefined) {
    found.push("DRAWDOWN_TLS_CLIENT_CA_FILE is set, but no DRAWDOWN_TLS_CERT_FILE");
  } else if (
    command === "serve" &&
    tlsCertFile === undefined &&
    !config.allowCleartext &&
    !isLoopback(config.host)
  ) {
    found.push(
      `DRAWDOWN_HOST is ${config.host}, which other machines reach: set DRAWDOWN_TLS_CERT_FILE ` +
        "and DRAWDOWN_TLS_KEY_FILE, or DRAWDOWN_ALLOW_CLEARTEXT=true where the network is trusted",
    );
  }
  const needed = [SETTINGS.jwtIssuer, SETTINGS.jwtAudience, SETTINGS.jwtKeySet];
  const given = [config.jwtIssuer, config.jwtAudience, config.jwtKeySet];
  if (given.includes(undefined) && given.some((value) => value !== undefined)) {
    const names = needed.map(({ variable }) => variable);
    found.push(`${names.join(", ")}: set all of them or none`);
  }
  if (config.deadlineMsDefault > config.deadlineMsMax) {
    found.push(
      `DRAWDOWN_DEADLINE_MS_DEFAULT is ${config.deadlineMsDefault} and longer than ` +
        `DRAWDOWN_DEADLINE_MS_MAX, which is ${config.deadlineMsMax}`,
    );
  }
  return found;
}

interface Reading {
  readonly environment: Environment;
  readonly workingDir: string;
  /** What is wrong is added here, and the default is taken, to find what else is. */
  readonly problems: string[];
}

function readSetting<T>(setting: Setting<T>, { environment, workingDir, problems }: Reading): T {
  const { variable, parse, otherwise, isSecret } = setting;
  const fileVariable = `${variable}_FILE`;
  const file = isSecret ? environment[fileVariable] : undefined;
  let value = environment[variable];
  let named = variable;
  try {
    if (file) {
      named = fileVariable;
      if (value) throw new BadValue(`and ${variable} are both set: leave one of them out`);
      value = readSecret(resolve(workingDir, file));
    }
    return value ? parse(value) : otherwise;
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    problems.push(`${named} ${error.message}`);
    return otherwise;
  }
}

/** A file that ends in a line break, as editors leave it, holds the line. */
function readSecret(file: string): string {
  let value: string;
  try {
    value = readFileSync(file, "utf8").trim();
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new BadValue(`names a file that cannot be read (${code}): ${file}`);
  }
  if (value === "") throw new BadValue(`names a file that holds nothing: ${file}`);
  return value;
}
