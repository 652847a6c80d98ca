import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  COMMANDS,
  type Command,
  type Config,
  ConfigError,
  type Environment,
  readConfig,
  SETTINGS,
  type Setting,
} from "../src/config.ts";
import { unknownVariables } from "../src/config-unknown.ts";
import { usage, usageOf } from "../src/usage.ts";

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
  tlsCertFile: undefined,
  tlsKeyFile: undefined,
  tlsClientCaFile: undefined,
  allowCleartext: false,
  corsOrigins: [],
  logLevel: "info",
  logAmounts: false,
  requestBytesMax: 4_194_304,
  headerBytesMax: 16_384,
  concurrentStreamsMax: 1_000,
  connectionsMax: 10_000,
  deadlineMsDefault: 60_000,
  deadlineMsMax: 300_000,
  stalledReaderMsMax: 120_000,
  callsPerSecondPerKeyMax: 0,
  callsPerSecondMax: 0,
  jwtIssuer: undefined,
  jwtAudience: undefined,
  jwtKeySet: undefined,
  jwtAlgorithms: ["RS256", "ES256"],
  jwtClockToleranceS: 5,
  jwtTenantClaim: "tenant_id",
  jwtRoleClaim: "role",
  jwtCustomerClaim: "customer_id",
} satisfies Config;

const ALL_SETTINGS = Object.values<Setting<unknown>>(SETTINGS);

describe("configuration", () => {
  test("an empty environment gives the defaults", () => {
    expect(read({})).toEqual(DEFAULTS);
  });

  test("a variable that is set to nothing counts as not set", () => {
    const empty = ALL_SETTINGS.flatMap(({ variable }) => [
      [variable, ""],
      [`${variable}_FILE`, ""],
    ]);

    expect(read(Object.fromEntries(empty))).toEqual(DEFAULTS);
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
    [{ DRAWDOWN_HOST: "127.8.8.8" }, { host: "127.8.8.8" }],
    [
      { DRAWDOWN_HOST: "0.0.0.0", DRAWDOWN_ALLOW_CLEARTEXT: "true" },
      { host: "0.0.0.0", allowCleartext: true },
    ],
    [
      {
        DRAWDOWN_HOST: "ledger-1.example.com",
        DRAWDOWN_TLS_CERT_FILE: "tls/cert.pem",
        DRAWDOWN_TLS_KEY_FILE: "/etc/tls/key.pem",
        DRAWDOWN_TLS_CLIENT_CA_FILE: "ca.pem",
      },
      {
        host: "ledger-1.example.com",
        tlsCertFile: "/srv/drawdown/tls/cert.pem",
        tlsKeyFile: "/etc/tls/key.pem",
        tlsClientCaFile: "/srv/drawdown/ca.pem",
      },
    ],
    [{ DRAWDOWN_HOST: "::1" }, { host: "::1" }],
    [{ DRAWDOWN_HOST: "localhost" }, { host: "localhost" }],
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
    [
      { DRAWDOWN_CORS_ORIGINS: "https://a.example.com, http://localhost:5173" },
      { corsOrigins: ["https://a.example.com", "http://localhost:5173"] },
    ],
    [{ DRAWDOWN_LOG_AMOUNTS: "true" }, { logAmounts: true }],
    [{ DRAWDOWN_REQUEST_BYTES_MAX: "1024" }, { requestBytesMax: 1_024 }],
    [{ DRAWDOWN_HEADER_BYTES_MAX: "65536" }, { headerBytesMax: 65_536 }],
    [{ DRAWDOWN_CONCURRENT_STREAMS_MAX: "1" }, { concurrentStreamsMax: 1 }],
    [{ DRAWDOWN_CONNECTIONS_MAX: "000100" }, { connectionsMax: 100 }],
    [
      { DRAWDOWN_DEADLINE_MS_DEFAULT: "500", DRAWDOWN_DEADLINE_MS_MAX: "500" },
      { deadlineMsDefault: 500, deadlineMsMax: 500 },
    ],
    [{ DRAWDOWN_STALLED_READER_MS_MAX: "3600000" }, { stalledReaderMsMax: 3_600_000 }],
    [{ DRAWDOWN_CALLS_PER_SECOND_PER_KEY_MAX: "50" }, { callsPerSecondPerKeyMax: 50 }],
    [{ DRAWDOWN_CALLS_PER_SECOND_MAX: "5000" }, { callsPerSecondMax: 5_000 }],
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
    ["DRAWDOWN_HOST", "0.0.0.0", /is 0\.0\.0\.0, which other machines reach: set .*_ALLOW_CLEAR/],
    ["DRAWDOWN_HOST", "::", /which other machines reach/],
    ["DRAWDOWN_HOST", "ledger-1.example.com", /which other machines reach/],
    ["DRAWDOWN_ALLOW_CLEARTEXT", "1", /is neither true nor false/],
    ["DRAWDOWN_TLS_CERT_FILE", "cert.pem", /set both of them or neither/],
    ["DRAWDOWN_TLS_KEY_FILE", "key.pem", /set both of them or neither/],
    ["DRAWDOWN_TLS_CLIENT_CA_FILE", "ca.pem", /but no DRAWDOWN_TLS_CERT_FILE/],
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
    ["DRAWDOWN_CORS_ORIGINS", "*", /is not a list like https:/],
    ["DRAWDOWN_CORS_ORIGINS", "https://a.example.com/", /is not a list like/],
    ["DRAWDOWN_CORS_ORIGINS", "https://a.example.com,", /is not a list like/],
    ["DRAWDOWN_CORS_ORIGINS", "a.example.com", /is not a list like/],
    ["DRAWDOWN_LOG_AMOUNTS", "yes", /is neither true nor false: "yes"/],
    ["DRAWDOWN_REQUEST_BYTES_MAX", "1023", /is not a whole number from 1024 to 67108864: "1023"/],
    ["DRAWDOWN_REQUEST_BYTES_MAX", "67108865", /is not a whole number from 1024 to 67108864/],
    ["DRAWDOWN_HEADER_BYTES_MAX", "16k", /is not a whole number from 1024 to 65536: "16k"/],
    ["DRAWDOWN_CONCURRENT_STREAMS_MAX", "0", /is not a whole number from 1 to 100000/],
    ["DRAWDOWN_CONNECTIONS_MAX", "1e3", /is not a whole number/],
    ["DRAWDOWN_DEADLINE_MS_DEFAULT", "300001", /_DEFAULT is 300001 and longer than .*_MAX/],
    ["DRAWDOWN_DEADLINE_MS_MAX", "99", /is not a whole number from 100 to 3600000/],
    ["DRAWDOWN_STALLED_READER_MS_MAX", "-1", /is not a whole number/],
    ["DRAWDOWN_CALLS_PER_SECOND_PER_KEY_MAX", "0.5", /is not a whole number/],
    ["DRAWDOWN_CALLS_PER_SECOND_MAX", "none", /is not a whole number from 0 to 1000000/],
  ])("%s=%j is refused", (variable, value, problem) => {
    const problems = problemsOf({ [variable]: value });

    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(variable);
    expect(problems[0]).toMatch(problem);
  });

  const TOKENS = {
    DRAWDOWN_JWT_ISSUER: "https://id.example.com",
    DRAWDOWN_JWT_AUDIENCE: "drawdown",
    DRAWDOWN_JWT_JWKS: "https://id.example.com/keys",
  };
  test.each<[environment: Environment, changed: object]>([
    [{}, { jwtIssuer: "https://id.example.com", jwtAudience: "drawdown" }],
    [{}, { jwtKeySet: { kind: "url", url: "https://id.example.com/keys" } }],
    [
      { DRAWDOWN_JWT_JWKS: "keys.json" },
      { jwtKeySet: { kind: "file", path: "/srv/drawdown/keys.json" } },
    ],
    [
      { DRAWDOWN_JWT_JWKS: "http://[::1]:9/keys" },
      { jwtKeySet: { kind: "url", url: "http://[::1]:9/keys" } },
    ],
    [{ DRAWDOWN_JWT_ALGORITHMS: "EdDSA, PS256" }, { jwtAlgorithms: ["EdDSA", "PS256"] }],
    [{ DRAWDOWN_JWT_CLOCK_TOLERANCE_S: "0" }, { jwtClockToleranceS: 0 }],
    [{ DRAWDOWN_JWT_TENANT_CLAIM: "https://x/tenant" }, { jwtTenantClaim: "https://x/tenant" }],
  ])("tokens are accepted with %o", (environment, changed) => {
    expect(read({ ...TOKENS, ...environment })).toMatchObject(changed);
  });

  test.each<[variable: string, value: string, problem: RegExp]>([
    ["DRAWDOWN_JWT_ISSUER", "", /set all of them or none/],
    ["DRAWDOWN_JWT_AUDIENCE", "", /set all of them or none/],
    ["DRAWDOWN_JWT_JWKS", "", /set all of them or none/],
    ["DRAWDOWN_JWT_JWKS", "http://id.example.com/keys", /neither a file nor an https URL/],
    ["DRAWDOWN_JWT_JWKS", "ftp://id.example.com/keys", /neither a file nor an https URL/],
    ["DRAWDOWN_JWT_ALGORITHMS", "none", /names "none"/],
    ["DRAWDOWN_JWT_ALGORITHMS", "RS256,HS256", /names "HS256"/],
    ["DRAWDOWN_JWT_CLOCK_TOLERANCE_S", "301", /from 0 to 300/],
  ])("tokens with %s=%j are refused", (variable, value, problem) => {
    const problems = problemsOf({ ...TOKENS, [variable]: value });
    expect(problems.at(0)).toContain(variable);
    expect(problems.at(0)).toMatch(problem);
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

  test("each default is a value that may also be set by hand", () => {
    for (const { variable, otherwise } of ALL_SETTINGS) {
      const written = String(otherwise ?? "");
      expect(problemsOf({ [variable]: written })).toEqual([]);
    }
  });

  test("nobody can change it afterwards", () => {
    expect(Object.isFrozen(read({}))).toBe(true);
  });
});

describe("secrets in files", () => {
  const dir = mkdtempSync(join(tmpdir(), "drawdown-config-"));
  afterAll(() => rmSync(dir, { recursive: true }));
  const fileOf = (text: string) => {
    const file = join(dir, "secret");
    writeFileSync(file, text);
    return file;
  };

  test.each([
    ["DRAWDOWN_DATABASE_URL", "databaseUrl", "postgres://u:p@h/d"],
    ["DRAWDOWN_ADMIN_KEY", "adminKey", "a-key"],
  ] as const)("%s_FILE names the file that holds it", (variable, name, value) => {
    const file = fileOf(`${value}\n`);

    expect(read({ [`${variable}_FILE`]: file })[name]).toBe(value);
  });

  test("the owner's URL as well, beside the application's", () => {
    const file = fileOf("postgres://o@h/d");
    const environment = {
      DRAWDOWN_DATABASE_URL_FILE: file,
      DRAWDOWN_OWNER_DATABASE_URL_FILE: file,
    };

    expect(read(environment).ownerDatabaseUrl).toBe("postgres://o@h/d");
  });

  test("a relative name starts from the working directory, and what is missing is told", () => {
    const [problem] = problemsOf({ DRAWDOWN_ADMIN_KEY_FILE: "no/such.key" });

    expect(problem).toMatch(/^DRAWDOWN_ADMIN_KEY_FILE names a file that cannot be read \(ENOENT\)/);
    expect(problem).toContain("/srv/drawdown/no/such.key");
  });

  test.each<[text: string, problem: RegExp]>([
    ["", /^DRAWDOWN_ADMIN_KEY_FILE names a file that holds nothing/],
    ["two words", /^DRAWDOWN_ADMIN_KEY_FILE has characters other than visible ASCII/],
  ])("a file that holds %j is refused", (text, problem) => {
    expect(problemsOf({ DRAWDOWN_ADMIN_KEY_FILE: fileOf(text) })).toEqual([
      expect.stringMatching(problem),
    ]);
  });

  test("a secret that is given twice is refused", () => {
    const both = { DRAWDOWN_ADMIN_KEY: "a-key", DRAWDOWN_ADMIN_KEY_FILE: fileOf("a-key") };

    expect(problemsOf(both)).toEqual([
      "DRAWDOWN_ADMIN_KEY_FILE and DRAWDOWN_ADMIN_KEY are both set: leave one of them out",
    ]);
  });

  test("what is no secret has no file", () => {
    expect(read({ DRAWDOWN_HOST_FILE: fileOf("::1") }).host).toBe("127.0.0.1");
  });
});

describe("what an operator can read", () => {
  test("--help names every command, and of each the variables that it reads", () => {
    for (const command of COMMANDS) {
      expect(usage()).toContain(`\n  ${command} `);
      for (const { variable, isForAll } of ALL_SETTINGS) {
        const isTold = usageOf(command).includes(`  ${variable} `);
        expect(isTold, `${command} ${variable}`).toBe(command === "serve" || isForAll === true);
      }
    }
  });

  test("the README's table has every variable with its default", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    for (const { variable, otherwise, isSecret } of ALL_SETTINGS) {
      const row = new RegExp(`^\\| \`${variable}\`(.*?)\\| +(.*?) +\\|`, "m").exec(readme);
      expect(row, variable).not.toBeNull();
      expect(row?.[1]?.trim(), variable).toBe(isSecret ? "\\*" : "");
      const written = String(otherwise ?? "");
      if (written !== "") expect(row?.[2], variable).toBe(`\`${written}\``);
    }
  });
});

describe("a variable that nothing reads", () => {
  test("is told, unless it is empty or a cluster sets it", () => {
    const found = unknownVariables({
      DRAWDOWN_HOST: "127.0.0.1",
      DRAWDOWN_ADMIN_KEY_FILE: "/run/key",
      DRAWDOWN_TLS_CERT: "cert.pem",
      DRAWDOWN_HOST_FILE: "host",
      DRAWDOWN_PORT: "9000",
      DRAWDOWN_NOTHING: "",
      OTHER_SETTING: "1",
    });
    expect(found).toEqual(["DRAWDOWN_HOST_FILE", "DRAWDOWN_PORT", "DRAWDOWN_TLS_CERT"]);
    const ofCluster = {
      DRAWDOWN_PORT: "tcp://10.0.0.1:8080",
      DRAWDOWN_SERVICE_HOST: "10.0.0.1",
      DRAWDOWN_SERVICE_PORT: "8080",
      DRAWDOWN_SERVICE_PORT_GRPC: "50051",
      DRAWDOWN_PORT_8080_TCP: "tcp://10.0.0.1:8080",
      DRAWDOWN_PORT_8080_TCP_ADDR: "10.0.0.1",
    };
    expect(unknownVariables(ofCluster)).toEqual([]);
  });
});
