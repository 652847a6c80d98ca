/** Owns what a settled charge from one grant leaves in the database: rows, index entries, bytes. */
import type pg from "pg";

/** Every write of a customer touches it, so its row is counted apart. */
const HEAD = "customer_head";

export interface ChargeRows {
  /** Tables with the number of rows that one charge inserts into them. */
  readonly inserted: ReadonlyMap<string, number>;
  /** Tables with the number of rows that one charge updates in them. */
  readonly updated: ReadonlyMap<string, number>;
  /** Entries that the inserted rows have in indexes. */
  readonly insertedEntries: number;
  /** What the rows take that it inserts. */
  readonly insertedBytes: number;
}

/** Looks at what `makeCharge` writes, which must be one charge of an idle customer. */
export async function watchCharge(
  database: pg.Client,
  customerId: string,
  makeCharge: () => Promise<void>,
): Promise<ChargeRows> {
  const tables = await tablesOfCustomers(database);
  const sumOf = async (what: string, table: string, where: string): Promise<number> => {
    const { rows } = await database.query(
      `SELECT ${what}::integer AS sum FROM ${table} t WHERE customer_id = $1 AND ${where}`,
      [customerId],
    );
    return rows[0].sum;
  };
  const countOf = (table: string, where: string) => sumOf("count(*)", table, where);
  const count = async (where: string) => {
    const counts = new Map<string, number>();
    for (const table of tables) counts.set(table, await countOf(table, where));
    return counts;
  };
  const before = await count("true");
  await makeCharge();
  const after = await count("true");
  const newest = `SELECT xmin FROM charge WHERE customer_id = '${customerId}'
    ORDER BY number DESC LIMIT 1`;
  const written = await count(`t.xmin = (${newest})`);
  const inserted = new Map<string, number>();
  const updated = new Map<string, number>();
  let insertedEntries = 0;
  let insertedBytes = 0;
  for (const table of tables) {
    const added = (after.get(table) ?? 0) - (before.get(table) ?? 0);
    const changed = (written.get(table) ?? 0) - added;
    if (changed > 0) updated.set(table, changed);
    if (added === 0) continue;
    inserted.set(table, added);
    insertedBytes += await sumOf("sum(pg_column_size(t))", table, `t.xmin = (${newest})`);
    for (const predicate of await indexPredicates(database, table)) {
      insertedEntries += await countOf(table, `t.xmin = (${newest}) AND ${predicate}`);
    }
  }
  return { inserted, updated, insertedEntries, insertedBytes };
}

export function rowsBesideHead({ inserted, updated }: ChargeRows): number {
  return [...inserted, ...updated]
    .filter(([table]) => table !== HEAD)
    .reduce((sum, [, rows]) => sum + rows, 0);
}

/** An update that was not HOT makes an entry in every index; the statistics tell how many were. */
export async function entriesPerCharge(
  database: pg.Client,
  { insertedEntries, updated }: ChargeRows,
): Promise<number> {
  let entries = insertedEntries;
  for (const [table, rowsUpdated] of updated) {
    const { rows } = await database.query(
      `SELECT coalesce(1 - n_tup_hot_upd::float8 / nullif(n_tup_upd, 0), 0) AS cold
        FROM pg_stat_user_tables WHERE relname = $1`,
      [table],
    );
    entries += rowsUpdated * rows[0].cold * (await indexPredicates(database, table)).length;
  }
  return entries;
}

export interface Disk {
  readonly bytes: number;
  /** Sum of all sequences: each charge of the benchmark adds one transfer. */
  readonly transfers: number;
}

export async function readDisk(database: pg.Client): Promise<Disk> {
  const { rows } = await database.query(
    `SELECT (SELECT sum(pg_total_relation_size(oid))::float8 FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r') AS bytes,
      (SELECT sum(sequence)::float8 FROM customer_head) AS transfers`,
  );
  return rows[0];
}

async function tablesOfCustomers(database: pg.Client): Promise<readonly string[]> {
  const { rows } = await database.query<{ table_name: string }>(
    `SELECT table_name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'customer_id' ORDER BY 1`,
  );
  return rows.map(({ table_name }) => table_name);
}

/** For each index of a table, which rows have an entry in it. */
async function indexPredicates(database: pg.Client, table: string): Promise<readonly string[]> {
  const { rows } = await database.query<{ predicate: string }>(
    `SELECT coalesce(pg_get_expr(indpred, indrelid), 'true') AS predicate
      FROM pg_index WHERE indrelid = $1::regclass`,
    [table],
  );
  return rows.map(({ predicate }) => predicate);
}
