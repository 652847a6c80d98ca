/**
 * Owns the transaction of a write: READ COMMITTED, of one tenant, its COMMIT checked. What cannot
 * be known after COMMIT was sent is said by name; the caller runs the work again to find out (W2).
 */
import type { PoolClient } from "pg";
import type { DataSource } from "typeorm";
import { setTenant, withConnection } from "../database/connection.ts";
import { databaseFailure } from "../database/sql-state.ts";
import { AssertionFailure } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import { inStatement } from "../tracing.ts";
import type { PipelineObserver } from "./observer.ts";
import { Session } from "./session.ts";

const COMMIT = { name: "commit", text: "COMMIT" };

/** COMMIT was sent and its answer did not arrive: the work may be stored, or not. */
export class UnclearCommit extends Error {
  override readonly name = "UnclearCommit";
}

/**
 * Runs the work in a transaction. Its first statements are sent behind BEGIN without waiting for
 * it; `session.begun` is awaited before anything is written, so that nothing is ever written
 * outside the transaction.
 */
export function transact<Result>(
  site: {
    readonly writes: DataSource;
    readonly tenantId: TenantId;
    readonly observer: PipelineObserver | undefined;
  },
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const { writes, tenantId, observer } = site;
  const begin = `BEGIN ISOLATION LEVEL READ COMMITTED; ${setTenant(tenantId)}`;
  return withConnection(writes, async ({ client }) => {
    const begun = client.query(begin);
    const [, result] = await Promise.all([begun, work(new Session(client, begun))]);
    const sentAt = performance.now();
    await commit(client);
    observer?.commitAnswered(performance.now() - sentAt);
    return result;
  });
}

async function commit(client: PoolClient): Promise<void> {
  let tag: string;
  try {
    const answer = await inStatement(COMMIT, () => client.query(COMMIT.text));
    tag = answer.command;
  } catch (error) {
    // Only what the server refused for others' or the data's sake was certainly rolled back.
    const failure = databaseFailure(error);
    if (failure === "retryable" || failure === "data") throw error;
    throw new UnclearCommit("the answer to COMMIT was lost", { cause: error });
  }
  // An error that was swallowed inside the transaction turns COMMIT into a rollback.
  if (tag !== "COMMIT") throw new AssertionFailure(`COMMIT was answered by ${tag}`);
}
