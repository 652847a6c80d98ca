/**
 * Owns how far one page of a filtered list looks: rows that the filter passes over cost as much as
 * those that it chooses, and a customer may have millions of them. A page that has met so many ends
 * there, and its token leads on.
 */
import type { EntityManager } from "typeorm";
import type { CustomerId } from "../ledger/ids.ts";
import { selectRows } from "./statement.ts";

/** So many rows are met in some ten milliseconds. */
export const ROWS_MET_MAX = 10_000;

const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/** Which rows of a list are read at once. */
export interface Slice {
  readonly after: string | null;
  /** The last row that the page meets; null for the last there is. */
  readonly until: string | null;
  readonly limit: number;
}

/** A list in the order of its ids, which its primary key has behind the customer. */
export interface ListedTable {
  readonly table: "credit_grant" | "charge" | "invoice";
  readonly id: string;
}

/** The id of the last row that a page meets behind another one; null when it meets all that are. */
export async function lastIdMet(
  manager: EntityManager,
  { table, id }: ListedTable,
  customerId: CustomerId,
  from: { readonly after: string | null; readonly rowsMetMax: number | undefined },
): Promise<string | null> {
  const { after, rowsMetMax = ROWS_MET_MAX } = from;
  const [last] = await selectRows<{ readonly id: string }>(
    manager,
    `SELECT l.${id} AS id FROM ${table} l WHERE l.customer_id = $1 AND l.${id} > $2::uuid
      ORDER BY l.${id} OFFSET $3 LIMIT 1`,
    [customerId, after ?? FIRST_ID, rowsMetMax - 1],
  );
  return last?.id ?? null;
}
