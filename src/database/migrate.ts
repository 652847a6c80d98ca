/**
 * Owns bringing a database up to date: the application's role and its rights, and the migrations.
 * Any number of replicas may start at once: one migrates, the others wait and find it done.
 */
import { DataSource, MigrationExecutor, type QueryRunner } from "typeorm";
import { withSettings } from "./data-source.ts";
import { APPLICATION_ROLE, Ledger1763800000001 } from "./migrations/1_ledger.ts";
import { Access1763800000002 } from "./migrations/2_access.ts";
import { TenantOnce1763800000003 } from "./migrations/3_tenant_once.ts";
import { DueByIndex1763800000004 } from "./migrations/4_due_by_index.ts";
import { OpenById1763800000005 } from "./migrations/5_open_by_id.ts";
import { PooledClient } from "./pooled-client.ts";
import { giveRights } from "./rights.ts";
import { sqlStateOf } from "./sql-state.ts";

/** In their order. */
export const migrations = [
  Ledger1763800000001,
  Access1763800000002,
  TenantOnce1763800000003,
  DueByIndex1763800000004,
  OpenById1763800000005,
] as const;

const POSTGRES_MAJOR_MIN = 15;
/** From this version on, belonging to a role and being allowed to become it are two things. */
const POSTGRES_MAJOR_WITH_SET = 16;
const CONNECT_TIMEOUT_MS = 10_000;
/** How long a replica waits for another one's migration, and a migration for a lock. */
const LOCK_TIMEOUT_MS = 300_000;
const INSUFFICIENT_PRIVILEGE = "42501";
/** Taken for the session while migrating: "migrate!" in ASCII. */
const MIGRATION_LOCK = "7883946363647714593";

/** A database that cannot be migrated as it stands; the message says what to do. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/** Runs the pending migrations as the owner. */
export async function migrate(ownerUrl: string): Promise<void> {
  const owner = ownerSource(ownerUrl);
  await owner.initialize();
  try {
    const runner = owner.createQueryRunner();
    const major = await majorVersion(runner);
    await runner.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    await prepareRole(runner, major);
    const executor = new MigrationExecutor(owner, runner);
    executor.transaction = "each";
    await executor.executePendingMigrations();
    await giveRights(runner);
  } finally {
    // The lock goes with the session.
    await owner.destroy();
  }
}

/** Whether the role of a URL may make tables, as an owner may and the application's may not. */
export async function mayMigrate(url: string): Promise<boolean> {
  const source = ownerSource(url);
  await source.initialize();
  try {
    const [{ may }] = await source.query("SELECT has_schema_privilege('public', 'CREATE') AS may");
    return may;
  } finally {
    await source.destroy();
  }
}

/** The owner's own connection, one, without the limits that a served request has. */
export function ownerSource(ownerUrl: string): DataSource {
  const { connectionString, options } = withSettings(ownerUrl, {
    TimeZone: "UTC",
    search_path: "public",
    lock_timeout: LOCK_TIMEOUT_MS,
  });
  return new DataSource({
    type: "postgres",
    url: connectionString,
    applicationName: "drawdown migrate",
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    poolSize: 1,
    migrations: [...migrations],
    migrationsTableName: "migration",
    synchronize: false,
    installExtensions: false,
    logging: false,
    poolErrorHandler: () => undefined,
    extra: { Client: PooledClient, options },
  });
}

async function majorVersion(runner: QueryRunner): Promise<number> {
  const [{ number }] = await runner.query(
    "SELECT current_setting('server_version_num')::integer AS number",
  );
  return supportedMajor(number);
}

/** The major version of a server that is new enough, from its `server_version_num`. */
export function supportedMajor(versionNumber: number): number {
  const major = Math.floor(versionNumber / 10_000);
  if (major >= POSTGRES_MAJOR_MIN) return major;
  throw new MigrationError(
    `The database runs PostgreSQL ${major}; Drawdown needs ${POSTGRES_MAJOR_MIN} or newer.`,
  );
}

/**
 * Makes the application's role when it is missing and lets it into the database. Roles belong to
 * the whole server, so another database's migration may be doing the same at this moment.
 */
async function prepareRole(runner: QueryRunner, major: number): Promise<void> {
  const role = APPLICATION_ROLE;
  const [{ exists }] = await runner.query(
    `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') AS exists`,
  );
  if (!exists) await createRole(runner);

  // So that the owner's URL can serve too, with `role` set. An owner that may not grant the role
  // needs the role to have a login of its own, and nothing else of this.
  const become = major >= POSTGRES_MAJOR_WITH_SET ? "SET" : "MEMBER";
  await runner.query(`DO $$ BEGIN
    IF NOT pg_has_role('${role}', '${become}') THEN GRANT ${role} TO CURRENT_USER; END IF;
    EXCEPTION WHEN insufficient_privilege OR unique_violation OR internal_error THEN NULL;
  END $$`);
  await runner.query(`DO $$ BEGIN
    IF NOT has_database_privilege('${role}', current_database(), 'CONNECT') THEN
      EXECUTE format('GRANT CONNECT ON DATABASE %I TO ${role}', current_database());
    END IF;
    IF NOT has_schema_privilege('${role}', 'public', 'USAGE') THEN
      GRANT USAGE ON SCHEMA public TO ${role};
    END IF;
  END $$`);
}

async function createRole(runner: QueryRunner): Promise<void> {
  try {
    await runner.query(`DO $$ BEGIN
      CREATE ROLE ${APPLICATION_ROLE}
        NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$`);
  } catch (error) {
    if (sqlStateOf(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new MigrationError(
      `The role ${APPLICATION_ROLE} does not exist and the owner of the database may not make ` +
        `it: give the owner CREATEROLE, or run CREATE ROLE ${APPLICATION_ROLE}.`,
    );
  }
}
