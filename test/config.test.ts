import { describe, expect, test } from "vitest";
import { type Command, ConfigError, type Environment, readConfig } from "../src/config.ts";

const read = (environment: Environment, command: Command = "serve") =>
  readConfig({ environment, workingDir: "/srv/drawdown", command });

function problemsOf(environment: Environment, command: Command = "serve"): readonly string[] {
  try {
    read(environment, command);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const DEFAULTS = {
  databaseUrl: undefined,
  ownerDatabaseUrl: undefined,
  dataDir: "/srv/drawdown/.drawdown",
  host: "127.0.0.1",
  httpPort: 8080,
  grpcPort: 50051,
  adminKey: undefined,
  logLevel: "info",
};

describe("configuration", () => {
  test("an empty environment gives the defaults", () => {
    expect(read({})).toEqual(DEFAULTS);
  });

  test("a variable that is set to nothing counts as not set", () => {
    expect(
      read({
        DRAWDOWN_DATABASE_URL: "",
        DRAWDOWN_OWNER_DATABASE_URL: "",
        DRAWDOWN_DATA_DIR: "",
        DRAWDOWN_HOST: "",
        DRAWDOWN_HTTP_PORT: "",
        DRAWDOWN_GRPC_PORT: "",
        DRAWDOWN_ADMIN_KEY: "",
        DRAWDOWN_LOG_LEVEL: "",
      }),
    ).toEqual(DEFAULTS);
  });

  const url = "postgres://app:secret@db.example.com:5432/drawdown";
  test.each<[environment: Environment, changed: Partial<typeof DEFAULTS> | object]>([
    [{ DRAWDOWN_DATABASE_URL: url }, { databaseUrl: url }],
    [{ DRAWDOWN_DATABASE_URL: "postgresql://h/d" }, { databaseUrl: "postgresql://h/d" }],
    [
      { DRAWDOWN_DATABASE_URL: url, DRAWDOWN_OWNER_DATABASE_URL: "postgres://o@h/d" },
      { databaseUrl: url, ownerDatabaseUrl: "postgres://o@h/d" },
    ],
    [{ DRAWDOWN_DATA_DIR: "/var/lib/drawdown" }, { dataDir: "/var/lib/drawdown" }],
    [{ DRAWDOWN_DATA_DIR: "data/../books" }, { dataDir: "/srv/drawdown/books" }],
    [{ DRAWDOWN_HOST: "0.0.0.0" }, { host: "0.0.0.0" }],
    [{ DRAWDOWN_HOST: "::1" }, { host: "::1" }],
    [{ DRAWDOWN_HOST: "localhost" }, { host: "localhost" }],
    [{ DRAWDOWN_HOST: "ledger-1.example.com" }, { host: "ledger-1.example.com" }],
    [{ DRAWDOWN_HTTP_PORT: "1" }, { httpPort: 1 }],
    [{ DRAWDOWN_HTTP_PORT: "65535" }, { httpPort: 65_535 }],
    [
      { DRAWDOWN_HTTP_PORT: "0", DRAWDOWN_GRPC_PORT: "0" },
      { httpPort: 0, grpcPort: 0 },
    ],
    [{ DRAWDOWN_ADMIN_KEY: "a-key!" }, { adminKey: "a-key!" }],
    [{ DRAWDOWN_ADMIN_KEY: "k".repeat(256) }, { adminKey: "k".repeat(256) }],
    [{ DRAWDOWN_LOG_LEVEL: "silent" }, { logLevel: "silent" }],
    [{ DRAWDOWN_LOG_LEVEL: "trace" }, { logLevel: "trace" }],
    [{ PATH: "/bin", DRAWDOWN_UNKNOWN: "is nobody's business here" }, {}],
  ])("%o is accepted", (environment, changed) => {
    expect(read(environment)).toEqual({ ...DEFAULTS, ...changed });
  });

  test.each<[variable: string, value: string, problem: RegExp]>([
    ["DRAWDOWN_DATABASE_URL", "db.example.com", /is not a URL like postgres:/],
    ["DRAWDOWN_DATABASE_URL", "mysql://h/d", /is not a URL like postgres:/],
    ["DRAWDOWN_DATABASE_URL", "postgres://h:port/d", /is not a URL like postgres:/],
    ["DRAWDOWN_DATABASE_URL", "postgres://h", /names no database/],
    ["DRAWDOWN_DATABASE_URL", "postgres://h/", /names no database/],
    ["DRAWDOWN_OWNER_DATABASE_URL", "postgres://o@h/d", /embedded PostgreSQL has an owner/],
    ["DRAWDOWN_DATA_DIR", "a\0b", /is not a path/],
    ["DRAWDOWN_HOST", "a host", /is not an address or host name: "a host"/],
    ["DRAWDOWN_HOST", "http://localhost", /is not an address or host name/],
    ["DRAWDOWN_HOST", "-a", /is not an address or host name/],
    ["DRAWDOWN_HTTP_PORT", "65536", /is not a port from 0 to 65535: "65536"/],
    ["DRAWDOWN_HTTP_PORT", "-1", /is not a port/],
    ["DRAWDOWN_HTTP_PORT", "80.0", /is not a port/],
    ["DRAWDOWN_HTTP_PORT", " 80", /is not a port/],
    ["DRAWDOWN_GRPC_PORT", "0x50", /is not a port/],
    ["DRAWDOWN_GRPC_PORT", "8080", /DRAWDOWN_HTTP_PORT and DRAWDOWN_GRPC_PORT are both 8080/],
    ["DRAWDOWN_ADMIN_KEY", "two words", /visible ASCII/],
    ["DRAWDOWN_ADMIN_KEY", "schlüssel", /visible ASCII/],
    ["DRAWDOWN_ADMIN_KEY", "k".repeat(257), /is longer than 256 characters/],
    ["DRAWDOWN_LOG_LEVEL", "verbose", /is not one of trace, debug, .*: "verbose"/],
    ["DRAWDOWN_LOG_LEVEL", "INFO", /is not one of/],
  ])("%s=%j is refused", (variable, value, problem) => {
    const problems = problemsOf({ [variable]: value });

    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(variable);
    expect(problems[0]).toMatch(problem);
  });

  test("all problems are named at once, each with its variable", () => {
    const environment = {
      DRAWDOWN_DATABASE_URL: "nonsense",
      DRAWDOWN_HTTP_PORT: "many",
      DRAWDOWN_LOG_LEVEL: "loud",
    };

    expect(problemsOf(environment).map((problem) => problem.split(" ")[0])).toEqual(
      Object.keys(environment),
    );
    expect(() => read(environment)).toThrow(/HTTP_PORT is not a port.*\n.*LOG_LEVEL is not/);
  });

  test("a message never repeats a database URL, which may hold a password", () => {
    const [problem] = problemsOf({ DRAWDOWN_DATABASE_URL: "mysql://me:s3cret@h/d" });

    expect(problem).not.toContain("s3cret");
  });

  test("migrate needs the owner's access only", () => {
    const environment = { DRAWDOWN_OWNER_DATABASE_URL: "postgres://o@h/d" };

    expect(read(environment, "migrate").ownerDatabaseUrl).toBe("postgres://o@h/d");
    expect(problemsOf(environment, "audit")).toHaveLength(1);
  });

  test("nobody can change it afterwards", () => {
    expect(Object.isFrozen(read({}))).toBe(true);
  });
});
