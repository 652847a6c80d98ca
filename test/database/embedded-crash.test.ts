import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../src/database/data-source.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/database/embedded.ts";
import { findPostmaster } from "../../src/database/embedded-postmaster.ts";
import { removeDataDir } from "../cluster.ts";
import {
  ask,
  clusterOf,
  findReplaying,
  kill,
  makeDataDir,
  postmasterOf,
  spawnHolder,
  untilTrue,
} from "./embedded-server.ts";

const isLinux = process.platform === "linux";

describe("after a crash of the embedded PostgreSQL or of its service", () => {
  let dataDir: string;

  beforeAll(() => {
    dataDir = makeDataDir(0o711);
  });

  afterAll(() => removeDataDir(dataDir));

  /** Starts, and stops when the test ends, whatever it did. */
  async function start(startMsMax?: number): Promise<EmbeddedPostgres> {
    const limit = startMsMax === undefined ? {} : { startMsMax };
    const server = await startEmbeddedPostgres({ dataDir, ...limit });
    onTestFinished(() => server.stop());
    return server;
  }

  test("a server whose service was killed with -9 goes on and is adopted", async () => {
    const child = spawnHolder(dataDir);
    const [{ adopted, superuserUrl }] = await once(child, "message");
    expect(adopted).toBe(false);
    const pid = postmasterOf(dataDir);
    await kill(child, "SIGKILL");

    const server = await startEmbeddedPostgres({ dataDir });
    expect(server.adopted).toBe(true);
    expect(server.superuserUrl).toBe(superuserUrl);
    expect(postmasterOf(dataDir)).toBe(pid);

    await server.stop();
    expect(findPostmaster(clusterOf(dataDir))).toBeUndefined();
  });

  test("a server that is killed with -9 is started again where it was", async () => {
    const server = await start();
    await ask(server.ownerUrl, "CREATE TABLE survived AS SELECT 7 AS answer");
    const pid = postmasterOf(dataDir);
    process.kill(pid, "SIGKILL");

    const survived = () => ask(server.ownerUrl, "SELECT answer FROM survived").catch(() => []);
    await untilTrue(async () => (await survived()).length === 1);
    expect(await survived()).toEqual([{ answer: 7 }]);
    expect(postmasterOf(dataDir)).not.toBe(pid);
  });

  test("a server that comes back on another port is followed by the pools", async () => {
    const server = await start();
    const findUrl = () => server.appUrl;
    const pools = { readPoolMax: 1, writePoolMax: 1 };
    const database = await openDatabase({ findUrl, runAsRole: false, ...pools });
    onTestFinished(() => database.close());
    const { appUrl } = server;
    // As if somebody had taken the port: the next start tries the one that stands here.
    const elsewhere = createServer().listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    const { port } = elsewhere.address() as AddressInfo;
    await new Promise((resolve) => elsewhere.close(resolve));
    writeFileSync(join(dataDir, "postgres", "port"), String(port));
    process.kill(postmasterOf(dataDir), "SIGKILL");

    const asked = (pool: typeof database.reads) => pool.query("SELECT 1 AS one");
    const served = () =>
      asked(database.reads).then(
        () => true,
        () => false,
      );
    await untilTrue(async () => server.appUrl !== appUrl && (await served()));
    expect(await asked(database.writes)).toEqual([{ one: 1 }]);
  });

  test.runIf(isLinux)("a start waits for sessions that outlive a killed server", async () => {
    const child = spawnHolder(dataDir);
    const [{ superuserUrl }] = await once(child, "message");
    const session = new pg.Client({ connectionString: superuserUrl });
    session.on("error", () => undefined);
    await session.connect();
    const { rows } = await session.query("SELECT pg_backend_pid() AS pid");
    process.kill(rows[0].pid, "SIGSTOP");
    await kill(child, "SIGKILL");
    process.kill(postmasterOf(dataDir), "SIGKILL");
    const log = join(dataDir, "postgres", "server.log");
    const logFrom = readFileSync(log).length;
    let failed = false;

    const starting = start().catch((error: unknown) => {
      failed = true;
      throw error;
    });
    const refusals = () =>
      readFileSync(log, "utf8").slice(logFrom).split("still in use").length - 1;
    await untilTrue(() => failed || refusals() > 11);
    process.kill(rows[0].pid, "SIGCONT");
    expect(await ask((await starting).appUrl, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test.runIf(isLinux)("a server that replays its log is given the time that it takes", async () => {
    const child = spawnHolder(dataDir);
    const [{ superuserUrl }] = await once(child, "message");
    await ask(superuserUrl, "CREATE TABLE much AS SELECT generate_series(1, 300000)");
    await kill(child, "SIGKILL");
    process.kill(postmasterOf(dataDir), "SIGKILL");

    let isStarted = false;
    const starting = start(1_000).finally(() => {
      isStarted = true;
    });
    let replaying: number | undefined;
    await untilTrue(() => {
      replaying = findReplaying(dataDir);
      return replaying !== undefined;
    });
    process.kill(replaying ?? expect.fail(), "SIGSTOP");
    await sleep(3_000);
    expect(isStarted).toBe(false);
    process.kill(replaying ?? expect.fail(), "SIGCONT");
    expect(await ask((await starting).appUrl, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });
});
