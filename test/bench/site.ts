/** Owns everything that runs during the benchmark, from its first start to its removal. */
import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startEmbeddedPostgres } from "../../src/database/embedded.ts";
import { removeDataDir } from "../cluster.ts";
import type { Site } from "./figures.ts";
import { LoadProcesses } from "./load-processes.ts";
import { isPgbenchInstalled } from "./pgbench.ts";
import { parentOf } from "./processor-time.ts";
import { spawnEmptyService, spawnService } from "./spawned-service.ts";

export interface OpenSite {
  readonly site: Site;
  /** As superuser, for what the service may not know of itself. */
  readonly database: pg.Client;
  readonly superuserUrl: string;
  readonly startups_ms: { readonly first: number; readonly later: number };
  readonly postgresqlVersion: string;
  close(): Promise<void>;
}

/** What has been opened is closed in the opposite order. */
type Close = () => Promise<void> | void;

export async function openSite(): Promise<OpenSite> {
  const opened: Close[] = [];
  const close = async () => {
    for (const each of opened.splice(0).reverse()) await each();
  };
  try {
    return { ...(await openAll(opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openAll(opened: Close[]): Promise<Omit<OpenSite, "close">> {
  const dataDir = mkdtempSync(join(tmpdir(), "drawdown-bench-"));
  opened.push(() => removeDataDir(dataDir));
  // A temporary folder is closed to everyone else, and as root the server runs as somebody else.
  chmodSync(dataDir, 0o711);
  const first = await spawnService(dataDir);
  await first.stop();
  const service = await spawnService(dataDir);
  opened.push(() => service.stop());
  const postgres = await startEmbeddedPostgres({ dataDir });
  opened.push(() => postgres.stop());
  const database = new pg.Client({ connectionString: postgres.superuserUrl });
  await database.connect();
  opened.push(() => database.end());
  const emptyService = await spawnEmptyService();
  opened.push(() => emptyService.stop());
  const processes = new LoadProcesses();
  opened.push(() => processes.close());
  const { rows } = await database.query("SELECT pg_backend_pid() AS pid, version()");
  return {
    site: {
      service,
      emptyService,
      processes,
      postmasterPid: parentOf(rows[0].pid),
      databaseUrl: postgres.appUrl,
      hasPgbench: isPgbenchInstalled(),
    },
    database,
    superuserUrl: postgres.superuserUrl,
    startups_ms: { first: first.startup_ms, later: service.startup_ms },
    postgresqlVersion: String(rows[0].version).split(" ").slice(0, 2).join(" "),
  };
}
