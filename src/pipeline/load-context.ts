/**
 * Owns what loading works on: who asks for what, where it comes from, and the books in which what
 * was found is kept.
 */
import type { Book } from "../book/book.ts";
import type { Need } from "../book/need.ts";
import { arrayOf } from "../database/array-parameter.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import type { CurrencyCache } from "./currency-cache.ts";
import type { Places } from "./places.ts";
import type { Session } from "./session.ts";

/** Where needs are loaded from. */
export interface LoadSource {
  readonly session: Session;
  readonly tenantId: TenantId;
  readonly currencies: CurrencyCache;
}

/** Where what was loaded is kept. */
export interface LoadContext extends LoadSource {
  readonly books: ReadonlyMap<CustomerId, Book>;
  readonly places: Places;
}

/** What each customer's book needs. */
export type Needs = ReadonlyMap<CustomerId, readonly Need[]>;

/**
 * Keeps what was loaded in the books, which may be opened after it was asked for. What belongs to
 * a customer whose book was not opened, because another process holds it, is dropped.
 */
export type Keep = (context: LoadContext) => void;

export type NeedOf<Kind extends Need["kind"]> = Extract<Need, { kind: Kind }>;

/** One need and the customer whose book has it. */
export interface Asked<Kind extends Need["kind"]> {
  readonly customerId: CustomerId;
  readonly need: NeedOf<Kind>;
}

export type Loader<Kind extends Need["kind"]> = (
  source: LoadSource,
  asked: readonly Asked<Kind>[],
) => Promise<Keep>;

/** Whose books ask, need by need. */
export function customersOf(asked: readonly { readonly customerId: CustomerId }[]): Buffer {
  return arrayOf(
    "uuid",
    asked.map(({ customerId }) => customerId),
  );
}

/** Each row with the book of its customer. */
export function* withBooks<Row extends { readonly customer_id: CustomerId }>(
  { books }: LoadContext,
  rows: readonly Row[],
): Iterable<readonly [Book, Row]> {
  for (const row of rows) {
    const book = books.get(row.customer_id);
    if (book !== undefined) yield [book, row];
  }
}

/** Each need with the book that has it. */
export function* needsWithBooks<Kind extends Need["kind"]>(
  { books }: LoadContext,
  asked: readonly Asked<Kind>[],
): Iterable<readonly [Book, NeedOf<Kind>]> {
  for (const { customerId, need } of asked) {
    const book = books.get(customerId);
    if (book !== undefined) yield [book, need];
  }
}
