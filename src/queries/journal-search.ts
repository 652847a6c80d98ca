/**
 * Owns finding places in a customer's journal. The sequence has no gaps and `booked_at` never
 * decreases along it (L3), so a search by halves finds any moment in some twenty probes of the
 * primary key, however long the history is.
 */
import type { EntityManager } from "typeorm";
import type { CustomerId } from "../ledger/ids.ts";
import { formatInstant, type Instant } from "../money/time.ts";
import { selectRows } from "./statement.ts";

/** Everything up to `low` is booked at or before the moment, everything above `high` after it. */
const SEARCH = `WITH RECURSIVE halves AS (
    SELECT 0::bigint AS low, $2::bigint AS high
    UNION ALL
    SELECT CASE WHEN h.before THEN h.middle ELSE h.low END,
      CASE WHEN h.before THEN h.high ELSE h.middle - 1 END
    FROM (
      SELECT n.low, n.high, n.middle, (
        SELECT t.booked_at <= $3 FROM transfer t
        WHERE t.customer_id = $1 AND t.sequence = n.middle
      ) AS before
      FROM (SELECT low, high, (low + high + 1) / 2 AS middle FROM halves WHERE low < high) n
      OFFSET 0
    ) h
  )
  SELECT low AS sequence FROM halves WHERE low = high`;

/** The last sequence booked at or before a moment; 0 when there is none. */
export async function lastSequenceAt(
  manager: EntityManager,
  customerId: CustomerId,
  { moment, newest }: { readonly moment: Instant; readonly newest: bigint },
): Promise<bigint> {
  const values = [customerId, newest, formatInstant(moment)];
  const [found] = await selectRows<{ readonly sequence: bigint }>(manager, SEARCH, values);
  return found?.sequence ?? 0n;
}

export type Direction = "older" | "newer";

/**
 * Conditions and order that walk one value of a column along the sequence. They are written as
 * comparisons of pairs, because for a plain equality the planner believes its statistics: where one
 * value dominates the table it would walk the whole journal for the few rows of another.
 */
export function walkOf(
  column: "currency" | "credit_grant_id",
  walk: {
    readonly value: string;
    readonly from: string;
    readonly to: string;
    readonly direction: Direction;
  },
): { readonly where: string; readonly orderBy: string } {
  const { value, from, to, direction } = walk;
  const pair = `(t.${column}, t.sequence)`;
  const order = direction === "older" ? "DESC" : "ASC";
  return {
    where: `${pair} >= (${value}, ${from}) AND ${pair} <= (${value}, ${to})`,
    orderBy: `t.${column} ${order}, t.sequence ${order}`,
  };
}
