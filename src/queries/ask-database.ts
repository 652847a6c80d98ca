/** Owns the statements that belong to no tenant: they call functions that look across all. */
import type { QueryResultRow } from "pg";
import type { DataSource } from "typeorm";
import { withConnection } from "../database/connection.ts";
import { databaseFailure, databaseUnavailable } from "../database/sql-state.ts";

/** Refuses DATABASE_UNAVAILABLE when the database cannot be reached or does not answer in time. */
export async function askDatabase<Row extends object>(
  reads: DataSource,
  text: string,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  try {
    return await withConnection(reads, async ({ client }) => {
      const { rows } = await client.query<Row & QueryResultRow>(text, [...values]);
      return rows;
    });
  } catch (error) {
    const failure = databaseFailure(error);
    throw failure === "bug" || failure === "data" ? error : databaseUnavailable(error);
  }
}
