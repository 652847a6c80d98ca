/** Owns what one settled charge from one grant leaves in the database: rows, index entries, bytes. */
import { randomUUID } from "node:crypto";
import type pg from "pg";

/** Every write of a customer touches it, so it is counted apart. */
const HEAD = "customer_head";

export interface ChargeRows {
  /** Rows inserted or updated beside the head. */
  readonly rows_per_charge: number;
  readonly index_entries_per_charge: number;
}

interface WrittenTable {
  readonly table: string;
  readonly inserted: number;
  readonly rows: number;
}

/** Looks at everything that the transaction of one charge wrote. It must have made nothing else. */
export async function countChargeRows(
  database: pg.Client,
  customerId: string,
): Promise<ChargeRows> {
  const written: WrittenTable[] = [];
  for (const table of await tablesOfCustomers(database)) {
    const { rows } = await database.query(
      `SELECT count(*)::integer AS rows FROM ${table} t,
        (SELECT xmin AS made_by FROM charge WHERE customer_id = $1
          ORDER BY number DESC LIMIT 1) c
        WHERE t.customer_id = $1 AND t.xmin = c.made_by`,
      [customerId],
    );
    written.push({ table, rows: rows[0].rows, inserted: 0 });
  }
  let entries = 0;
  for (const { table, rows } of written) {
    if (rows === 0) continue;
    // What a charge updates, it updates in place; whether that stays so the statistics tell.
    if (["charge", "transfer"].includes(table)) {
      entries += await countEntries(database, table, customerId);
    }
  }
  return {
    rows_per_charge: written
      .filter(({ table }) => table !== HEAD)
      .reduce((sum, { rows }) => sum + rows, 0),
    index_entries_per_charge: entries,
  };
}
