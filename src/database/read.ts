/** Owns the transactions of reads: one snapshot, read-only, of one tenant. */
import type { DataSource, EntityManager } from "typeorm";
import { assert } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import { setTenant, withConnection } from "./connection.ts";
import { databaseFailure, databaseUnavailable } from "./sql-state.ts";

/**
 * Runs the statements of one answer on one snapshot of the tenant's rows. The first ones are sent
 * behind BEGIN without waiting for it: outside a transaction they would be of no tenant and see
 * nothing, and nobody is told what they found. Refuses DATABASE_UNAVAILABLE when the database
 * cannot be reached or does not answer in time.
 */
export async function readTransaction<Result>(
  reads: DataSource,
  tenantId: TenantId,
  work: (manager: EntityManager) => Promise<Result>,
): Promise<Result> {
  const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${setTenant(tenantId)}`;
  try {
    return await withConnection(reads, async ({ client, manager }) => {
      const begun = client.query(begin);
      // Both have settled before the connection is lent to anyone else.
      const [beginning, outcome] = await Promise.allSettled([begun, (async () => work(manager))()]);
      if (beginning.status === "rejected") throw beginning.reason;
      if (outcome.status === "rejected") throw outcome.reason;
      const { command } = await client.query("COMMIT");
      assert(command === "COMMIT", "a read lets every error of its statements through");
      return outcome.value;
    });
  } catch (error) {
    const failure = databaseFailure(error);
    throw failure === "bug" || failure === "data" ? error : databaseUnavailable(error);
  }
}
