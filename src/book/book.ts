/**
 * Owns one customer's book as far as it is loaded: the journal, and the grants, charges and
 * invoices around it. A verb asks the book; what has not been loaded yet is a `NotLoaded`, upon
 * which the pipeline loads it and runs the verb again. Verbs ask before they post, so a verb that
 * runs again has changed nothing.
 */
import { assert } from "../errors.ts";
import { compareDrawOrder, type DrawKey } from "../ledger/draw-order.ts";
import {
  type ChargeId,
  type CustomerId,
  type GrantId,
  type InvoiceId,
  type InvoiceLineId,
  makeId,
} from "../ledger/ids.ts";
import type { Balance, Journal } from "../ledger/journal.ts";
import { allowsFeature, freeOf, type Lot } from "../ledger/lot.ts";
import type { Transfer } from "../ledger/transfer.ts";
import type { Amount } from "../money/amount.ts";
import type { Currency, CurrencyCode } from "../money/currency.ts";
import { earlierOf, type Instant } from "../money/time.ts";
import { type Need, NotLoaded } from "./need.ts";
import type {
  Charge,
  CustomerProfile,
  GrantTerms,
  Invoice,
  InvoiceLine,
  Metadata,
  RateCard,
} from "./nouns.ts";

/** Open grants of a currency that one feature may draw, in draw order, as far as loaded. */
export interface Shelf {
  readonly currency: CurrencyCode;
  /** Null: a charge without a feature; "*": every grant whatever its features (G8). */
  readonly featureKey: string | null;
  /** Nothing after this key has been loaded; null when everything has. */
  loadedTo: DrawKey | null;
}

export const EVERY_FEATURE = "*";

type BookId = GrantId | ChargeId | InvoiceId | InvoiceLineId;

/** What falls due, in order, as far as loaded; the pipeline loads it when `nextDueAt` has come. */
export interface DueList {
  readonly lots: readonly Lot[];
  readonly charges: readonly Charge[];
  /** Whether more lots or charges are due than these: booking stops where a list ends early. */
  readonly moreLots: boolean;
  readonly moreCharges: boolean;
  /** The first moment after now at which something falls due; what was cut off is not in it. */
  readonly nextDueAt: Instant | null;
}

/** The description and metadata of ADJUSTED and CORRECTED movements (H2). */
export interface MovementNote {
  readonly sequence: bigint;
  readonly description: string;
  readonly metadata: Metadata;
}

/** Names a version of a rate card. A key may hold any sign, a number holds no space. */
export function versionKey(key: string, version: number): string {
  return `${version} ${key}`;
}

export function shelfKey(currency: CurrencyCode, featureKey: string | null): string {
  return featureKey === null ? currency : `${currency} ${featureKey}`;
}

function onShelf(lot: Lot, shelf: Pick<Shelf, "currency" | "featureKey">): boolean {
  if (lot.currency !== shelf.currency) return false;
  return shelf.featureKey === EVERY_FEATURE || allowsFeature(lot.features, shelf.featureKey);
}

export class Book {
  readonly customerId: CustomerId;
  readonly journal: Journal;
  /** What the pipeline has loaded. Null stands for what was looked for and does not exist. */
  readonly lots = new Map<GrantId, Lot | null>();
  readonly terms = new Map<GrantId, GrantTerms>();
  readonly charges = new Map<ChargeId, Charge | null>();
  readonly invoices = new Map<InvoiceId, Invoice | null>();
  readonly drafts = new Map<CurrencyCode, Invoice | null>();
  readonly lines = new Map<InvoiceLineId, InvoiceLine | null>();
  /** The stored credit lines that give back lines of an invoice, wherever they stand. */
  readonly creditLines = new Map<InvoiceId, readonly InvoiceLineId[]>();
  readonly shelves = new Map<string, Shelf>();
  readonly currencies = new Map<CurrencyCode, Currency | null>();
  readonly newestRateCards = new Map<string, RateCard | null>();
  /** By `versionKey`. */
  readonly rateCardVersions = new Map<string, RateCard | null>();
  profile: CustomerProfile | null = null;
  due: DueList | null = null;

  /** What must be written, beside the journal's transfers. */
  readonly changedCharges = new Set<Charge>();
  readonly changedInvoices = new Set<Invoice>();
  readonly changedLines = new Set<InvoiceLine>();
  readonly newLots = new Set<Lot>();
  readonly newCharges = new Set<Charge>();
  readonly newInvoices = new Set<Invoice>();
  readonly newLines = new Set<InvoiceLine>();
  readonly removedLines = new Set<InvoiceLine>();
  readonly notes: MovementNote[] = [];
  profileChanged = false;

  /** Counts the grants, charges, invoices and lines created so far (H4). */
  objectCount: bigint;
  /** Counts the invoices issued so far (I1). */
  invoiceCount: bigint;
  /** No due event lies before this: may be too early, never too late. */
  nextDueAt: Instant | null;
  readonly #random32: () => number;

  constructor(start: {
    readonly customerId: CustomerId;
    readonly journal: Journal;
    readonly objectCount: bigint;
    readonly invoiceCount: bigint;
    readonly nextDueAt: Instant | null;
    readonly random32: () => number;
  }) {
    this.customerId = start.customerId;
    this.journal = start.journal;
    this.objectCount = start.objectCount;
    this.invoiceCount = start.invoiceCount;
    this.nextDueAt = start.nextDueAt;
    this.#random32 = start.random32;
  }

  get now(): Instant {
    return this.journal.now;
  }

  balance(currency: CurrencyCode): Balance {
    return this.journal.balance(currency);
  }

  /** Takes the next creation sequence and makes the id that carries it. */
  nextIdentity<Id extends BookId>(): { readonly id: Id; readonly number: bigint } {
    this.objectCount += 1n;
    const number = this.objectCount;
    return { id: makeId<Id>(this.journal.creationDate(), number, this.#random32()), number };
  }

  /** Loaded values: undefined means that it does not exist. */
  findGrant(id: GrantId): Lot | undefined {
    return this.#known(this.lots.get(id), { kind: "grant", id });
  }

  findCharge(id: ChargeId): Charge | undefined {
    return this.#known(this.charges.get(id), { kind: "charge", id });
  }

  findInvoice(id: InvoiceId): Invoice | undefined {
    return this.#known(this.invoices.get(id), { kind: "invoice", id });
  }

  findDraft(currency: CurrencyCode): Invoice | undefined {
    return this.#known(this.drafts.get(currency), { kind: "draft", currency });
  }

  findLine(id: InvoiceLineId): InvoiceLine | undefined {
    return this.#known(this.lines.get(id), { kind: "line", id });
  }

  findCurrency(code: CurrencyCode): Currency | undefined {
    return this.#known(this.currencies.get(code), { kind: "currency", code });
  }

  findNewestRateCard(key: string): RateCard | undefined {
    return this.#known(this.newestRateCards.get(key), { kind: "rate_card", key, version: null });
  }

  getRateCardVersion(key: string, version: number): RateCard {
    const found = this.rateCardVersions.get(versionKey(key, version));
    const card = this.#known(found, { kind: "rate_card", key, version });
    assert(card !== undefined, "the rate card version of a charge exists");
    return card;
  }

  /** The lot of a grant that something in the book refers to. */
  getLot(id: GrantId): Lot {
    const lot = this.findGrant(id);
    assert(lot !== undefined, "a grant that is referred to exists");
    return lot;
  }

  getTerms(id: GrantId): GrantTerms {
    const terms = this.terms.get(id);
    if (terms === undefined) throw new NotLoaded([{ kind: "terms", id }]);
    return terms;
  }

  /** The credit lines that give back lines of an invoice, the newest included. */
  listCreditLines(invoiceId: InvoiceId): InvoiceLine[] {
    const stored = this.creditLines.get(invoiceId);
    if (stored === undefined) throw new NotLoaded([{ kind: "credit_lines", invoiceId }]);
    const lines: InvoiceLine[] = [];
    for (const id of stored) {
      const line = this.findLine(id);
      if (line !== undefined) lines.push(line);
    }
    for (const line of this.newLines) if (line.creditedInvoiceId === invoiceId) lines.push(line);
    return lines;
  }

  getProfile(): CustomerProfile {
    if (this.profile === null) throw new NotLoaded([{ kind: "profile" }]);
    return this.profile;
  }

  /** Asks for several grants at once, so that they are loaded together. */
  requireGrants(ids: readonly GrantId[], withTerms: boolean): void {
    const needs: Need[] = [];
    for (const id of ids) {
      if (this.lots.get(id) === undefined) needs.push({ kind: "grant", id });
      if (withTerms && this.terms.get(id) === undefined) needs.push({ kind: "terms", id });
    }
    if (needs.length > 0) throw new NotLoaded(needs);
  }

  /** Asks for several invoices at once. */
  requireInvoices(ids: readonly InvoiceId[]): void {
    const missing = new Set(ids.filter((id) => this.invoices.get(id) === undefined));
    if (missing.size > 0) throw new NotLoaded([...missing].map((id) => ({ kind: "invoice", id })));
  }

  /** Counts credit as issued (M1). */
  issue(currency: CurrencyCode, amount: Amount): void {
    const balance = this.balance(currency);
    balance.issued += amount;
    this.journal.touchedBalances.add(balance);
  }

  /** Active lots that the feature may draw, in draw order; asks for more where loading stopped. */
  *openLots(currency: CurrencyCode, featureKey: string | null): Generator<Lot> {
    const shelf = this.shelves.get(shelfKey(currency, featureKey));
    if (shelf === undefined) throw new NotLoaded([{ kind: "shelf", currency, featureKey }]);
    const lots: Lot[] = [];
    for (const lot of this.lots.values()) {
      if (lot?.status === "ACTIVE" && freeOf(lot) > 0n && onShelf(lot, shelf)) lots.push(lot);
    }
    if (lots.length > 1) lots.sort(compareDrawOrder);
    for (const lot of lots) {
      if (shelf.loadedTo !== null && compareDrawOrder(lot, shelf.loadedTo) > 0) break;
      yield lot;
    }
    if (shelf.loadedTo === null) return;
    throw new NotLoaded([{ kind: "shelf", currency, featureKey, after: shelf.loadedTo }]);
  }

  #known<Value>(value: Value | null | undefined, need: Need): Value | undefined {
    if (value === undefined) throw new NotLoaded([need]);
    return value ?? undefined;
  }

  addGrant(lot: Lot, terms: GrantTerms): void {
    this.lots.set(lot.id, lot);
    this.terms.set(lot.id, terms);
    this.newLots.add(lot);
  }

  addCharge(charge: Charge): void {
    this.charges.set(charge.id, charge);
    this.newCharges.add(charge);
  }

  addInvoice(invoice: Invoice): void {
    this.invoices.set(invoice.id, invoice);
    if (invoice.status === "DRAFT") this.drafts.set(invoice.currency, invoice);
    this.newInvoices.add(invoice);
  }

  addLine(line: InvoiceLine): void {
    this.lines.set(line.id, line);
    this.newLines.add(line);
  }

  removeLine(line: InvoiceLine): void {
    this.lines.set(line.id, null);
    this.changedLines.delete(line);
    if (!this.newLines.delete(line)) this.removedLines.add(line);
  }

  chargeChanged(charge: Charge): void {
    if (!this.newCharges.has(charge)) this.changedCharges.add(charge);
  }

  invoiceChanged(invoice: Invoice): void {
    if (!this.newInvoices.has(invoice)) this.changedInvoices.add(invoice);
  }

  lineChanged(line: InvoiceLine): void {
    if (!this.newLines.has(line)) this.changedLines.add(line);
  }

  /** Runs a posting whose movements have a description of their own (H2); returns its transfers. */
  withNote(note: Omit<MovementNote, "sequence">, post: () => void): readonly Transfer[] {
    const { posted } = this.journal;
    const start = posted.length;
    post();
    const transfers = posted.slice(start);
    const first = transfers[0];
    if (first !== undefined) this.notes.push({ ...note, sequence: first.sequence });
    return transfers;
  }

  /** Notes that something falls due at `at`; null when nothing does. */
  expectDue(at: Instant | null): void {
    this.nextDueAt = earlierOf(this.nextDueAt, at);
  }
}
