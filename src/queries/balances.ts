/** Owns the one way to a customer's balances, whatever moment and credit are asked for (B1-B5). */
import type { DataSource, EntityManager } from "typeorm";
import { customerNotFound } from "../customer/customer-not-found.ts";
import { readTransaction } from "../database/read.ts";
import { assert } from "../errors.ts";
import { type CurrencyCode, isoCurrency } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import { type BalanceAnswer, checkCurrency, chooseCurrency } from "./balance-answer.ts";
import { BalanceBatch } from "./balance-batch.ts";
import { forecastBalances, type LookAhead } from "./balance-forecast.ts";
import { balancesAt } from "./balance-past.ts";
import { sumGrants } from "./balance-sums.ts";
import {
  type BookDue,
  type CustomerName,
  CustomerReads,
  DUE_ROUNDS_MAX,
  type Head,
  isDue,
} from "./customer-reads.ts";
import type { FeatureFilter } from "./feature-filter.ts";

export interface BalanceAsk {
  /** Null: every currency that the customer uses. */
  readonly currency: CurrencyCode | null;
  readonly features: FeatureFilter | null;
  /** Null: now. */
  readonly asOf: Instant | null;
}

/** A moment can pass while it is forecast, and then has to be looked up; once is enough. */
const MOMENT_ROUNDS_MAX = 3;

export class Balances {
  readonly #reads: DataSource;
  readonly #bookDue: BookDue;
  readonly #lookAhead: LookAhead;
  readonly #customers: CustomerReads;
  readonly #batch: BalanceBatch;

  constructor(parts: {
    readonly reads: DataSource;
    readonly bookDue: BookDue;
    readonly lookAhead: LookAhead;
  }) {
    this.#reads = parts.reads;
    this.#bookDue = parts.bookDue;
    this.#lookAhead = parts.lookAhead;
    this.#customers = new CustomerReads(parts);
    this.#batch = new BalanceBatch(parts.reads);
  }

  async get(customer: CustomerName, ask: BalanceAsk): Promise<BalanceAnswer> {
    const { currency, features, asOf } = ask;
    if (asOf === null) {
      if (features === null) return this.#now(customer, currency);
      return this.#nowByFeature(customer, currency, features);
    }
    for (let round = 0; ; round += 1) {
      const past = await this.#past(customer, { ...ask, asOf });
      if (past !== undefined) return past;
      const parts = { bookDue: this.#bookDue, lookAhead: this.#lookAhead };
      const forecast = await forecastBalances(parts, customer, { ...ask, moment: asOf });
      if (forecast !== undefined) return forecast;
      assert(round < MOMENT_ROUNDS_MAX, "a moment that has passed stays past");
    }
  }

  async #now(customer: CustomerName, currency: CurrencyCode | null): Promise<BalanceAnswer> {
    for (let round = 0; ; round += 1) {
      const found = await this.#batch.read(customer);
      if (found === undefined) throw customerNotFound(customer.customerId);
      const { head, balances } = found;
      if (isDue(head) && round < DUE_ROUNDS_MAX) {
        await this.#bookDue(customer.tenantId, customer.customerId);
        continue;
      }
      if (balances.every((balance) => balance.currency !== currency)) {
        await this.#checkCurrency(customer, currency);
      }
      const chosen = chooseCurrency(balances, currency);
      return { balances: chosen, asOf: head.now, sequence: head.sequence };
    }
  }

  /** Only a tenant's own currency has to be looked up. */
  async #checkCurrency({ tenantId }: CustomerName, currency: CurrencyCode | null): Promise<void> {
    if (currency === null || isoCurrency(currency) !== undefined) return;
    await readTransaction(this.#reads, tenantId, (manager) =>
      checkCurrency(manager, tenantId, currency),
    );
  }

  #nowByFeature(
    customer: CustomerName,
    currency: CurrencyCode | null,
    features: FeatureFilter,
  ): Promise<BalanceAnswer> {
    const { tenantId, customerId } = customer;
    return this.#customers.read(customer, async (manager, { now, sequence }) => {
      await checkCurrency(manager, tenantId, currency);
      const balances = await sumGrants(manager, { customerId, features, at: now, except: [] });
      return { balances: chooseCurrency(balances, currency), asOf: now, sequence };
    });
  }

  /** Answers undefined when the moment is not past yet. */
  #past(
    customer: CustomerName,
    { currency, features, asOf: moment }: BalanceAsk & { readonly asOf: Instant },
  ): Promise<BalanceAnswer | undefined> {
    const { tenantId, customerId } = customer;
    const answer = async (manager: EntityManager, head: Head) => {
      await checkCurrency(manager, tenantId, currency);
      if (moment >= head.now) return undefined;
      const past = await balancesAt(manager, customerId, { moment, features, head });
      return { ...past, balances: chooseCurrency(past.balances, currency) };
    };
    return this.#customers.read(customer, answer, moment);
  }
}
