/** Owns the transactions of reads: one snapshot, read-only, of one tenant. */
import type { DataSource, EntityManager } from "typeorm";
import { assert } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import { setTenant, withConnection } from "./connection.ts";
import { databaseFailure, databaseUnavailable } from "./sql-state.ts";

/**
 * Runs the statements of one answer on one snapshot of the tenant's rows. Refuses
 * DATABASE_UNAVAILABLE when the database cannot be reached or does not answer in time.
 */
export async function readTransaction<Result>(
  reads: DataSource,
  tenantId: TenantId,
  work: (manager: EntityManager) => Promise<Result>,
): Promise<Result> {
  const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${setTenant(tenantId)}`;
  try {
    return await withConnection(reads, async ({ client, manager }) => {
      await client.query(begin);
      const result = await work(manager);
      const { command } = await client.query("COMMIT");
      assert(command === "COMMIT", "a read lets every error of its statements through");
      return result;
    });
  } catch (error) {
    const failure = databaseFailure(error);
    throw failure === "bug" || failure === "data" ? error : databaseUnavailable(error);
  }
}
