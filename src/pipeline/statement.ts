/**
 * Owns how set-based statements are written: columns as data, one array parameter per column, and
 * customers named by `customer_id = ANY($1)`, so that a statement reaches one lane's customers only
 * and the door to a distributed engine stays open.
 */
import type { CustomerId } from "../ledger/ids.ts";

/** A named prepared statement. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** One column of a set-based write: how its values travel and what they become. */
export interface Column<Row> {
  readonly name: string;
  /** The type of the array's elements. */
  readonly type: string;
  /** The type of the column, where it differs from the elements'. */
  readonly cast?: string;
  readonly value: (row: Row) => unknown;
}

/** A row together with the customer to whom it belongs. */
export interface Owned<Row> {
  readonly customerId: CustomerId;
  readonly row: Row;
}

export interface TableWrite<Row> {
  readonly statement: Statement;
  readonly values: (rows: readonly Owned<Row>[]) => unknown[];
}

/**
 * The heads of the customers that a statement names, as `k`. They are materialized, so that joining
 * them with the named rows is a hash of what the batch names at any batch size: on tables without
 * statistics the planner otherwise compares every named row with every head (14 ms against 2 ms for
 * 256 rows).
 */
export const NAMED_HEADS = `WITH k AS MATERIALIZED (
    SELECT h.tenant_id, h.customer_id, h.ctid FROM customer_head h
    WHERE h.customer_id = ANY($1::uuid[])
  )`;

const element = <Row>({ name, cast }: Column<Row>) =>
  cast === undefined ? `n.${name}` : `n.${name}::${cast}`;

function unnest<Row>(columns: readonly Column<Row>[]): string {
  const arrays = columns.map(({ type }, index) => `$${index + 3}::${type}[]`);
  const names = columns.map(({ name }) => name);
  return `unnest($2::uuid[], ${arrays.join(", ")}) AS n(customer_id, ${names.join(", ")})`;
}

function values<Row>(columns: readonly Column<Row>[]) {
  return (rows: readonly Owned<Row>[]): unknown[] => {
    const customers = rows.map(({ customerId }) => customerId);
    const distinct = [...new Set(customers)];
    const arrays = columns.map(({ value }) => rows.map(({ row }) => value(row)));
    return [distinct, customers, ...arrays];
  };
}

/** Inserts rows; with `conflict`, rows whose key exists are changed instead. */
export function insertInto<Row>(
  table: string,
  columns: readonly Column<Row>[],
  conflict = "",
): TableWrite<Row> {
  const names = columns.map(({ name }) => name).join(", ");
  const text = `${NAMED_HEADS}
    INSERT INTO ${table} (tenant_id, customer_id, ${names})
    SELECT k.tenant_id, k.customer_id, ${columns.map(element).join(", ")}
    FROM ${unnest(columns)}
    JOIN k ON k.customer_id = n.customer_id ${conflict}`;
  return { statement: { name: `insert_${table}`, text }, values: values(columns) };
}

/** Updates the heads themselves. */
export function updateHeads<Row>(columns: readonly Column<Row>[]): TableWrite<Row> {
  const text = `${NAMED_HEADS}
    UPDATE customer_head t SET ${assignments(columns)}
    FROM ${unnest(columns)}
    JOIN k ON k.customer_id = n.customer_id
    WHERE t.ctid = k.ctid`;
  return { statement: { name: "update_customer_head", text }, values: values(columns) };
}

/** Updates rows found by their key within the customer; null: the customer has one row. */
export function updateOf<Row>(
  table: string,
  key: Column<Row> | null,
  columns: readonly Column<Row>[],
): TableWrite<Row> {
  const all = key === null ? columns : [key, ...columns];
  const text = `${NAMED_HEADS}
    UPDATE ${table} t SET ${assignments(columns)}
    FROM ${located(table, key, all)}
    WHERE t.ctid = f.ctid`;
  return { statement: { name: `update_${table}`, text }, values: values(all) };
}

/** Deletes rows found by their key within the customer. */
export function deleteFrom<Row>(table: string, key: Column<Row>): TableWrite<Row> {
  const text = `${NAMED_HEADS}
    DELETE FROM ${table} t
    USING ${located(table, key, [key])}
    WHERE t.ctid = f.ctid`;
  return { statement: { name: `delete_${table}`, text }, values: values([key]) };
}

const assignments = <Row>(columns: readonly Column<Row>[]) =>
  columns.map((column) => `${column.name} = ${element(column)}`).join(", ");

/**
 * Where the rows stand, each found by its whole key. Without the fence (OFFSET 0) the planner reads
 * all rows of the customers and joins afterwards while its statistics say that the table is small.
 * The row is then changed at its place (ctid), which cannot change in between, because its customer
 * is locked.
 */
function located<Row>(
  table: string,
  key: Column<Row> | null,
  columns: readonly Column<Row>[],
): string {
  const match = key === null ? "" : `AND o.${key.name} = n.${key.name}`;
  return `${unnest(columns)}
    JOIN k ON k.customer_id = n.customer_id
    CROSS JOIN LATERAL (
      SELECT o.ctid FROM ${table} o WHERE o.customer_id = k.customer_id ${match} OFFSET 0
    ) f`;
}
