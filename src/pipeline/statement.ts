/**
 * Owns how set-based statements are written: columns as data, and one array parameter per column,
 * the customers first.
 */
import { arrayOf, type ElementOf, type ElementType } from "../database/array-parameter.ts";
import { TENANT_OF_TRANSACTION } from "../database/connection.ts";
import { assert } from "../errors.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { Places } from "./places.ts";

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

/** Rows and, side by side with them, the customers to whom they belong. */
export interface OwnedRows<Row> {
  readonly customers: readonly CustomerId[];
  readonly rows: readonly Row[];
}

/** How rows of one table are stored. */
export interface TableWrite<Row> {
  /** Short, because the names of several stand in the name of one statement. */
  readonly name: string;
  /** Whether its rows are there already: then each is named by its place too. */
  readonly placed: boolean;
  /** Its part of a statement; its arrays are the parameters from this one on. */
  readonly part: (first: number) => string;
  readonly columns: readonly Column<Row>[];
}

/** Rows of one table, ready to be sent. */
export interface RowsToStore {
  readonly write: Pick<TableWrite<never>, "name" | "part">;
  readonly count: number;
  /** The rows' customers, their places if they have any, and then one array for each column. */
  readonly arrays: readonly Buffer[];
}

export function rowsToStore<Row extends object>(
  write: TableWrite<Row>,
  { customers, rows }: OwnedRows<Row>,
  places: Places,
): RowsToStore {
  const arrays = [arrayOf("uuid", customers)];
  if (write.placed) {
    arrays.push(
      arrayOf(
        "tid",
        rows.map((row) => places.of(row)),
      ),
    );
  }
  for (const column of write.columns) arrays.push(cellsOf(column, rows));
  return { write, count: rows.length, arrays };
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
  let first = 1;
  const parts: string[] = [];
  const counts: string[] = [];
  for (const [index, { write, arrays }] of together.entries()) {
    parts.push(`w${index} AS (${write.part(first)} RETURNING 1)`);
    counts.push(`(SELECT count(*) FROM w${index})`);
    first += arrays.length;
  }
  const text = `WITH ${parts.join(", ")}
    SELECT ARRAY[${counts.join(", ")}]::integer[] AS counts`;
  const statement = { name, text };
  stores.set(name, statement);
  return statement;
}

/** The parameters of that statement. */
export function storeValues(together: readonly RowsToStore[]): Buffer[] {
  return together.flatMap(({ arrays }) => arrays);
}

const element = <Row>({ name, cast }: Column<Row>) =>
  cast === undefined ? `n.${name}` : `n.${name}::${cast}`;

/** A column of the rows that a statement names. */
export type Named = Pick<Column<never>, "name" | "type">;

const CUSTOMER: Named = { name: "customer_id", type: "uuid" };
const PLACE: Named = { name: "place", type: "tid" };

/**
 * The rows that a statement names, as `n`: `customer_id` and so many more columns, each an array,
 * from this parameter on. Every statement about several customers takes them from here. An engine
 * that distributes customers needs another source of the same columns: a subselect that joins the
 * arrays with the heads and says `customer_id = ANY($first)`, by which it finds the shard. On one
 * PostgreSQL that would find each head three times more in a charge, besides the lock.
 */
export function namedRows(columns: readonly Named[], first: number): string {
  const all = [CUSTOMER, ...columns];
  const arrays = all.map(({ type }, index) => `$${first + index}::${type}[]`);
  return `unnest(${arrays.join(", ")}) AS n(${all.map(({ name }) => name).join(", ")})`;
}

/** Inserts rows: they belong to the tenant to whom the transaction is bound. */
export function insertInto<Row>(
  name: string,
  table: string,
  columns: readonly Column<Row>[],
): TableWrite<Row> {
  const names = columns.map((column) => column.name).join(", ");
  const part = (first: number) => `
    INSERT INTO ${table} (tenant_id, customer_id, ${names})
    SELECT ${TENANT_OF_TRANSACTION}, n.customer_id, ${columns.map(element).join(", ")}
    FROM ${namedRows(columns, first)}`;
  return { name, placed: false, part, columns };
}

/** Updates rows where they stand. The key within the customer, if there is one, must agree. */
export function updateOf<Row>(
  name: string,
  table: string,
  key: Column<Row> | null,
  columns: readonly Column<Row>[],
): TableWrite<Row> {
  const all = key === null ? columns : [key, ...columns];
  const part = (first: number) => `
    UPDATE ${table} t SET ${assignments(columns)}
    FROM ${namedRows([PLACE, ...all], first)}
    WHERE ${isAtPlace(key)}`;
  return { name, placed: true, part, columns: all };
}

/** Deletes rows where they stand. */
export function deleteFrom<Row>(name: string, table: string, key: Column<Row>): TableWrite<Row> {
  const part = (first: number) => `
    DELETE FROM ${table} t
    USING ${namedRows([PLACE, key], first)}
    WHERE ${isAtPlace(key)}`;
  return { name, placed: true, part, columns: [key] };
}

const assignments = <Row>(columns: readonly Column<Row>[]) =>
  columns.map((column) => `${column.name} = ${element(column)}`).join(", ");

/**
 * The owner and the key are compared in a way that no index serves, and a place is said to lie
 * between the first and the last there can be, which the planner takes for rare: so a row is
 * fetched from its place with statistics of any age, and never by reading the table.
 */
function isAtPlace(key: Named | null): string {
  const same = [CUSTOMER, ...(key === null ? [] : [key])].map(
    ({ name }) => `AND t.${name} IS NOT DISTINCT FROM n.${name}`,
  );
  return `t.ctid = n.place AND n.place BETWEEN '(0,1)' AND '(4294967295,65535)'
      ${same.join(" ")}`;
}
