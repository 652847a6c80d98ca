/**
 * Owns loading: what the verbs of a batch need of their books, one statement for each kind of
 * thing however many customers ask. Nothing that a book already holds is replaced, because a verb
 * of the same batch may have changed it.
 */
import { type Book, shelfKey } from "../book/book.ts";
import type { Need } from "../book/need.ts";
import type { Charge } from "../book/nouns.ts";
import { arrayOf } from "../database/array-parameter.ts";
import { assert } from "../errors.ts";
import { compareDrawOrder, type DrawKey } from "../ledger/draw-order.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { Lot } from "../ledger/lot.ts";
import { loadCurrencies, loadRateCards } from "./load-catalog.ts";
import {
  type Asked,
  customersOf,
  type Keep,
  type LoadContext,
  type Loader,
  type LoadSource,
  type NeedOf,
  type Needs,
  needsWithBooks,
  withBooks,
} from "./load-context.ts";
import * as statements from "./load-statements.ts";
import type { Placed, Places } from "./places.ts";
import {
  type ChargeRow,
  chargeOf,
  type InvoiceRow,
  invoiceOf,
  type LineRow,
  type LotRow,
  lineOf,
  lotOf,
  type ProfileRow,
  profileOf,
  type TermsRow,
  termsOf,
} from "./rows.ts";
import { cellsOf, type Statement } from "./statement.ts";

/** The first page of open grants is what nearly every charge draws from; then larger ones. */
const SHELF_FIRST_PAGE_ROWS = 8;
const SHELF_NEXT_PAGE_ROWS = 128;

/** Keeps a loaded lot unless the book has it already, and returns the one that it has. */
export function keepLot(book: Book, row: Placed<LotRow>, places: Places): Lot {
  const known = book.lots.get(row.credit_grant_id);
  if (known !== undefined && known !== null) return known;
  const lot = lotOf(row);
  book.lots.set(lot.id, lot);
  places.keep(lot, row);
  return lot;
}

/** Keeps a loaded charge unless the book has it already, and returns the one that it has. */
export function keepCharge(book: Book, row: Placed<ChargeRow>, places: Places): Charge {
  const known = book.charges.get(row.charge_id);
  if (known !== undefined && known !== null) return known;
  const charge = chargeOf(row);
  book.charges.set(charge.id, charge);
  places.keep(charge, row);
  return charge;
}

function keepTerms({ terms }: Book, row: TermsRow): void {
  if (!terms.has(row.credit_grant_id)) terms.set(row.credit_grant_id, termsOf(row));
}

function keepInvoice({ invoices, drafts }: Book, row: Placed<InvoiceRow>, places: Places): void {
  let invoice = invoices.get(row.invoice_id);
  if (invoice === undefined || invoice === null) {
    invoice = invoiceOf(row);
    invoices.set(invoice.id, invoice);
    places.keep(invoice, row);
  }
  if (invoice.status === "DRAFT") drafts.set(invoice.currency, invoice);
}

function keepLine({ lines }: Book, row: Placed<LineRow>, places: Places): void {
  if (lines.has(row.invoice_line_id)) return;
  const line = lineOf(row);
  lines.set(line.id, line);
  places.keep(line, row);
}

function keepProfile(book: Book, row: Placed<ProfileRow>, places: Places): void {
  if (book.profile !== null) return;
  book.profile = profileOf(row);
  places.keep(book.profile, row);
}

/** Marks as absent what was asked for and not found. */
function expectNothing<Key, Value>(map: Map<Key, Value | null>, key: Key): void {
  if (!map.has(key)) map.set(key, null);
}

/** Loads rows that are named by an id within the customer. */
function byId<Kind extends Need["kind"], Row extends { readonly customer_id: CustomerId }>(
  statement: Statement,
  id: (need: NeedOf<Kind>) => string,
  keepRow: (book: Book, row: Row, places: Places) => void,
  keepNeed: (book: Book, need: NeedOf<Kind>, rows: readonly Row[]) => void,
): Loader<Kind> {
  return async ({ session }, asked) => {
    const ids = arrayOf(
      "uuid",
      asked.map(({ need }) => id(need)),
    );
    const rows = await session.rows<Row>(statement, [customersOf(asked), ids]);
    return (context) => {
      for (const [book, row] of withBooks(context, rows)) keepRow(book, row, context.places);
      for (const [book, need] of needsWithBooks(context, asked)) keepNeed(book, need, rows);
    };
  };
}

const LOADERS: { readonly [Kind in Need["kind"]]: Loader<Kind> } = {
  grant: byId(
    statements.LOAD_LOTS,
    ({ id }) => id,
    keepLot,
    ({ lots }, { id }) => expectNothing(lots, id),
  ),
  terms: byId(
    statements.LOAD_TERMS,
    ({ id }) => id,
    keepTerms,
    () => undefined,
  ),
  charge: byId(
    statements.LOAD_CHARGES,
    ({ id }) => id,
    keepCharge,
    ({ charges }, { id }) => expectNothing(charges, id),
  ),
  invoice: byId(
    statements.LOAD_INVOICES,
    ({ id }) => id,
    keepInvoice,
    ({ invoices }, { id }) => expectNothing(invoices, id),
  ),
  line: byId(
    statements.LOAD_LINES,
    ({ id }) => id,
    keepLine,
    ({ lines }, { id }) => expectNothing(lines, id),
  ),
  credit_lines: byId(
    statements.LOAD_CREDIT_LINES,
    ({ invoiceId }) => invoiceId,
    keepLine,
    ({ customerId, creditLines }, { invoiceId }, rows) => {
      const own = rows.filter(
        (row) => row.customer_id === customerId && row.credited_invoice_id === invoiceId,
      );
      creditLines.set(
        invoiceId,
        own.map((row) => row.invoice_line_id),
      );
    },
  ),
  async draft({ session }, asked) {
    const currencies = arrayOf(
      "text",
      asked.map(({ need }) => need.currency),
    );
    const values = [customersOf(asked), currencies];
    const rows = await session.rows<Placed<InvoiceRow>>(statements.LOAD_DRAFTS, values);
    return (context) => {
      for (const [book, row] of withBooks(context, rows)) keepInvoice(book, row, context.places);
      for (const [{ drafts }, { currency }] of needsWithBooks(context, asked)) {
        expectNothing(drafts, currency);
      }
    };
  },
  async profile({ session }, asked) {
    const values = [customersOf(asked)];
    const rows = await session.rows<Placed<ProfileRow>>(statements.LOAD_PROFILES, values);
    return (context) => {
      for (const [book, row] of withBooks(context, rows)) keepProfile(book, row, context.places);
    };
  },
  shelf: loadShelves,
  currency: loadCurrencies,
  rate_card: loadRateCards,
};

async function loadShelves(
  { session }: LoadSource,
  asked: readonly Asked<"shelf">[],
): Promise<Keep> {
  const pages = asked.map((each, index): statements.ShelfPage => {
    const limit = each.need.after === undefined ? SHELF_FIRST_PAGE_ROWS : SHELF_NEXT_PAGE_ROWS;
    return { ...each, index, limit };
  });
  const rows = await session.rows<Placed<LotRow> & { readonly asked: number }>(
    statements.LOAD_SHELVES,
    [customersOf(asked), ...statements.SHELF_COLUMNS.map((column) => cellsOf(column, pages))],
  );
  return (context) => {
    const loaded = pages.map((page) => ({ ...page, rows: 0, last: null as DrawKey | null }));
    for (const [book, row] of withBooks(context, rows)) {
      keepLot(book, row, context.places);
      const page = loaded[row.asked];
      assert(page !== undefined, "each row belongs to a page that was asked for");
      page.rows += 1;
      const key = keyOf(row);
      if (page.last === null || compareDrawOrder(page.last, key) < 0) page.last = key;
    }
    for (const { customerId, need, limit, rows: count, last } of loaded) {
      const { currency, featureKey } = need;
      const shelf = { currency, featureKey, loadedTo: count < limit ? null : last };
      context.books.get(customerId)?.shelves.set(shelfKey(currency, featureKey), shelf);
    }
  };
}

function keyOf(row: LotRow): DrawKey {
  return {
    priority: row.priority,
    expiresAt: row.expires_at,
    firstSequence: row.first_sequence,
  };
}

/**
 * Asks for all needs of a round: the statements are sent at once and together, none waits for
 * another.
 */
export async function fetchNeeds(source: LoadSource, needs: Needs): Promise<Keep> {
  const asked = new Map<Need["kind"], Asked<Need["kind"]>[]>();
  for (const [customerId, list] of needs) {
    for (const need of distinct(list)) {
      const same = asked.get(need.kind);
      if (same === undefined) asked.set(need.kind, [{ customerId, need }]);
      else same.push({ customerId, need });
    }
  }
  const keeps = await Promise.all(
    [...asked].map(([kind, list]) => (LOADERS[kind] as Loader<typeof kind>)(source, list)),
  );
  return (context) => {
    for (const keep of keeps) keep(context);
  };
}

export async function loadNeeds(context: LoadContext, needs: Needs): Promise<void> {
  const keep = await fetchNeeds(context, needs);
  keep(context);
}

/** Each need once. Most books need one thing of a kind. */
function distinct(needs: readonly Need[]): readonly Need[] {
  const kinds = new Set(needs.map(({ kind }) => kind));
  if (kinds.size === needs.length) return needs;
  return [...new Map(needs.map((need) => [keyOfNeed(need), need])).values()];
}

/** A book has one place at which the loading of a shelf goes on. */
const keyOfNeed = (need: Need) =>
  JSON.stringify(need, (name, value) => (name === "after" ? undefined : value));
