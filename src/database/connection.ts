/**
 * Owns the lending of connections: a pool gets back only those whose session is known to be clean,
 * all others are closed. Also how a transaction is bound to its tenant.
 */
import type pg from "pg";
import type { DataSource, EntityManager, QueryRunner } from "typeorm";
import type { PostgresDriver } from "typeorm/driver/postgres/PostgresDriver.js";
import { assert } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The statement that binds a transaction to its tenant, for the message that also begins it. It
 * takes no parameter, so the id is checked before it is written into the text.
 */
export function setTenant(tenantId: TenantId): string {
  assert(UUID.test(tenantId), "the id of a tenant is a UUID");
  return `SET LOCAL app.tenant = '${tenantId}'`;
}

/** That tenant, as SQL within the transaction: read once by a statement, whatever it meets. */
export const TENANT_OF_TRANSACTION =
  "(SELECT nullif(current_setting('app.tenant', true), '')::uuid)";

export interface Connection {
  /** For named statements, and for sending several without waiting for one another. */
  readonly client: pg.PoolClient;
  /** The same connection for repositories and query builders. */
  readonly manager: EntityManager;
}

/**
 * Lends a connection of the pool. When the work throws, what it left open is rolled back behind
 * all that it has sent; a connection that was lost, or does not roll back, is closed. Errors pass
 * through as they are.
 */
export async function withConnection<Result>(
  pool: DataSource,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const runner = pool.createQueryRunner();
  try {
    const client: pg.PoolClient = await runner.connect();
    try {
      return await work({ client, manager: runner.manager });
    } catch (error) {
      await rollBackOrClose(client, runner);
      throw error;
    }
  } finally {
    await runner.release();
  }
}

async function rollBackOrClose(client: pg.PoolClient, runner: QueryRunner): Promise<void> {
  // TypeORM has given back, and the pool has closed, a connection that reported its own end.
  if (runner.isReleased) return;
  try {
    await client.query("ROLLBACK");
  } catch {
    // The pool closes a connection that is ending when it gets it back.
    void (client as unknown as pg.Client).end().catch(() => undefined);
  }
}

/** How many connections a pool has, how many of them nobody uses, and how many callers wait. */
export interface PoolUse {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

export function useOf(pool: DataSource): PoolUse {
  const { totalCount, idleCount, waitingCount } = poolOf(pool);
  return { total: totalCount, idle: idleCount, waiting: waitingCount };
}

/** How many connections a pool has at most. */
export function sizeOf(pool: DataSource): number {
  return poolOf(pool).options.max;
}

const poolOf = ({ driver }: DataSource) => (driver as PostgresDriver).master as pg.Pool;
