/**
 * Owns balances that are summed over credit grants: by feature, and what is upcoming (B1, B3). Only
 * open and pending grants are looked at, so ended ones cost nothing.
 */
import type { EntityManager } from "typeorm";
import type { CustomerId, GrantId } from "../ledger/ids.ts";
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import { formatInstant, type Instant } from "../money/time.ts";
import type { CurrencyBalance } from "./balance-answer.ts";
import { type FeatureFilter, featureCondition } from "./feature-filter.ts";
import { Parameters, selectRows } from "./statement.ts";

export interface GrantSums {
  readonly customerId: CustomerId;
  /** Null sums nothing: the balances come from their own rows. */
  readonly features: FeatureFilter | null;
  /** What waits longer than to its expiry is no longer upcoming (G2). */
  readonly at: Instant;
  /** Grants that somebody else counts. */
  readonly except: readonly GrantId[];
}

interface SumRow {
  readonly currency: CurrencyCode;
  readonly pending: Amount;
  readonly held: Amount;
  readonly upcoming: Amount;
}

/** A balance for each currency that the customer uses. */
export async function sumGrants(
  manager: EntityManager,
  { customerId, features, at, except }: GrantSums,
): Promise<CurrencyBalance[]> {
  const parameters = new Parameters();
  const customer = parameters.add(customerId);
  const moment = parameters.add(formatInstant(at));
  const excepted = parameters.add(except);
  const chosen = featureCondition(features, "g", parameters);
  const available =
    features === null
      ? "(SELECT b.credit AS pending, b.held)"
      : `(SELECT sum(g.remaining - g.held) AS pending, sum(g.held) AS held FROM credit_grant g
          WHERE g.customer_id = b.customer_id AND g.currency = b.currency AND g.open
            AND g.credit_grant_id <> ALL(${excepted}::uuid[]) AND ${chosen})`;
  const text = `SELECT b.currency, coalesce(a.pending, 0) AS pending, coalesce(a.held, 0) AS held,
      coalesce(u.upcoming, 0) AS upcoming
    FROM balance b
    CROSS JOIN LATERAL ${available} a
    CROSS JOIN LATERAL (
      SELECT sum(g.amount) AS upcoming FROM credit_grant g
      WHERE g.customer_id = b.customer_id AND g.status = 'PENDING' AND g.currency = b.currency
        AND (g.expires_at IS NULL OR g.expires_at > ${moment})
        AND g.credit_grant_id <> ALL(${excepted}::uuid[]) AND ${chosen}
    ) u
    WHERE b.customer_id = ${customer} AND b.issued > 0`;
  return selectRows<SumRow>(manager, text, parameters.values);
}
