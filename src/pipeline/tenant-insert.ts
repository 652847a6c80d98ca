/** Owns how rows of a tenant are inserted: columns as data, one array parameter per column. */
import type { TenantId } from "../ledger/ids.ts";
import { type Column, cellsOf, type Statement } from "./statement.ts";

export interface TenantInsert<Row> {
  readonly statement: Statement;
  readonly values: (tenantId: TenantId, rows: readonly Row[]) => unknown[];
}

/** Inserts rows of the tenant, if there is such a one: the statement names it by its row. */
export function insertForTenant<Row>(
  table: string,
  columns: readonly Column<Row>[],
): TenantInsert<Row> {
  const names = columns.map(({ name }) => name).join(", ");
  const arrays = columns.map(({ type }, index) => `$${index + 2}::${type}[]`);
  const elements = columns.map(({ name, cast }) => `n.${name}${cast ? `::${cast}` : ""}`);
  const text = `INSERT INTO ${table} (tenant_id, ${names})
    SELECT t.tenant_id, ${elements.join(", ")}
    FROM unnest(${arrays.join(", ")}) AS n(${names})
    JOIN tenant t ON t.tenant_id = $1::uuid`;
  return {
    statement: { name: `insert_${table}`, text },
    values: (tenantId, rows) => [tenantId, ...columns.map((column) => cellsOf(column, rows))],
  };
}
