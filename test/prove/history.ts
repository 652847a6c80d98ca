/**
 * Owns the journal of one customer as the database has it, in the few words that a checker of
 * histories needs.
 */
import type pg from "pg";

/** One row of the journal, amounts in units of 10^-12. */
export interface Row {
  readonly sequence: number;
  readonly event: string;
  readonly debit: string;
  readonly credit: string;
  readonly grantId: string;
  readonly chargeId: string | null;
  readonly currency: string;
  readonly amount: bigint;
  readonly bookedAtUs: bigint;
}

export interface Lot {
  readonly id: string;
  readonly currency: string;
  readonly priority: number;
  /** Microseconds; null for never. */
  readonly expiresAtUs: bigint | null;
  readonly firstSequence: number;
  readonly features: readonly string[];
  free: bigint;
}

export interface History {
  readonly rows: readonly Row[];
  readonly lots: ReadonlyMap<string, Lot>;
  /** The feature of each charge. */
  readonly features: ReadonlyMap<string, string | null>;
}

const E12 = "1000000000000";
const US = (column: string) => `(extract(epoch FROM ${column}) * 1000000)::bigint`;

export async function readHistory(client: pg.Client, customerId: string): Promise<History> {
  const ask = async (sql: string) => (await client.query(sql, [customerId])).rows;
  const rows = await ask(`SELECT sequence, event, debit_account, credit_account, credit_grant_id,
      charge_id, currency, (amount * ${E12})::numeric(40) AS amount, ${US("booked_at")} AS booked_at
    FROM transfer WHERE customer_id = $1 ORDER BY sequence`);
  const grants = await ask(`SELECT credit_grant_id, currency, priority, features, first_sequence,
      ${US("expires_at")} AS expires_at FROM credit_grant WHERE customer_id = $1`);
  const charges = await ask("SELECT charge_id, feature_key FROM charge WHERE customer_id = $1");
  return {
    rows: rows.map((row) => ({
      sequence: Number(row.sequence),
      event: row.event,
      debit: row.debit_account,
      credit: row.credit_account,
      grantId: row.credit_grant_id,
      chargeId: row.charge_id,
      currency: row.currency,
      amount: BigInt(row.amount),
      bookedAtUs: BigInt(row.booked_at),
    })),
    lots: new Map(
      grants.map((row) => [
        row.credit_grant_id,
        {
          id: row.credit_grant_id,
          currency: row.currency,
          priority: row.priority,
          expiresAtUs: row.expires_at === null ? null : BigInt(row.expires_at),
          firstSequence: Number(row.first_sequence ?? 0),
          features: row.features,
          free: 0n,
        },
      ]),
    ),
    features: new Map(charges.map((row) => [row.charge_id, row.feature_key])),
  };
}
