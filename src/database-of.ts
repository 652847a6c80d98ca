/**
 * Owns finding the database of a configuration: the named one or the embedded one, migrated, and
 * connected as the application's role.
 */
import type { Config } from "./config.ts";
import { checkRole } from "./database/check-role.ts";
import { type Database, openDatabase } from "./database/data-source.ts";
import { startEmbeddedPostgres } from "./database/embedded.ts";
import { mayMigrate, migrate } from "./database/migrate.ts";
import { noLongerThan } from "./server/patience.ts";

const READ_POOL_MAX = 12;
/** One for each lane of the pipeline, and some for registries and what is pursued. */
const WRITE_POOL_MAX = 8;

/** A statement that somebody has given up holds its connection until it ends. */
const CLOSE_MS_MAX = 500;

export interface OpenedDatabase {
  readonly connections: Database;
  /** Closes the connections, and stops the embedded server when nobody else holds it. */
  close(): Promise<void>;
}

interface Site {
  readonly findUrl: () => string;
  readonly ownerUrl: string;
  /** Whether the URL is the owner's, so that sessions change to the application's role. */
  readonly runAsRole: boolean;
  stop(): Promise<void>;
}

/**
 * Opens the database that the configuration names. Unless only looked at, it is migrated first
 * where that is possible.
 */
export async function openDatabaseOf(
  config: Config,
  { readsOnly = false }: { readonly readsOnly?: boolean } = {},
): Promise<OpenedDatabase> {
  const site = await findSite(config);
  try {
    const { findUrl, ownerUrl, runAsRole } = site;
    // Whoever gives the service no owner's access migrates by the command, as a step of its own.
    if (!readsOnly && (!runAsRole || (await mayMigrate(ownerUrl)))) await migrate(ownerUrl);
    const connections = await openDatabase({
      findUrl,
      runAsRole,
      readPoolMax: READ_POOL_MAX,
      writePoolMax: WRITE_POOL_MAX,
    });
    const close = async () => {
      await noLongerThan(connections.close(), CLOSE_MS_MAX);
      await site.stop();
    };
    try {
      await checkRole(connections.reads);
      return { connections, close };
    } catch (error) {
      await connections.close();
      throw error;
    }
  } catch (error) {
    await site.stop();
    throw error;
  }
}

/** The command `migrate`: brings the database up to date and exits. */
export async function migrateDatabase(config: Config): Promise<number> {
  const site = await findSite(config);
  try {
    await migrate(site.ownerUrl);
    process.stdout.write("the database is up to date\n");
    return 0;
  } finally {
    await site.stop();
  }
}

async function findSite(config: Config): Promise<Site> {
  const { databaseUrl, ownerDatabaseUrl } = config;
  const named = databaseUrl ?? ownerDatabaseUrl;
  if (named !== undefined) {
    return {
      findUrl: () => named,
      ownerUrl: ownerDatabaseUrl ?? named,
      runAsRole: ownerDatabaseUrl === undefined,
      stop: async () => {},
    };
  }
  const embedded = await startEmbeddedPostgres({ dataDir: config.dataDir });
  return {
    findUrl: () => embedded.appUrl,
    ownerUrl: embedded.ownerUrl,
    runAsRole: false,
    stop: () => embedded.stop(),
  };
}
