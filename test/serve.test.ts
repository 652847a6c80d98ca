/** How the command `serve` ends: in time, whatever the database does. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "./database.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const ADMIN_KEY = `key-of-${"x".repeat(32)}`;
const POLL_MS = 20;

let database: TestDatabase;
let superuser: pg.Client;
let dataDir: string;
beforeAll(async () => {
  database = await cloneDatabase();
  superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  dataDir = mkdtempSync(join(tmpdir(), "drawdown-serve-"));
});
afterAll(async () => {
  await superuser.end();
  await database.drop();
  rmSync(dataDir, { recursive: true });
});

function serve(databaseUrl: string): ChildProcess {
  const env = {
    ...process.env,
    DRAWDOWN_DATABASE_URL: databaseUrl,
    DRAWDOWN_DATA_DIR: dataDir,
    DRAWDOWN_ADMIN_KEY: ADMIN_KEY,
    DRAWDOWN_HTTP_PORT: "0",
    DRAWDOWN_GRPC_PORT: "0",
  };
  const child = spawn(process.execPath, [MAIN, "serve"], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** Sends SIGTERM; answers the exit code, and after how many milliseconds it came. */
async function end(child: ChildProcess) {
  const sentAt = performance.now();
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  return { code, tookMs: performance.now() - sentAt };
}

/** Passes bytes on to PostgreSQL, until it falls silent. */
async function openLink(target: URL): Promise<{ url: string; fallSilent: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const there = connect(Number(target.port), target.hostname);
    for (const socket of [client, there]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    client.pipe(there);
    there.pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as { readonly port: number }).port}`;
  const fallSilent = () => {
    server.removeAllListeners("connection");
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { url: url.href, fallSilent };
}

describe("R10 SIGTERM ends the service", () => {
  test("at once while it still waits for another replica's migration", async () => {
    // "migrate!" in ASCII.
    await superuser.query("SELECT pg_advisory_lock(7883946363647714593)");
    const child = serve(database.ownerUrl);
    for (;;) {
      const { rows } = await superuser.query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      if (rows.length > 0) break;
      await sleep(POLL_MS);
    }
    const { code, tookMs } = await end(child);
    await superuser.query("SELECT pg_advisory_unlock_all()");
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(2_000);
  });

  test("within ten seconds while the database does not answer", async () => {
    const { url, fallSilent } = await openLink(new URL(database.appUrl));
    const child = serve(url);
    let printed = "";
    for await (const text of child.stdout ?? []) {
      printed += text;
      if (printed.includes("drawdown ready")) break;
    }
    const http = /http=(\S+)/.exec(printed)?.[1];
    fallSilent();
    let answered = false;
    const calling = fetch(`http://${http}/drawdown.v1.CustomerService/CreateCustomer`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ requestId: "r", key: "k" }),
    }).finally(() => {
      answered = true;
    });
    calling.catch(() => undefined);
    await sleep(500);
    expect(answered, "the call is in flight").toBe(false);
    const { tookMs } = await end(child);
    await expect(calling).rejects.toThrow();
    expect(tookMs).toBeLessThan(10_000);
  });
});
