/**
 * Owns how the tests of the reads fill a customer's books: through the pipeline, verb by verb, with
 * what a case does not care about left out.
 */
import type { Book } from "../../src/book/book.ts";
import type { Need } from "../../src/book/need.ts";
import type { Charge, Metadata, SettlementMode } from "../../src/book/nouns.ts";
import { cancelCharge } from "../../src/charge/cancel-charge.ts";
import { correctCharge } from "../../src/charge/correct-charge.ts";
import { createCharge } from "../../src/charge/create-charge.ts";
import { settleCharge } from "../../src/charge/settle-charge.ts";
import { assert } from "../../src/errors.ts";
import { adjustCredits } from "../../src/grant/adjust-credits.ts";
import { type CreateCreditGrant, createCreditGrant } from "../../src/grant/create-credit-grant.ts";
import { voidCreditGrant } from "../../src/grant/void-credit-grant.ts";
import { issueInvoice, settleInvoicePayment } from "../../src/invoice/verbs.ts";
import type { ChargeId, CustomerId, GrantId, InvoiceId } from "../../src/ledger/ids.ts";
import { type Amount, parseAmount } from "../../src/money/amount.ts";
import type { Instant } from "../../src/money/time.ts";
import type { Balances } from "../../src/queries/balances.ts";
import type { CustomerName } from "../../src/queries/customer-reads.ts";
import { TENANT, type TestLedger, writeOf } from "../pipeline/ledger.ts";

/** An amount as a test spells it. */
export function amount(text: string): Amount {
  const parsed = parseAmount(text);
  assert(parsed !== undefined, `${text} is an amount`);
  return parsed;
}

export interface GrantWords {
  readonly currency?: string;
  readonly features?: readonly string[];
  readonly effectiveAt?: Instant;
  readonly expiresAt?: Instant;
  readonly expiresAfter?: string;
  readonly sold?: "INVOICE" | "EXTERNAL";
  readonly description?: string;
  readonly metadata?: Metadata;
}

export interface ChargeWords {
  readonly currency?: string;
  readonly feature?: string;
  readonly mode?: SettlementMode;
  readonly holdExpiresAt?: Instant;
  readonly description?: string;
  readonly metadata?: Metadata;
}

export class Account {
  readonly name: CustomerName;
  readonly #ledger: TestLedger;

  private constructor(ledger: TestLedger, customerId: CustomerId) {
    this.#ledger = ledger;
    this.name = { tenantId: TENANT, customerId };
  }

  static async open(ledger: TestLedger): Promise<Account> {
    return new Account(ledger, await ledger.customer());
  }

  get id(): CustomerId {
    return this.name.customerId;
  }

  /** Runs a verb and answers what `pick` takes of its result. */
  run<Result, Answer>(
    verb: (book: Book) => Result,
    pick: (result: Result) => Answer,
    words: { readonly keptIn?: "charge" | "request"; readonly needs?: readonly Need[] } = {},
  ) {
    const write = writeOf({ customerId: this.id, verb, answer: pick, ...words });
    return this.#ledger.pipeline.submit(write) as Promise<Answer>;
  }

  grant(text: string, words: GrantWords = {}): Promise<GrantId> {
    const command: CreateCreditGrant = {
      name: "credit",
      description: words.description ?? "",
      fundingMethod: words.sold ?? "PROMOTIONAL",
      currency: words.currency ?? "USD",
      amount: amount(text),
      priority: 10,
      effectiveAt: words.effectiveAt ?? null,
      expiresAt: words.expiresAt ?? null,
      expiresAfter: words.expiresAfter ?? null,
      features: words.features ?? [],
      purchase:
        words.sold === undefined
          ? null
          : { currency: "USD", perUnitCost: amount("0.5"), availability: "ON_SETTLEMENT" },
      metadata: words.metadata ?? {},
    };
    return this.run(
      (book) => createCreditGrant(book, command),
      ({ lot }) => lot.id,
    );
  }

  voidGrant(grantId: GrantId): Promise<GrantId> {
    return this.run(
      (book) => voidCreditGrant(book, { grantId, reason: "a mistake" }),
      ({ lot }) => lot.id,
    );
  }

  adjust(text: string, words: { currency?: string; reason?: string; metadata?: Metadata } = {}) {
    const command = {
      currency: words.currency ?? "USD",
      amount: amount(text),
      reason: words.reason ?? "goodwill",
      grantId: null,
      metadata: words.metadata ?? {},
    };
    return this.run(
      (book) => adjustCredits(book, command),
      ({ transfers }) => transfers.length,
    );
  }

  charge(text: string, words: ChargeWords = {}): Promise<ChargeId> {
    return this.#charge(text, words, "AUTOMATIC");
  }

  hold(text: string, words: ChargeWords = {}): Promise<ChargeId> {
    return this.#charge(text, words, "MANUAL");
  }

  settle(chargeId: ChargeId, text: string | null = null): Promise<ChargeId> {
    const command = { chargeId, amount: text === null ? null : amount(text), quantity: null };
    return this.run((book) => settleCharge(book, command), idOf);
  }

  cancel(chargeId: ChargeId): Promise<ChargeId> {
    return this.run((book) => cancelCharge(book, { chargeId }), idOf);
  }

  correct(chargeId: ChargeId, text: string | null = null, reason = "too much"): Promise<ChargeId> {
    const command = { chargeId, amount: text === null ? null : amount(text), reason };
    return this.run(
      (book) => correctCharge(book, command),
      ({ charge }) => charge.id,
    );
  }

  issue(invoiceId: InvoiceId): Promise<InvoiceId> {
    return this.run(
      (book) => issueInvoice(book, { invoiceId }),
      ({ id }) => id,
    );
  }

  payInvoice(invoiceId: InvoiceId): Promise<InvoiceId> {
    return this.run(
      (book) => settleInvoicePayment(book, { invoiceId }),
      ({ id }) => id,
    );
  }

  #charge(text: string, words: ChargeWords, capture: "AUTOMATIC" | "MANUAL"): Promise<ChargeId> {
    const command = {
      basis: {
        by: "amount" as const,
        amount: amount(text),
        currency: words.currency ?? "USD",
        settlementMode: words.mode ?? "CREDIT_ONLY",
        featureKey: words.feature ?? null,
      },
      capture,
      holdExpiresAt: words.holdExpiresAt ?? null,
      description: words.description ?? "",
      metadata: words.metadata ?? {},
    };
    const { currency, featureKey } = command.basis;
    return this.run((book) => createCharge(book, command), idOf, {
      keptIn: capture === "AUTOMATIC" ? "charge" : "request",
      needs: [{ kind: "shelf", currency, featureKey }],
    });
  }
}

const idOf = (charge: Charge): ChargeId => charge.id;

/** The database's clock, which tests shift. */
export async function clockOf(ledger: TestLedger): Promise<Instant> {
  const rows = await ledger.connections.reads.query<{ now: Instant }[]>(
    "SELECT ledger_clock() AS now",
  );
  const now = rows[0]?.now;
  assert(now !== undefined, "the database has a clock");
  return now;
}

export type BalanceWords = Partial<Parameters<Balances["get"]>[1]>;
