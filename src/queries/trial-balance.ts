/**
 * Owns the trial balance: what every account was debited and credited, summed over a tenant's
 * customers (L4). It sums what is booked, and says up to when nothing that fell due is missing.
 */
import type { DataSource } from "typeorm";
import { readTransaction } from "../database/read.ts";
import { ACCOUNTS, type Account } from "../ledger/chart.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import { formatInstant, type Instant, instant } from "../money/time.ts";
import { mayBeBeingWritten, waitForWriters } from "./customer-reads.ts";
import { readHeads, stretchesOf, walkCustomers } from "./customer-spans.ts";
import { Parameters, selectRows } from "./statement.ts";

export interface TrialBalanceRow {
  readonly account: Account;
  readonly currency: CurrencyCode;
  readonly debits: Amount;
  readonly credits: Amount;
  /** On the account's own side. */
  readonly balance: Amount;
}

export interface TrialBalance {
  /** By currency, then in the order of the chart. */
  readonly rows: readonly TrialBalanceRow[];
  readonly asOf: Instant;
  /** Up to here everything that has fallen due is booked and included. */
  readonly completeUntil: Instant;
}

export interface TrialBalanceAsk {
  /** Null: all. */
  readonly currency: CurrencyCode | null;
  /** Null: now. */
  readonly asOf: Instant | null;
}

interface SumRow {
  readonly currency: CurrencyCode;
  readonly debit_account: Account;
  readonly credit_account: Account;
  readonly amount: Amount;
}

export async function readTrialBalance(
  reads: DataSource,
  tenantId: TenantId,
  ask: TrialBalanceAsk,
  signal: AbortSignal,
): Promise<TrialBalance> {
  const clock = await readClock(reads, tenantId);
  const asOf = ask.asOf === null || ask.asOf > clock ? clock : ask.asOf;
  const waits = ask.asOf !== null && mayBeBeingWritten(asOf, clock);
  const sums = new TrialSums();
  let completeUntil = asOf;
  for await (const group of walkCustomers(reads, {
    tenantId,
    customerId: null,
    createdUntil: asOf,
  })) {
    signal.throwIfAborted();
    const customerIds = group.map(({ customerId }) => customerId);
    if (waits) await waitForWriters(reads, tenantId, customerIds);
    // Whoever was waited for has come further than the walk has met.
    const heads = waits ? await readHeads(reads, tenantId, customerIds) : group;
    for (const { nextDueAt } of heads) {
      if (nextDueAt !== null && nextDueAt <= completeUntil) completeUntil = instant(nextDueAt - 1n);
    }
    const [only] = heads;
    const stretches =
      heads.length === 1 && only !== undefined ? stretchesOf(only.sequence) : [EVERYTHING];
    for (const stretch of stretches) {
      signal.throwIfAborted();
      sums.add(await sumStretch(reads, tenantId, { ...ask, asOf, customerIds, ...stretch }));
    }
  }
  return { rows: sums.rows(), asOf, completeUntil };
}

/** Small customers are summed whole. */
const EVERYTHING = { from: 1n, to: 2n ** 63n - 1n };

async function readClock(reads: DataSource, tenantId: TenantId): Promise<Instant> {
  const rows = await readTransaction(reads, tenantId, (manager) =>
    selectRows<{ readonly clock: Instant }>(manager, "SELECT ledger_clock() AS clock", []),
  );
  return rows[0]?.clock ?? instant(0n);
}

function sumStretch(
  reads: DataSource,
  tenantId: TenantId,
  stretch: {
    readonly customerIds: readonly CustomerId[];
    readonly from: bigint;
    readonly to: bigint;
    readonly asOf: Instant;
    readonly currency: CurrencyCode | null;
  },
): Promise<SumRow[]> {
  const parameters = new Parameters();
  const conditions = [
    `t.customer_id = ANY(${parameters.add(stretch.customerIds)}::uuid[])`,
    `t.sequence BETWEEN ${parameters.add(stretch.from)} AND ${parameters.add(stretch.to)}`,
    `t.booked_at <= ${parameters.add(formatInstant(stretch.asOf))}`,
  ];
  if (stretch.currency !== null)
    conditions.push(`t.currency = ${parameters.add(stretch.currency)}`);
  const text = `SELECT t.currency, t.debit_account, t.credit_account, sum(t.amount) AS amount
    FROM transfer t WHERE ${conditions.join(" AND ")} GROUP BY 1, 2, 3`;
  return readTransaction(reads, tenantId, (manager) =>
    selectRows<SumRow>(manager, text, parameters.values),
  );
}

interface Sides {
  debits: Amount;
  credits: Amount;
}

/** Adds up both sides of every account. */
export class TrialSums {
  readonly #currencies = new Map<CurrencyCode, Map<Account, Sides>>();

  add(rows: readonly SumRow[]): void {
    for (const { currency, debit_account, credit_account, amount } of rows) {
      this.#sidesOf(currency, debit_account).debits += amount;
      this.#sidesOf(currency, credit_account).credits += amount;
    }
  }

  rows(): TrialBalanceRow[] {
    const chart = Object.entries(ACCOUNTS) as [Account, "debit" | "credit"][];
    return [...this.#currencies.keys()].sort().flatMap((currency) =>
      chart.flatMap(([account, side]) => {
        const sides = this.#currencies.get(currency)?.get(account);
        if (sides === undefined) return [];
        const { debits, credits } = sides;
        const balance = side === "debit" ? debits - credits : credits - debits;
        return [{ account, currency, debits, credits, balance }];
      }),
    );
  }

  #sidesOf(currency: CurrencyCode, account: Account): Sides {
    let accounts = this.#currencies.get(currency);
    if (accounts === undefined) {
      accounts = new Map();
      this.#currencies.set(currency, accounts);
    }
    let sides = accounts.get(account);
    if (sides === undefined) {
      sides = { debits: 0n, credits: 0n };
      accounts.set(account, sides);
    }
    return sides;
  }
}
