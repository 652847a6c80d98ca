/** Owns balances as of a past moment, read from the journal rows that stood then (B2). */
import type { EntityManager } from "typeorm";
import type { CustomerId } from "../ledger/ids.ts";
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import type { BalanceAnswer, CurrencyBalance } from "./balance-answer.ts";
import type { Head } from "./customer-reads.ts";
import { type FeatureFilter, featureCondition } from "./feature-filter.ts";
import { lastSequenceAt, walkOf } from "./journal-search.ts";
import { Parameters, selectRows } from "./statement.ts";

interface PastRow {
  readonly currency: CurrencyCode;
  readonly settled: Amount;
  readonly pending: Amount;
}

/** The balances with everything booked at or before the moment. Nothing is upcoming in the past. */
export async function balancesAt(
  manager: EntityManager,
  customerId: CustomerId,
  asked: {
    readonly moment: Instant;
    readonly features: FeatureFilter | null;
    readonly head: Head;
  },
): Promise<BalanceAnswer> {
  const { moment, features, head } = asked;
  const sequence = await lastSequenceAt(manager, customerId, { moment, newest: head.sequence });
  const balances =
    sequence === 0n ? [] : await balancesAtSequence(manager, customerId, sequence, features);
  return { balances, asOf: moment, sequence };
}

/** The currencies are those with a transfer by then. */
async function balancesAtSequence(
  manager: EntityManager,
  customerId: CustomerId,
  sequence: bigint,
  features: FeatureFilter | null,
): Promise<CurrencyBalance[]> {
  const parameters = new Parameters();
  const customer = parameters.add(customerId);
  const to = `${parameters.add(sequence)}::bigint`;
  const ofCurrency = walkOf("currency", { value: "b.currency", from: "1", to, direction: "older" });
  const ofGrant = walkOf("credit_grant_id", {
    value: "g.credit_grant_id",
    from: "1",
    to,
    direction: "older",
  });
  const chosen =
    features === null
      ? "(SELECT l.settled_after AS settled, l.pending_after AS pending)"
      : `(SELECT sum(t.grant_remaining_after) AS settled,
            sum(t.grant_remaining_after - t.grant_held_after) AS pending
          FROM credit_grant g
          CROSS JOIN LATERAL (
            SELECT t.grant_remaining_after, t.grant_held_after FROM transfer t
            WHERE t.customer_id = g.customer_id AND ${ofGrant.where}
            ORDER BY ${ofGrant.orderBy} LIMIT 1
          ) t
          WHERE g.customer_id = b.customer_id AND g.currency = b.currency
            AND g.first_sequence <= ${to} AND ${featureCondition(features, "g", parameters)})`;
  const text = `SELECT b.currency, coalesce(s.settled, 0) AS settled,
      coalesce(s.pending, 0) AS pending
    FROM balance b
    CROSS JOIN LATERAL (
      SELECT t.settled_after, t.pending_after FROM transfer t
      WHERE t.customer_id = b.customer_id AND ${ofCurrency.where}
      ORDER BY ${ofCurrency.orderBy} LIMIT 1
    ) l
    CROSS JOIN LATERAL ${chosen} s
    WHERE b.customer_id = ${customer}`;
  const rows = await selectRows<PastRow>(manager, text, parameters.values);
  return rows.map(({ currency, settled, pending }) => ({
    currency,
    pending,
    held: settled - pending,
    upcoming: 0n,
  }));
}
