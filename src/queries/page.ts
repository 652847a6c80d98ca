/**
 * Owns how a page is gathered: no more rows than asked for, no more bytes than one answer may
 * have, and never much more in memory than that.
 */

/** What an answer's rows may come to, about; the first row is always in it. */
export const PAGE_BYTES_MAX = 1_048_576;

/** So many rows are read at once: a page of large rows ends before many of them are in memory. */
const SLICE_ROWS_MAX = 100;

/** What a row has on the wire beside its texts, about. */
export const ROW_BYTES = 600;

export interface PageRequest {
  readonly rowsMax: number;
  /** Empty for the first page. */
  readonly token: string;
  /** How many rows a filtered page meets at most; ROWS_MET_MAX unless given. */
  readonly rowsMetMax?: number;
}

/** Which end of a list comes first. */
export type ListOrder = "OLDEST_FIRST" | "NEWEST_FIRST";

/** A page of a list that can be had from either end. */
export interface OrderedPageRequest extends PageRequest {
  /** OLDEST_FIRST unless given. */
  readonly order?: ListOrder;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Empty after the last page. */
  readonly nextToken: string;
}

export interface GatheredPage<Row> {
  readonly rows: readonly Row[];
  /** Whether more rows follow. */
  readonly more: boolean;
}

export interface Gathering<Row> {
  readonly rowsMax: number;
  /** Reads the next rows behind `last`, or the first ones. */
  readonly read: (last: Row | undefined, limit: number) => Promise<readonly Row[]>;
  readonly bytesOf: (row: Row) => number;
  readonly sliceRowsMax?: number;
}

/** How many rows make a page, of those with so many bytes each. */
export function countFitting(bytesOfRows: readonly number[], rowsMax: number): number {
  let bytes = 0;
  for (const [index, each] of bytesOfRows.entries()) {
    bytes += each;
    if (index === rowsMax || (index > 0 && bytes > PAGE_BYTES_MAX)) return index;
  }
  return bytesOfRows.length;
}

export async function gatherPage<Row>(gathering: Gathering<Row>): Promise<GatheredPage<Row>> {
  const { rowsMax, read, bytesOf, sliceRowsMax = SLICE_ROWS_MAX } = gathering;
  const rows: Row[] = [];
  let bytes = 0;
  for (;;) {
    const limit = Math.min(rowsMax - rows.length + 1, sliceRowsMax);
    const slice = await read(rows.at(-1), limit);
    for (const row of slice) {
      bytes += bytesOf(row);
      const full = rows.length === rowsMax || (rows.length > 0 && bytes > PAGE_BYTES_MAX);
      if (full) return { rows, more: true };
      rows.push(row);
    }
    if (slice.length < limit) return { rows, more: false };
  }
}

/** How many bytes texts have on the wire. */
export function bytesOfTexts(texts: readonly (string | null)[]): number {
  return texts.reduce((sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)), 0);
}

export function bytesOfMetadata(metadata: Readonly<Record<string, string>>): number {
  return bytesOfTexts(Object.entries(metadata).flat());
}
