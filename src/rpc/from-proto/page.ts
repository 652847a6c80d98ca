/** Owns how the paging fields of list requests become a page to read. */
import { ListOrder } from "../../../gen/drawdown/v1/list_order_pb.ts";
import type { OrderedPageRequest, PageRequest } from "../../queries/page.ts";
import { fromProtoEnum } from "./enum.ts";

/** Rows of a page for which no size was asked. */
const PAGE_ROWS_DEFAULT = 50;

/** Validation has seen to the largest size. */
export function fromProtoPageSize(pageSize: number): number {
  return pageSize === 0 ? PAGE_ROWS_DEFAULT : pageSize;
}

interface PageFields {
  readonly pageSize: number;
  readonly pageToken: string;
}

export function fromProtoPage(request: PageFields): PageRequest {
  return { rowsMax: fromProtoPageSize(request.pageSize), token: request.pageToken };
}

export function fromProtoOrderedPage(
  request: PageFields & { readonly order: ListOrder },
): OrderedPageRequest {
  const order = fromProtoEnum(ListOrder, request.order, "OLDEST_FIRST");
  return { ...fromProtoPage(request), order };
}
