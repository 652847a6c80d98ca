/** Owns the reads of invoices and of their lines, both in the order of their creation. */
import type { EntityManager } from "typeorm";
import type { Invoice, InvoiceLine, InvoiceStatus } from "../book/nouns.ts";
import {
  type InvoiceLineRow,
  type InvoiceRow,
  invoiceLines,
  invoices,
} from "../database/entities/invoice.ts";
import { type Refusal, refuse } from "../errors.ts";
import type { InvoiceId } from "../ledger/ids.ts";
import type { CurrencyCode } from "../money/currency.ts";
import { invoiceOf, LINE_COLUMNS, lineOf } from "../pipeline/rows.ts";
import type { CustomerName, CustomerReads } from "./customer-reads.ts";
import { type FilteredList, readFilteredPage } from "./filtered-page.ts";
import {
  bytesOfTexts,
  gatherPage,
  type OrderedPageRequest,
  type Page,
  type PageRequest,
  ROW_BYTES,
} from "./page.ts";
import { asSet, type Binding, isIdPosition, makeToken, readPageToken } from "./page-token.ts";
import { readSlice, type Slice } from "./slice.ts";
import { selectRows } from "./statement.ts";

/** An invoice shows so many of its lines; all of them are paged. */
export const INVOICE_LINES_SHOWN_MAX = 100;

/** Invoices come with their lines, so fewer of them are read at once. */
const SLICE_INVOICES_MAX = 20;

export interface InvoiceWithLines {
  readonly invoice: Invoice;
  /** The first ones. */
  readonly lines: readonly InvoiceLine[];
}

/** An empty list and null choose all. */
export interface InvoiceFilter {
  readonly statuses: readonly InvoiceStatus[];
  readonly currency: CurrencyCode | null;
}

export async function getInvoice(
  reads: CustomerReads,
  customer: CustomerName,
  id: InvoiceId,
): Promise<InvoiceWithLines> {
  return reads.read(customer, async (manager) => {
    const row = await findInvoice(manager, customer, id);
    if (row === null) throw invoiceNotFound(id);
    const [shown] = await withLines(manager, customer, [row]);
    return shown ?? { invoice: invoiceOf(row), lines: [] };
  });
}

/** The lines that an invoice shows. */
export async function listShownLines(
  reads: CustomerReads,
  customer: CustomerName,
  id: InvoiceId,
): Promise<readonly InvoiceLine[]> {
  const { lines } = await getInvoice(reads, customer, id);
  return lines;
}

/** Ids carry the creation sequence, so their order is that of creation (H4). */
export async function listInvoices(
  reads: CustomerReads,
  customer: CustomerName,
  filter: InvoiceFilter,
  page: OrderedPageRequest,
): Promise<Page<InvoiceWithLines>> {
  const { tenantId, customerId } = customer;
  const { statuses, currency } = filter;
  const binding: Binding = ["invoices", tenantId, customerId, asSet(statuses), currency];
  return reads.read(customer, async (manager) => {
    const list: FilteredList<InvoiceWithLines> = {
      table: "invoice",
      id: "invoice_id",
      customerId,
      binding,
      isSearched: statuses.length > 0 || currency !== null,
      sliceRowsMax: SLICE_INVOICES_MAX,
      read: async (slice) =>
        withLines(manager, customer, await selectInvoices(manager, customer, filter, slice)),
      idOf: ({ invoice }) => invoice.id,
      bytesOf: ({ lines }) => lines.reduce((sum, line) => sum + bytesOfLine(line), ROW_BYTES),
    };
    return readFilteredPage(manager, list, page);
  });
}

/** The oldest first. */
export async function listInvoiceLines(
  reads: CustomerReads,
  customer: CustomerName,
  id: InvoiceId,
  page: PageRequest,
): Promise<Page<InvoiceLine>> {
  const { tenantId, customerId } = customer;
  const binding: Binding = ["invoice_lines", tenantId, customerId, id];
  return reads.read(customer, async (manager) => {
    if ((await findInvoice(manager, customer, id)) === null) throw invoiceNotFound(id);
    const start = readPageToken(binding, page.token, isIdPosition);
    const { rows, more } = await gatherPage<InvoiceLine>({
      rowsMax: page.rowsMax,
      read: (last, limit) => {
        const after = last?.id ?? start;
        return selectLines(manager, customer, id, { after, limit });
      },
      bytesOf: bytesOfLine,
    });
    const last = more ? rows.at(-1) : undefined;
    return { items: rows, nextToken: last === undefined ? "" : makeToken(binding, last.id) };
  });
}

function findInvoice(
  manager: EntityManager,
  { customerId }: CustomerName,
  id: InvoiceId,
): Promise<InvoiceRow | null> {
  const repository = manager.getRepository(invoices);
  return repository.findOneBy({ customer_id: customerId, invoice_id: id });
}

function selectInvoices(
  manager: EntityManager,
  { customerId }: CustomerName,
  { statuses, currency }: InvoiceFilter,
  slice: Slice,
): Promise<InvoiceRow[]> {
  const query = manager
    .getRepository(invoices)
    .createQueryBuilder("i")
    .where("i.customer_id = :customerId", { customerId });
  readSlice(query, "i.invoice_id", slice);
  if (currency !== null) query.andWhere("i.currency = :currency", { currency });
  if (statuses.length > 0) query.andWhere("i.status IN (:...statuses)", { statuses });
  return query.getMany();
}

async function selectLines(
  manager: EntityManager,
  { customerId }: CustomerName,
  id: InvoiceId,
  { after, limit }: Pick<Slice, "after" | "limit">,
): Promise<InvoiceLine[]> {
  const query = manager
    .getRepository(invoiceLines)
    .createQueryBuilder("l")
    .where("l.customer_id = :customerId AND l.invoice_id = :id", { customerId, id })
    .orderBy("l.invoice_line_id")
    .limit(limit);
  if (after !== null) query.andWhere("l.invoice_line_id > :after", { after });
  return (await query.getMany()).map(lineOf);
}

const SHOWN_LINES = `SELECT l.* FROM invoice i
  CROSS JOIN LATERAL (
    SELECT ${LINE_COLUMNS} FROM invoice_line l
    WHERE l.customer_id = i.customer_id AND l.invoice_id = i.invoice_id
    ORDER BY l.invoice_line_id LIMIT ${INVOICE_LINES_SHOWN_MAX}
  ) l
  WHERE i.customer_id = $1 AND i.invoice_id = ANY($2::uuid[])
  ORDER BY l.invoice_line_id`;

async function withLines(
  manager: EntityManager,
  { customerId }: CustomerName,
  rows: readonly InvoiceRow[],
): Promise<InvoiceWithLines[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.invoice_id);
  const found = await selectRows<InvoiceLineRow>(manager, SHOWN_LINES, [customerId, ids]);
  const lines = Map.groupBy(found.map(lineOf), (line) => line.invoiceId);
  return rows.map((row) => ({ invoice: invoiceOf(row), lines: lines.get(row.invoice_id) ?? [] }));
}

function invoiceNotFound(id: InvoiceId): Refusal {
  return refuse("INVOICE_NOT_FOUND", "there is no such invoice", { invoice_id: id });
}

function bytesOfLine(line: InvoiceLine): number {
  return ROW_BYTES + bytesOfTexts([line.description]);
}
