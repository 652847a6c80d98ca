/**
 * Owns the connection of one transaction as the pipeline uses it: named prepared statements, sent
 * without waiting for one another.
 */
import type { PoolClient, QueryResult, QueryResultRow } from "pg";
import { assert } from "../errors.ts";
import { inStatement } from "../tracing.ts";
import { type RowsToStore, type Statement, storeStatement, storeValues } from "./statement.ts";

export class Session {
  /** Settles when the transaction has begun. */
  readonly begun: Promise<unknown>;
  readonly #client: PoolClient;

  constructor(client: PoolClient, begun: Promise<unknown>) {
    this.#client = client;
    this.begun = begun;
  }

  query<Row extends QueryResultRow>(
    statement: Statement,
    values: unknown[],
  ): Promise<QueryResult<Row>> {
    const { name, text } = statement;
    return inStatement(statement, () => this.#client.query<Row>({ name, text, values }));
  }

  async rows<Row extends object>(statement: Statement, values: unknown[]): Promise<Row[]> {
    const result = await this.query<Row & QueryResultRow>(statement, values);
    return result.rows;
  }

  /** Stores rows of several tables in one statement. */
  async storeTogether(together: readonly RowsToStore[]): Promise<void> {
    const [stored] = await this.rows<{ counts: number[] }>(
      storeStatement(together),
      storeValues(together),
    );
    for (const [index, { write, count }] of together.entries()) {
      const found = stored?.counts[index];
      assert(found === count, `${write.name}: ${count} rows are stored, not ${found}`);
    }
  }

  /** Sends a write that must change exactly so many rows. */
  async store(statement: Statement, values: unknown[], rows: number): Promise<void> {
    const { rowCount } = await this.query(statement, values);
    assert(rowCount === rows, `${statement.name} stores ${rows} rows, not ${rowCount}`);
  }
}
