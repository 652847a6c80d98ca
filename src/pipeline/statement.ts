/**
 * Owns how set-based statements are written: columns as data, one array parameter per column, and
 * customers named by `customer_id = ANY($1)`, so that a statement reaches one lane's customers only
 * and the door to a distributed engine stays open.
 */
import { arrayOf, type ElementOf, type ElementType } from "../database/array-parameter.ts";
import { assert } from "../errors.ts";
import type { CustomerId } from "../ledger/ids.ts";

/** A named prepared statement. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** One column of a set-based write: how its values travel and what they become. */
export type Column<Row> = { readonly [Type in ElementType]: ColumnOf<Row, Type> }[ElementType];

interface ColumnOf<Row, Type extends ElementType> {
  readonly name: string;
  /** The type of the array's elements. */
  readonly type: Type;
  /** The type of the column, where it differs from the elements'. */
  readonly cast?: string;
  readonly value: (row: Row) => ElementOf[Type] | null;
}

/** The columns of a part, as columns of what it is part of. */
export function columnsOf<Whole, Part>(
  columns: readonly Column<Part>[],
  part: (whole: Whole) => Part,
): readonly Column<Whole>[] {
  // Each keeps its type: only what the value is read from changes.
  return columns.map(
    (column) => ({ ...column, value: (row: Whole) => column.value(part(row)) }) as Column<Whole>,
  );
}

/** The values of a column, as they travel. */
export function cellsOf<Row>(column: Column<Row>, rows: readonly Row[]): Buffer {
  const { type, value } = column as ColumnOf<Row, ElementType>;
  return arrayOf(
    type,
    rows.map((row) => value(row)),
  );
}

/** A row together with the customer to whom it belongs. */
export interface Owned<Row> {
  readonly customerId: CustomerId;
  readonly row: Row;
}

/** How rows of one table are stored. */
export interface TableWrite<Row> {
  /** Short, because the names of several stand in the name of one statement. */
  readonly name: string;
  /** Its part of a statement; its arrays are the parameters from this one on. */
  readonly part: (first: number) => string;
  readonly columns: readonly Column<Row>[];
}

/** Rows of one table, ready to be sent. */
export interface RowsToStore {
  readonly write: Pick<TableWrite<never>, "name" | "part">;
  readonly count: number;
  readonly customers: readonly CustomerId[];
  /** The rows' customers, and then one array for each column. */
  readonly arrays: readonly Buffer[];
}

export function rowsToStore<Row>(
  write: TableWrite<Row>,
  owned: readonly Owned<Row>[],
): RowsToStore {
  const customers = owned.map(({ customerId }) => customerId);
  const rows = owned.map(({ row }) => row);
  const arrays = write.columns.map((column) => cellsOf(column, rows));
  return { write, count: rows.length, customers, arrays: [arrayOf("uuid", customers), ...arrays] };
}

/** Prepared names that are longer are cut off by the server, and then no longer differ. */
const STATEMENT_NAME_MAX = 63;
const stores = new Map<string, Statement>();

/**
 * One statement that stores rows of several tables and returns how many it stored of each. No part
 * sees what another one does.
 */
export function storeStatement(together: readonly RowsToStore[]): Statement {
  const name = `store ${together.map(({ write }) => write.name).join(" ")}`;
  const known = stores.get(name);
  if (known !== undefined) return known;
  assert(name.length <= STATEMENT_NAME_MAX, `${name} is short enough for a prepared statement`);
  let first = 2;
  const parts: string[] = [];
  const counts: string[] = [];
  for (const [index, { write, arrays }] of together.entries()) {
    parts.push(`w${index} AS (${write.part(first)} RETURNING 1)`);
    counts.push(`(SELECT count(*) FROM w${index})`);
    first += arrays.length;
  }
  const text = `${[NAMED_HEADS, ...parts].join(", ")}
    SELECT ARRAY[${counts.join(", ")}]::integer[] AS counts`;
  const statement = { name, text };
  stores.set(name, statement);
  return statement;
}

/** The parameters of that statement. */
export function storeValues(together: readonly RowsToStore[]): readonly Buffer[] {
  const customers = new Set(together.flatMap((rows) => rows.customers));
  return [arrayOf("uuid", [...customers]), ...together.flatMap(({ arrays }) => arrays)];
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

function unnest<Row>(columns: readonly Column<Row>[], first: number): string {
  const arrays = columns.map(({ type }, index) => `$${first + 1 + index}::${type}[]`);
  const names = columns.map(({ name }) => name);
  return `unnest($${first}::uuid[], ${arrays.join(", ")}) AS n(customer_id, ${names.join(", ")})`;
}

/** Inserts rows. */
export function insertInto<Row>(
  name: string,
  table: string,
  columns: readonly Column<Row>[],
): TableWrite<Row> {
  const names = columns.map((column) => column.name).join(", ");
  const part = (first: number) => `
    INSERT INTO ${table} (tenant_id, customer_id, ${names})
    SELECT k.tenant_id, k.customer_id, ${columns.map(element).join(", ")}
    FROM ${unnest(columns, first)}
    JOIN k ON k.customer_id = n.customer_id`;
  return { name, part, columns };
}

/** Updates the heads themselves. */
export function updateHeads<Row>(name: string, columns: readonly Column<Row>[]): TableWrite<Row> {
  const part = (first: number) => `
    UPDATE customer_head t SET ${assignments(columns)}
    FROM ${unnest(columns, first)}
    JOIN k ON k.customer_id = n.customer_id
    WHERE t.ctid = k.ctid`;
  return { name, part, columns };
}

/** Updates rows found by their key within the customer; null: the customer has one row. */
export function updateOf<Row>(
  name: string,
  table: string,
  key: Column<Row> | null,
  columns: readonly Column<Row>[],
): TableWrite<Row> {
  const all = key === null ? columns : [key, ...columns];
  const part = (first: number) => `
    UPDATE ${table} t SET ${assignments(columns)}
    FROM ${located(table, key, all, first)}
    WHERE t.ctid = f.ctid`;
  return { name, part, columns: all };
}

/** Deletes rows found by their key within the customer. */
export function deleteFrom<Row>(name: string, table: string, key: Column<Row>): TableWrite<Row> {
  const part = (first: number) => `
    DELETE FROM ${table} t
    USING ${located(table, key, [key], first)}
    WHERE t.ctid = f.ctid`;
  return { name, part, columns: [key] };
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
  first: number,
): string {
  const match = key === null ? "" : `AND o.${key.name} = n.${key.name}`;
  return `${unnest(columns, first)}
    JOIN k ON k.customer_id = n.customer_id
    CROSS JOIN LATERAL (
      SELECT o.ctid FROM ${table} o WHERE o.customer_id = k.customer_id ${match} OFFSET 0
    ) f`;
}
