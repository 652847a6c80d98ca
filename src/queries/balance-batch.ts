/**
 * Owns the reading of whole balances now, the read that every decision to spend makes. Reads that
 * arrive while one of their tenant is under way share the next: one transaction and one statement
 * for all customers asked, sent without waiting for one another's answers.
 */
import type { QueryResult } from "pg";
import type { DataSource } from "typeorm";
import { setTenant, withConnection } from "../database/connection.ts";
import { databaseFailure, databaseUnavailable } from "../database/sql-state.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import { inStatement } from "../tracing.ts";
import type { CurrencyBalance } from "./balance-answer.ts";
import { type CustomerName, type Head, headOf } from "./customer-reads.ts";

/** One statement reads so many customers; the rest wait for the next. */
const BATCH_CUSTOMERS_MAX = 500;

/** A row for each currency, or one without for a customer that uses none. */
const BALANCES = {
  name: "read_balances",
  text: `SELECT h.customer_id, h.sequence, h.last_booked_at, h.next_due_at, c.clock,
      b.currency, b.credit, b.held, u.upcoming
    FROM (SELECT ledger_clock() AS clock) c
    CROSS JOIN customer_head h
    LEFT JOIN balance b
      ON b.customer_id = h.customer_id AND b.customer_id = ANY($1::uuid[]) AND b.issued > 0
    LEFT JOIN LATERAL (
      SELECT sum(g.amount) AS upcoming FROM credit_grant g
      WHERE g.customer_id = h.customer_id AND g.status = 'PENDING' AND g.currency = b.currency
        AND (g.expires_at IS NULL OR g.expires_at > greatest(c.clock, h.last_booked_at))
    ) u ON true
    WHERE h.customer_id = ANY($1::uuid[])`,
};

interface BalanceRow {
  readonly customer_id: CustomerId;
  readonly sequence: bigint;
  readonly last_booked_at: Instant | null;
  readonly next_due_at: Instant | null;
  readonly clock: Instant;
  readonly currency: CurrencyCode | null;
  readonly credit: Amount | null;
  readonly held: Amount | null;
  readonly upcoming: Amount | null;
}

export interface CustomerBalances {
  readonly head: Head;
  readonly balances: readonly CurrencyBalance[];
}

type Answer = CustomerBalances | undefined;

/** The readers that share one row of a statement. */
type Waiting = Map<CustomerId, PromiseWithResolvers<Answer>>;

export class BalanceBatch {
  readonly #reads: DataSource;
  /** By tenant, while a read of it is under way: what the next one will ask for. */
  readonly #underWay = new Map<TenantId, Waiting>();

  constructor(reads: DataSource) {
    this.#reads = reads;
  }

  /** Reads the customer's balances, whether or not something is due; undefined: no customer. */
  read({ tenantId, customerId }: CustomerName): Promise<Answer> {
    const next = this.#underWay.get(tenantId);
    const waiting: Waiting = next ?? new Map();
    let answer = waiting.get(customerId);
    if (answer === undefined) {
      answer = Promise.withResolvers<Answer>();
      waiting.set(customerId, answer);
    }
    if (next === undefined) {
      this.#underWay.set(tenantId, waiting);
      void this.#run(tenantId);
    }
    return answer.promise;
  }

  /** Reads batch after batch until nobody waits. Never rejects: each reader is told instead. */
  async #run(tenantId: TenantId): Promise<void> {
    for (;;) {
      const waiting = this.#underWay.get(tenantId);
      if (waiting === undefined || waiting.size === 0) break;
      const batch: Waiting = new Map([...waiting].slice(0, BATCH_CUSTOMERS_MAX));
      this.#underWay.set(tenantId, new Map([...waiting].slice(BATCH_CUSTOMERS_MAX)));
      try {
        const found = await this.#select(tenantId, [...batch.keys()]);
        for (const [customerId, { resolve }] of batch) resolve(answerOf(found.get(customerId)));
      } catch (error) {
        for (const { reject } of batch.values()) reject(error);
      }
    }
    this.#underWay.delete(tenantId);
  }

  async #select(
    tenantId: TenantId,
    customerIds: readonly CustomerId[],
  ): Promise<ReadonlyMap<CustomerId, readonly BalanceRow[]>> {
    const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${setTenant(tenantId)}`;
    try {
      const { rows } = await withConnection(this.#reads, async ({ client }) => {
        const sent: Promise<QueryResult>[] = [
          client.query(begin),
          inStatement(BALANCES, () => client.query({ ...BALANCES, values: [customerIds] })),
          client.query("COMMIT"),
        ];
        const [, result] = await Promise.all(sent);
        return result as QueryResult<BalanceRow>;
      });
      return Map.groupBy(rows, (row) => row.customer_id);
    } catch (error) {
      const failure = databaseFailure(error);
      throw failure === "bug" || failure === "data" ? error : databaseUnavailable(error);
    }
  }
}

function answerOf(rows: readonly BalanceRow[] | undefined): Answer {
  const first = rows?.[0];
  if (rows === undefined || first === undefined) return undefined;
  const balances = rows.flatMap(({ currency, credit, held, upcoming }) =>
    currency === null || credit === null || held === null
      ? []
      : [{ currency, pending: credit, held, upcoming: upcoming ?? 0n }],
  );
  return { head: headOf(first), balances };
}
