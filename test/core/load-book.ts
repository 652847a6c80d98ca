/** Owns how a book in memory loads what it is asked for: one need at a time, shelves by pages. */
import {
  type Book,
  type DueList,
  EVERY_FEATURE,
  shelfKey,
  versionKey,
} from "../../src/book/book.ts";
import type { Need } from "../../src/book/need.ts";
import type { Charge, Invoice } from "../../src/book/nouns.ts";
import { AssertionFailure } from "../../src/errors.ts";
import { compareDrawOrder } from "../../src/ledger/draw-order.ts";
import { compareDue, type Due, nextDueOfLot } from "../../src/ledger/due.ts";
import type { GrantId, InvoiceId } from "../../src/ledger/ids.ts";
import { allowsFeature, freeOf, type Lot } from "../../src/ledger/lot.ts";
import { type CurrencyCode, isoCurrency } from "../../src/money/currency.ts";
import type { Kept } from "./book-keeper.ts";

function copyOf<Row extends object>(row: Row | undefined): Row | null {
  return row === undefined ? null : { ...row };
}

/** Puts into the book what it asked for; null stands for what does not exist. */
export function loadNeed(kept: Kept, book: Book, need: Need, shelfPage: number): void {
  switch (need.kind) {
    case "grant":
      book.lots.set(need.id, copyOf(kept.lots.get(need.id)));
      return;
    case "terms": {
      const terms = kept.terms.get(need.id);
      if (terms === undefined) throw new AssertionFailure("the terms of a grant exist");
      book.terms.set(need.id, terms);
      return;
    }
    case "charge":
      book.charges.set(need.id, copyOf(kept.charges.get(need.id)));
      return;
    case "invoice":
      book.invoices.set(need.id, invoiceFor(kept, book, need.id));
      return;
    case "draft":
      loadDraft(kept, book, need.currency);
      return;
    case "line":
      book.lines.set(need.id, copyOf(kept.lines.get(need.id)));
      return;
    case "credit_lines": {
      const lines = [...kept.lines.values()];
      const ids = lines.filter((line) => line.creditedInvoiceId === need.invoiceId);
      book.creditLines.set(
        need.invoiceId,
        ids.map((line) => line.id),
      );
      return;
    }
    case "shelf":
      loadShelfPage(kept, book, need, shelfPage);
      return;
    case "currency": {
      const { code } = need;
      book.currencies.set(code, isoCurrency(code) ?? kept.currencies.get(code) ?? null);
      return;
    }
    case "rate_card": {
      const { key, version } = need;
      const versions = kept.rateCards.filter((card) => card.key === key);
      const found = versions.findLast((card) => version === null || card.version === version);
      if (version === null) book.newestRateCards.set(key, found ?? null);
      else book.rateCardVersions.set(versionKey(key, version), found ?? null);
      return;
    }
    case "profile":
      throw new AssertionFailure("no verb of a customer's credit asks for the profile");
  }
}

/** A draft stands in a book twice, under its id and as the draft of its currency: one object. */
function invoiceFor(kept: Kept, book: Book, id: InvoiceId): Invoice | null {
  for (const draft of book.drafts.values()) if (draft?.id === id) return draft;
  return copyOf(kept.invoices.get(id));
}

function loadDraft(kept: Kept, book: Book, currency: CurrencyCode): void {
  const drafts = [...kept.invoices.values()].filter((invoice) => invoice.status === "DRAFT");
  const found = drafts.find((invoice) => invoice.currency === currency);
  const draft = found === undefined ? null : (book.invoices.get(found.id) ?? { ...found });
  book.drafts.set(currency, draft);
  if (draft !== null) book.invoices.set(draft.id, draft);
}

function loadShelfPage(
  kept: Kept,
  book: Book,
  need: { readonly currency: CurrencyCode; readonly featureKey: string | null },
  page: number,
): void {
  const { currency, featureKey } = need;
  const key = shelfKey(currency, featureKey);
  const shelf = book.shelves.get(key);
  const from = shelf?.loadedTo ?? null;
  const open = [...kept.lots.values()]
    .filter((lot) => lot.currency === currency && lot.status === "ACTIVE" && freeOf(lot) > 0n)
    .filter((lot) => featureKey === EVERY_FEATURE || allowsFeature(lot.features, featureKey))
    .filter((lot) => from === null || compareDrawOrder(lot, from) > 0)
    .sort(compareDrawOrder);
  const loaded = open.slice(0, page);
  for (const lot of loaded) loadLot(kept, book, lot.id);
  const last = loaded.at(-1);
  const loadedTo = open.length > page && last !== undefined ? { ...last } : null;
  if (shelf === undefined) book.shelves.set(key, { currency, featureKey, loadedTo });
  else shelf.loadedTo = loadedTo;
}

function loadLot(kept: Kept, book: Book, id: GrantId): Lot {
  const loaded = book.lots.get(id);
  if (loaded !== undefined && loaded !== null) return loaded;
  const lot = copyOf(kept.lots.get(id));
  if (lot === null) throw new AssertionFailure("a lot that is loaded exists");
  book.lots.set(id, lot);
  return lot;
}

/** When time will cancel a charge; null when it will not. */
export function dueOfCharge(charge: Charge): Due | null {
  if (charge.status !== "OPEN" || charge.holdExpiresAt === null) return null;
  return { at: charge.holdExpiresAt, kind: "hold_timeout", number: charge.number };
}

/** Loads what has fallen due, each kind up to a page, with the grants that the charges hold. */
export function loadDue(kept: Kept, book: Book, page: number): DueList {
  const lots = sortedByDue([...kept.lots.values()], nextDueOfLot);
  const charges = sortedByDue([...kept.charges.values()], dueOfCharge);
  const dueLots = lots.filter(({ due }) => due.at <= book.now).slice(0, page);
  const dueCharges = charges.filter(({ due }) => due.at <= book.now).slice(0, page);
  const nextLot = lots[dueLots.length];
  const nextCharge = charges[dueCharges.length];
  for (const { row } of dueCharges) {
    book.charges.set(row.id, { ...row });
    for (const { grantId } of row.allocations) loadLot(kept, book, grantId);
  }
  const later = [...lots, ...charges].map(({ due }) => due).filter(({ at }) => at > book.now);
  return {
    lots: dueLots.map(({ row }) => loadLot(kept, book, row.id)),
    charges: dueCharges
      .map(({ row }) => book.findCharge(row.id))
      .filter((row) => row !== undefined),
    moreLots: nextLot !== undefined && nextLot.due.at <= book.now,
    moreCharges: nextCharge !== undefined && nextCharge.due.at <= book.now,
    // What is due already and was cut off is not in it, as in the pipeline.
    nextDueAt: later.sort(compareDue)[0]?.at ?? null,
  };
}

function sortedByDue<Row>(rows: readonly Row[], dueOf: (row: Row) => Due | null) {
  return rows
    .flatMap((row) => {
      const due = dueOf(row);
      return due === null ? [] : [{ row, due }];
    })
    .sort((left, right) => compareDue(left.due, right.due));
}
