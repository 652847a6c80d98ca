/**
 * Owns a page of a list of one customer that a filter chooses from, and how far it looks: rows that
 * the filter passes over cost as much as those that it chooses, and a customer may have millions of
 * them. A page that has met so many ends there, and its token leads on.
 */
import type { EntityManager } from "typeorm";
import type { CustomerId } from "../ledger/ids.ts";
import {
  type Gathering,
  gatherPage,
  type ListOrder,
  type OrderedPageRequest,
  type Page,
} from "./page.ts";
import {
  type Binding,
  isIdPosition,
  makeToken,
  orderedBinding,
  readPageToken,
} from "./page-token.ts";
import { type Slice, WAYS } from "./slice.ts";
import { selectRows } from "./statement.ts";

/** So many rows are met in some ten milliseconds. */
export const ROWS_MET_MAX = 10_000;

/** A list in the order of its ids, which its primary key has behind the customer. */
export interface FilteredList<Row> extends Pick<Gathering<Row>, "bytesOf" | "sliceRowsMax"> {
  readonly table: "credit_grant" | "charge" | "invoice";
  readonly id: string;
  readonly customerId: CustomerId;
  readonly binding: Binding;
  /** Whether the filter passes over rows that stand in its way. */
  readonly isSearched: boolean;
  readonly read: (slice: Slice) => Promise<readonly Row[]>;
  readonly idOf: (row: Row) => string;
}

/** Whether a filter chooses rows of this one status. */
export function isOnly<Status extends string>(
  statuses: readonly Status[],
  status: Status,
): boolean {
  return statuses.length > 0 && statuses.every((each) => each === status);
}

export async function readFilteredPage<Row>(
  manager: EntityManager,
  list: FilteredList<Row>,
  { rowsMax, token, order = "OLDEST_FIRST", rowsMetMax = ROWS_MET_MAX }: OrderedPageRequest,
): Promise<Page<Row>> {
  const { isSearched, read, idOf } = list;
  const binding = orderedBinding(list.binding, order);
  const start = readPageToken(binding, token, isIdPosition);
  const until = isSearched
    ? await lastIdMet(manager, list, { after: start, order, rowsMetMax })
    : null;
  const { rows, more } = await gatherPage<Row>({
    ...list,
    rowsMax,
    read: (last, limit) =>
      read({ after: last === undefined ? start : idOf(last), until, limit, order }),
  });
  const lastRow = more ? rows.at(-1) : undefined;
  const last = lastRow === undefined ? until : idOf(lastRow);
  return { items: rows, nextToken: last === null ? "" : makeToken(binding, last) };
}

/** The id of the last row that a page meets behind another one; null when it meets all that are. */
async function lastIdMet(
  manager: EntityManager,
  { table, id, customerId }: Pick<FilteredList<unknown>, "table" | "id" | "customerId">,
  page: { readonly after: string | null; readonly order: ListOrder; readonly rowsMetMax: number },
): Promise<string | null> {
  const { after, order, rowsMetMax } = page;
  const { beyond, sorted } = WAYS[order];
  const [last] = await selectRows<{ readonly id: string }>(
    manager,
    `SELECT l.${id} AS id FROM ${table} l
      WHERE l.customer_id = $1 ${after === null ? "" : `AND l.${id} ${beyond} $3::uuid`}
      ORDER BY l.${id} ${sorted} OFFSET $2 LIMIT 1`,
    [customerId, rowsMetMax - 1, ...(after === null ? [] : [after])],
  );
  return last?.id ?? null;
}
