/**
 * Owns the one PostgreSQL of a test run: the embedded one, in a folder of its own that is removed
 * afterwards, with a migrated template that test files clone (test/database.ts). It does not wait
 * for the disk; tests of durability start a server of their own, with the settings of the service.
 */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../src/database/embedded.ts";
import { isAlive } from "../src/database/embedded-process.ts";
import { migrate } from "../src/database/migrate.ts";
import { TEMPLATE, withDatabase } from "./database-url.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** URLs of the run's server; `test/database.ts` puts a clone's name into them. */
    readonly superuserUrl: string;
    readonly ownerUrl: string;
    readonly appUrl: string;
  }
}

const PREFIX = "drawdown-test-";
const SETTINGS = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  max_connections: "200",
};

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftovers();
  const dataDir = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // A temporary folder is closed to everyone else, and as root the server runs as somebody else.
  chmodSync(dataDir, 0o711);
  const server = await startEmbeddedPostgres({ dataDir, settings: SETTINGS });
  try {
    await makeTemplate(server.superuserUrl, server.ownerUrl);
  } catch (error) {
    await server.stop();
    removeDataDir(dataDir);
    throw error;
  }
  project.provide("superuserUrl", server.superuserUrl);
  project.provide("ownerUrl", server.ownerUrl);
  project.provide("appUrl", server.appUrl);
  return async () => {
    await server.stop();
    removeDataDir(dataDir);
  };
}

async function makeTemplate(superuserUrl: string, ownerUrl: string): Promise<void> {
  const superuser = new pg.Client({ connectionString: superuserUrl });
  await superuser.connect();
  try {
    await superuser.query(`CREATE DATABASE ${TEMPLATE} OWNER drawdown_owner`);
    await migrate(withDatabase(ownerUrl, TEMPLATE));
    await superuser.query(`ALTER DATABASE ${TEMPLATE} IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  } finally {
    await superuser.end();
  }
}

/** A run that was killed leaves its server behind: adopting it is the way to stop it. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number.parseInt(name.slice(PREFIX.length), 10);
    if (!name.startsWith(PREFIX) || isAlive(pid)) continue;
    const dataDir = join(tmpdir(), name);
    try {
      if (existsSync(join(dataDir, "postgres")))
        await (await startEmbeddedPostgres({ dataDir })).stop();
    } catch {
      // What cannot be started holds no server; two runs may also be cleaning at once.
    }
    removeDataDir(dataDir);
  }
}

/** A folder that the server's user cannot reach has its cluster elsewhere (embedded-cluster.ts). */
export function removeDataDir(dataDir: string): void {
  try {
    const cluster = readlinkSync(join(dataDir, "postgres", "cluster"));
    rmSync(dirname(cluster), { recursive: true, force: true });
  } catch {
    // It is no symbolic link: the cluster goes with its folder.
  }
  rmSync(dataDir, { recursive: true, force: true });
}
