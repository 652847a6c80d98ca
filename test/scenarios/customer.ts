/** Owns the customer of a scenario: its books, and the names that the scenario gives to things. */
import type { Book } from "../../src/book/book.ts";
import type { Charge, Invoice } from "../../src/book/nouns.ts";
import type { DueBounds } from "../../src/charge/book-due.ts";
import { AssertionFailure } from "../../src/errors.ts";
import type { ChargeId, GrantId, InvoiceId } from "../../src/ledger/ids.ts";
import type { Lot } from "../../src/ledger/lot.ts";
import { BookKeeper, type PageSizes } from "../core/book-keeper.ts";

/** A scenario named something that is not there. */
export class NothingOfThatName extends Error {}

export class Customer {
  readonly keeper: BookKeeper;
  readonly #grants = new Map<string, GrantId>();
  readonly #charges = new Map<string, ChargeId>();
  readonly #invoices = new Map<string, InvoiceId>();

  constructor(pages?: PageSizes, bounds?: DueBounds) {
    this.keeper = new BookKeeper(pages, bounds);
  }

  get kept() {
    return this.keeper.kept;
  }

  run<Result>(verb: (book: Book) => Result): Result {
    return this.keeper.run(verb);
  }

  nameGrant(name: string, id: GrantId): void {
    this.#grants.set(name, id);
  }

  nameCharge(name: string, id: ChargeId): void {
    this.#charges.set(name, id);
  }

  nameInvoice(name: string, id: InvoiceId): void {
    this.#invoices.set(name, id);
  }

  /** The id of a name; a name that was never given is the id of nothing. */
  grantId(name: string): GrantId {
    return this.#grants.get(name) ?? (name as GrantId);
  }

  chargeId(name: string): ChargeId {
    return this.#charges.get(name) ?? (name as ChargeId);
  }

  /** `A.invoice` sells grant A, `USD.draft` is the draft of USD; else a name given at issue. */
  invoiceId(name: string): InvoiceId {
    const [what = "", kind] = name.split(".");
    if (kind === "invoice") return this.#purchaseInvoiceId(what);
    if (kind === "draft") return this.getDraft(what).id;
    return this.#invoices.get(name) ?? (name as InvoiceId);
  }

  getLot(name: string): Lot {
    return present(this.kept.lots.get(this.grantId(name)), `grant ${name}`);
  }

  getCharge(name: string): Charge {
    return present(this.kept.charges.get(this.chargeId(name)), `charge ${name}`);
  }

  getInvoice(name: string): Invoice {
    return present(this.kept.invoices.get(this.invoiceId(name)), `invoice ${name}`);
  }

  findDraft(currency: string): Invoice | undefined {
    const invoices = [...this.kept.invoices.values()];
    return invoices.find((row) => row.status === "DRAFT" && row.currency === currency);
  }

  getDraft(currency: string): Invoice {
    return present(this.findDraft(currency), `draft of ${currency}`);
  }

  grantName(id: GrantId): string {
    return nameOf(this.#grants, id);
  }

  chargeName(id: ChargeId): string {
    return nameOf(this.#charges, id);
  }

  #purchaseInvoiceId(grant: string): InvoiceId {
    const id = this.kept.terms.get(this.grantId(grant))?.invoiceId;
    return present(id ?? undefined, `invoice of grant ${grant}`);
  }
}

function present<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new NothingOfThatName(`the scenario has no ${what}`);
  return value;
}

function nameOf(names: ReadonlyMap<string, string>, id: string): string {
  for (const [name, named] of names) if (named === id) return name;
  throw new AssertionFailure("everything in a scenario has a name");
}
