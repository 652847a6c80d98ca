/** Owns how the rows of a list that are read at once are chosen and ordered, from either end. */
import type { ObjectLiteral, SelectQueryBuilder } from "typeorm";
import type { ListOrder } from "./page.ts";

/** Which rows of a list are read at once. */
export interface Slice {
  /** The position behind which they stand; null at the list's beginning. */
  readonly after: string | null;
  /** The last position that may be read; null for the last there is. */
  readonly until: string | null;
  readonly limit: number;
  readonly order: ListOrder;
}

/** How positions are compared and sorted, going from one end of a list to the other. */
export const WAYS = {
  OLDEST_FIRST: { beyond: ">", upTo: "<=", sorted: "ASC" },
  NEWEST_FIRST: { beyond: "<", upTo: ">=", sorted: "DESC" },
} as const satisfies Record<ListOrder, object>;

/** Has a query read the slice. `position` is the column by which the list is ordered. */
export function readSlice<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  position: string,
  { after, until, limit, order }: Slice,
): void {
  const { beyond, upTo, sorted } = WAYS[order];
  query.orderBy(position, sorted).limit(limit);
  if (after !== null) query.andWhere(`${position} ${beyond} :after`, { after });
  if (until !== null) query.andWhere(`${position} ${upTo} :until`, { until });
}
