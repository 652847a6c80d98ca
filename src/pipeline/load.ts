/**
 * Owns loading: what the verbs of a batch need of their books, one statement for each kind of
 * thing however many customers ask. Nothing that a book already holds is replaced, because a verb
 * of the same batch may have changed it.
 */
import { type Book, shelfKey } from "../book/book.ts";
import type { Need } from "../book/need.ts";
import type { Charge } from "../book/nouns.ts";
import { arrayOf, type ElementOf } from "../database/array-parameter.ts";
import { assert } from "../errors.ts";
import { compareDrawOrder, type DrawKey } from "../ledger/draw-order.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import type { Lot } from "../ledger/lot.ts";
import { type CurrencyCache, loadCurrencies, loadRateCards } from "./load-catalog.ts";
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
import type { Session } from "./session.ts";
import { type Column, cellsOf, type Statement } from "./statement.ts";

/** The first page of open grants is what nearly every charge draws from; then larger ones. */
const SHELF_FIRST_PAGE_ROWS = 8;
const SHELF_NEXT_PAGE_ROWS = 128;

export interface LoadContext {
  readonly session: Session;
  readonly tenantId: TenantId;
  readonly currencies: CurrencyCache;
  readonly books: ReadonlyMap<CustomerId, Book>;
  readonly places: Places;
}

type NeedOf<Kind extends Need["kind"]> = Extract<Need, { kind: Kind }>;

/** One need and the book that has it. */
export interface Asked<Kind extends Need["kind"]> {
  readonly book: Book;
  readonly need: NeedOf<Kind>;
}

type Loader<Kind extends Need["kind"]> = (
  context: LoadContext,
  asked: readonly Asked<Kind>[],
) => Promise<void>;

/** Whose books ask, as most statements name them first: each once, and then need by need. */
function customersOf(
  asked: readonly { readonly book: Book }[],
): readonly [distinct: Buffer, named: Buffer] {
  const named = asked.map(({ book }) => book.customerId);
  return [arrayOf("uuid", [...new Set(named)]), arrayOf("uuid", named)];
}

/** The book of a loaded row. */
function bookOf(context: LoadContext, row: { readonly customer_id: CustomerId }): Book {
  const book = context.books.get(row.customer_id);
  assert(book !== undefined, "only rows of the batch's customers are loaded");
  return book;
}

/** Keeps a loaded lot unless the book has it already, and returns the one that it has. */
export function keepLot(context: LoadContext, row: Placed<LotRow>): Lot {
  const { lots } = bookOf(context, row);
  const known = lots.get(row.credit_grant_id);
  if (known !== undefined && known !== null) return known;
  const lot = lotOf(row);
  lots.set(lot.id, lot);
  context.places.keep(lot, row);
  return lot;
}

/** Keeps a loaded charge unless the book has it already, and returns the one that it has. */
export function keepCharge(context: LoadContext, row: Placed<ChargeRow>): Charge {
  const { charges } = bookOf(context, row);
  const known = charges.get(row.charge_id);
  if (known !== undefined && known !== null) return known;
  const charge = chargeOf(row);
  charges.set(charge.id, charge);
  context.places.keep(charge, row);
  return charge;
}

function keepInvoice(context: LoadContext, row: Placed<InvoiceRow>): void {
  const { invoices, drafts } = bookOf(context, row);
  let invoice = invoices.get(row.invoice_id);
  if (invoice === undefined || invoice === null) {
    invoice = invoiceOf(row);
    invoices.set(invoice.id, invoice);
    context.places.keep(invoice, row);
  }
  if (invoice.status === "DRAFT") drafts.set(invoice.currency, invoice);
}

function keepLine(context: LoadContext, row: Placed<LineRow>): void {
  const { lines } = bookOf(context, row);
  if (lines.has(row.invoice_line_id)) return;
  const line = lineOf(row);
  lines.set(line.id, line);
  context.places.keep(line, row);
}

/** Marks as absent what was asked for and not found. */
function expectNothing<Key, Value>(map: Map<Key, Value | null>, key: Key): void {
  if (!map.has(key)) map.set(key, null);
}

const LOADERS: { readonly [Kind in Need["kind"]]: Loader<Kind> } = {
  async grant(context, asked) {
    const rows = await byId<Placed<LotRow>, "grant">(
      context,
      statements.LOAD_LOTS,
      asked,
      (need) => need.id,
    );
    for (const row of rows) keepLot(context, row);
    for (const { book, need } of asked) expectNothing(book.lots, need.id);
  },
  async terms(context, asked) {
    const { LOAD_TERMS } = statements;
    const rows = await byId<TermsRow, "terms">(context, LOAD_TERMS, asked, (need) => need.id);
    for (const row of rows) {
      const { terms } = bookOf(context, row);
      if (!terms.has(row.credit_grant_id)) terms.set(row.credit_grant_id, termsOf(row));
    }
  },
  async charge(context, asked) {
    const { LOAD_CHARGES } = statements;
    const rows = await byId<Placed<ChargeRow>, "charge">(
      context,
      LOAD_CHARGES,
      asked,
      (need) => need.id,
    );
    for (const row of rows) keepCharge(context, row);
    for (const { book, need } of asked) expectNothing(book.charges, need.id);
  },
  async invoice(context, asked) {
    const { LOAD_INVOICES } = statements;
    const rows = await byId<Placed<InvoiceRow>, "invoice">(
      context,
      LOAD_INVOICES,
      asked,
      ({ id }) => id,
    );
    for (const row of rows) keepInvoice(context, row);
    for (const { book, need } of asked) expectNothing(book.invoices, need.id);
  },
  async draft(context, asked) {
    const currencies = asked.map(({ need }) => need.currency);
    const { session } = context;
    const values = [...customersOf(asked), arrayOf("text", currencies)];
    const rows = await session.rows<Placed<InvoiceRow>>(statements.LOAD_DRAFTS, values);
    for (const row of rows) keepInvoice(context, row);
    for (const { book, need } of asked) expectNothing(book.drafts, need.currency);
  },
  async line(context, asked) {
    const { LOAD_LINES } = statements;
    const rows = await byId<Placed<LineRow>, "line">(context, LOAD_LINES, asked, (need) => need.id);
    for (const row of rows) keepLine(context, row);
    for (const { book, need } of asked) expectNothing(book.lines, need.id);
  },
  async credit_lines(context, asked) {
    const statement = statements.LOAD_CREDIT_LINES;
    const id = (need: NeedOf<"credit_lines">) => need.invoiceId;
    const rows = await byId<Placed<LineRow>, "credit_lines">(context, statement, asked, id);
    for (const { book, need } of asked) {
      const own = rows.filter(
        (row) => row.customer_id === book.customerId && row.credited_invoice_id === need.invoiceId,
      );
      for (const row of own) keepLine(context, row);
      book.creditLines.set(
        need.invoiceId,
        own.map((row) => row.invoice_line_id),
      );
    }
  },
  shelf: loadShelves,
  async currency(context, asked) {
    await loadCurrencies(context, asked);
  },
  async rate_card(context, asked) {
    await loadRateCards(context, asked);
  },
  async profile(context, asked) {
    const [customers] = customersOf(asked);
    const rows = await context.session.rows<Placed<ProfileRow>>(statements.LOAD_PROFILES, [
      customers,
    ]);
    for (const row of rows) {
      const book = bookOf(context, row);
      if (book.profile !== null) continue;
      book.profile = profileOf(row);
      context.places.keep(book.profile, row);
    }
  },
};

function byId<Row extends object, Kind extends Need["kind"]>(
  { session }: LoadContext,
  statement: Statement,
  asked: readonly Asked<Kind>[],
  id: (need: NeedOf<Kind>) => string,
): Promise<Row[]> {
  const ids = asked.map(({ need }) => id(need));
  return session.rows<Row>(statement, [...customersOf(asked), arrayOf("uuid", ids)]);
}

/** A page of a shelf that is asked for, and what was found of it. */
interface ShelfPage extends Asked<"shelf"> {
  readonly index: number;
  readonly limit: number;
  readonly after: DrawKey | null;
  last: LotRow | null;
  rows: number;
}

const SHELF_COLUMNS: readonly Column<ShelfPage>[] = [
  { name: "asked", type: "integer", value: ({ index }) => index },
  { name: "currency", type: "text", value: ({ need }) => need.currency },
  { name: "feature_key", type: "text", value: ({ need }) => need.featureKey },
  { name: "priority", type: "integer", value: ({ after }) => after?.priority ?? 0 },
  { name: "expires_at", type: "timestamptz", value: ({ after }) => expiryAfter(after) },
  { name: "first_sequence", type: "bigint", value: ({ after }) => after?.firstSequence ?? 0n },
  { name: "page", type: "integer", value: ({ limit }) => limit },
];

async function loadShelves(context: LoadContext, asked: readonly Asked<"shelf">[]): Promise<void> {
  const pages = asked.map(({ book, need }, index): ShelfPage => {
    const shelf = book.shelves.get(shelfKey(need.currency, need.featureKey));
    const limit = shelf === undefined ? SHELF_FIRST_PAGE_ROWS : SHELF_NEXT_PAGE_ROWS;
    return { book, need, index, limit, after: shelf?.loadedTo ?? null, last: null, rows: 0 };
  });
  const rows = await context.session.rows<Placed<LotRow> & { readonly asked: number }>(
    statements.LOAD_SHELVES,
    [...customersOf(asked), ...SHELF_COLUMNS.map((column) => cellsOf(column, pages))],
  );
  for (const row of rows) {
    keepLot(context, row);
    const page = pages[row.asked];
    assert(page !== undefined, "each row belongs to a page that was asked for");
    page.rows += 1;
    if (page.last === null || compareDrawOrder(keyOf(page.last), keyOf(row)) < 0) page.last = row;
  }
  for (const { book, need, limit, last, rows: count } of pages) {
    const { currency, featureKey } = need;
    const loadedTo = count < limit || last === null ? null : keyOf(last);
    book.shelves.set(shelfKey(currency, featureKey), { currency, featureKey, loadedTo });
  }
}

function keyOf(row: LotRow): DrawKey {
  return {
    priority: row.priority,
    expiresAt: row.expires_at,
    firstSequence: row.first_sequence,
  };
}

/** Before all lots there is no place yet; never is last (D2). */
function expiryAfter(after: DrawKey | null): ElementOf["timestamptz"] {
  return after === null ? "-infinity" : (after.expiresAt ?? "infinity");
}

/** Loads all needs of a round: the statements are sent together, none waits for another. */
export async function loadNeeds(
  context: LoadContext,
  needs: ReadonlyMap<Book, readonly Need[]>,
): Promise<void> {
  const asked = new Map<Need["kind"], Asked<Need["kind"]>[]>();
  for (const [book, list] of needs) {
    const seen = new Set<string>();
    for (const need of list) {
      const key = JSON.stringify(need);
      if (seen.has(key)) continue;
      seen.add(key);
      const same = asked.get(need.kind);
      if (same === undefined) asked.set(need.kind, [{ book, need }]);
      else same.push({ book, need });
    }
  }
  await Promise.all(
    [...asked].map(([kind, list]) => (LOADERS[kind] as Loader<typeof kind>)(context, list)),
  );
}
