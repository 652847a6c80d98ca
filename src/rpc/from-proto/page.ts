/** Owns how the paging fields of list requests become a page to read. */
import type { PageRequest } from "../../queries/page.ts";

/** Rows of a page for which no size was asked. */
const PAGE_ROWS_DEFAULT = 50;

/** Validation has seen to the largest size. */
export function fromProtoPageSize(pageSize: number): number {
  return pageSize === 0 ? PAGE_ROWS_DEFAULT : pageSize;
}

export function fromProtoPage(request: {
  readonly pageSize: number;
  readonly pageToken: string;
}): PageRequest {
  return { rowsMax: fromProtoPageSize(request.pageSize), token: request.pageToken };
}
