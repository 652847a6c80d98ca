/** Encryption to PostgreSQL is asked for in the URL, as pg has it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Database, openDatabase } from "../../src/database/data-source.ts";
import { cloneDatabase, type TestDatabase } from "../database.ts";

const dir = mkdtempSync(join(tmpdir(), "drawdown-ssl-"));
let database: TestDatabase;

/** Makes a certificate for 127.0.0.1 that signs itself; answers its files' contents. */
function makeCertificate(name: string) {
  const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
  const subject = ["-subj", "/CN=postgres", "-addext", "subjectAltName=IP:127.0.0.1"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  const words = ["req", "-x509", ...key, ...files, ...subject];
  execFileSync("openssl", words, { cwd: dir, stdio: "pipe" });
  const read = (suffix: string) => readFileSync(join(dir, `${name}.${suffix}`), "utf8");
  return { cert: read("pem"), key: read("key") };
}

async function asSuperuser(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: inject("superuserUrl") });
  await client.connect();
  for (const each of statements) await client.query(each);
  await client.end();
}

beforeAll(async () => {
  database = await cloneDatabase();
  const { cert, key } = makeCertificate("server");
  makeCertificate("other");
  const write = (text: string, file: string) =>
    `COPY (SELECT unnest(string_to_array('${text.trim()}', E'\\n')))
      TO PROGRAM 'umask 077 && cat > ${file}'`;
  await asSuperuser(
    write(cert, "ssl-test.pem"),
    write(key, "ssl-test.key"),
    "ALTER SYSTEM SET ssl_cert_file = 'ssl-test.pem'",
    "ALTER SYSTEM SET ssl_key_file = 'ssl-test.key'",
    "ALTER SYSTEM SET ssl = on",
    "SELECT pg_reload_conf()",
  );
  writeFileSync(join(dir, "ca.pem"), cert);
});
afterAll(async () => {
  const settings = ["ssl", "ssl_cert_file", "ssl_key_file"];
  const resets = settings.map((each) => `ALTER SYSTEM RESET ${each}`);
  await asSuperuser(...resets, "SELECT pg_reload_conf()");
  await database.drop();
  rmSync(dir, { recursive: true });
});

function open(query: string): Promise<Database> {
  const url = `${database.appUrl}${query}`;
  return openDatabase({
    findUrl: () => url,
    runAsRole: false,
    readPoolMax: 1,
    writePoolMax: 1,
  });
}

const authority = (name: string) => `&sslrootcert=${join(dir, name)}`;

describe("sslmode", () => {
  test.each([
    ["", false],
    ["?sslmode=disable", false],
    ["?sslmode=no-verify", true],
    [`?sslmode=verify-full${authority("ca.pem")}`, true],
  ])("%s: encrypted is %s", async (query, ssl) => {
    const connections = await open(query);
    for (const pool of [connections.reads, connections.writes]) {
      const statement = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
      expect(await pool.query(statement)).toEqual([{ ssl }]);
    }
    await connections.close();
  });

  test("verify-full refuses a server whose certificate another authority has signed", async () => {
    const query = `?sslmode=verify-full${authority("other.pem")}`;

    await expect(open(query)).rejects.toThrow(/self-signed certificate|unable to verify/);
  });
});
