/**
 * Owns a customer with a long history, made in the database itself: ten grants of euros and then
 * many of dollars, of which a few have features, and after that one charge of one dollar after
 * another. The books are right.
 */
import type pg from "pg";
import type { ChargeId, CustomerId, GrantId } from "../../src/ledger/ids.ts";
import { TENANT } from "../pipeline/ledger.ts";

export const EURO_GRANTS = 10;
export const DOLLAR_GRANTS = 200;
const GRANTS = EURO_GRANTS + DOLLAR_GRANTS;
/** The first dollar grants have features and are drawn by nobody. */
export const RESTRICTED_GRANTS = 10;

const hex = (number: string) => `lpad(to_hex(${number}), 12, '0')`;
const grantId = (number: string) => `('01900000-0000-7000-8000-' || ${hex(number)})::uuid`;
const chargeId = (number: string) => `('01900000-0000-7000-8100-' || ${hex(number)})::uuid`;
const momentOf = (number: string) => `'2025-01-01Z'::timestamptz + ${number} * interval '1 second'`;

export function grantOf(number: number): GrantId {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, "0")}` as GrantId;
}

export function chargeOf(sequence: number): ChargeId {
  return `01900000-0000-7000-8100-${sequence.toString(16).padStart(12, "0")}` as ChargeId;
}

const GRANTS_MADE = `INSERT INTO credit_grant (number, first_sequence, created_at, effective_at,
    priority, funding_method, status, open, tenant_id, customer_id, credit_grant_id, currency,
    amount, remaining, held, accrued, adjusted_unpaid, features, name, description, metadata)
  SELECT n, n, ${momentOf("n")}, ${momentOf("n")}, 10, 'PROMOTIONAL', 'ACTIVE', true, $1, $2,
    ${grantId("n")}, CASE WHEN n <= ${EURO_GRANTS} THEN 'EUR' ELSE 'USD' END, 1000000, 1000000, 0,
    0, 0, CASE WHEN n > ${EURO_GRANTS} AND n <= ${EURO_GRANTS + RESTRICTED_GRANTS}
      THEN '{api}'::text[] ELSE '{}' END, 'credit', '', '{}'
  FROM generate_series(1, ${GRANTS}) n`;

const FUNDED = `INSERT INTO transfer (sequence, booked_at, created_at, event, debit_account,
    credit_account, tenant_id, customer_id, credit_grant_id, currency, amount, settled_after,
    pending_after, grant_remaining_after, grant_held_after)
  SELECT n, ${momentOf("n")}, ${momentOf("n")}, 'FUNDED', 'promotion', 'customer_credit', $1, $2,
    ${grantId("n")}, CASE WHEN n <= ${EURO_GRANTS} THEN 'EUR' ELSE 'USD' END, 1000000,
    1000000 * b.place, 1000000 * b.place, 1000000, 0
  FROM generate_series(1, ${GRANTS}) n
  CROSS JOIN LATERAL (
    SELECT CASE WHEN n <= ${EURO_GRANTS} THEN n ELSE n - ${EURO_GRANTS} END AS place
  ) b`;

const DRAWN_GRANTS = DOLLAR_GRANTS - RESTRICTED_GRANTS;

const CONSUMED = `INSERT INTO transfer (sequence, booked_at, created_at, event, debit_account,
    credit_account, tenant_id, customer_id, credit_grant_id, charge_id, currency, amount,
    settled_after, pending_after, grant_remaining_after, grant_held_after)
  SELECT n, ${momentOf("n")}, ${momentOf("n")}, 'CONSUMED', 'customer_credit', 'earnings', $1, $2,
    ${grantId("d.grant_number")}, ${chargeId("n")}, 'USD', 1, d.balance, d.balance,
    1000000 - row_number() OVER (PARTITION BY d.grant_number ORDER BY n), 0
  FROM generate_series(${GRANTS + 1}, $3::integer) n
  CROSS JOIN LATERAL (
    SELECT n % ${DRAWN_GRANTS} + ${EURO_GRANTS + RESTRICTED_GRANTS} + 1 AS grant_number,
      ${DOLLAR_GRANTS} * 1000000 - (n - ${GRANTS}) AS balance
  ) d`;

const CHARGED = `INSERT INTO charge (number, first_consumed_sequence, created_at, settled_at, status,
    settlement_mode, capture, tenant_id, customer_id, charge_id, currency, amount,
    estimated_amount, invoiced_amount, corrected_invoiced, draw_credit_grant_ids, draw_amounts,
    draw_returned, description, metadata)
  SELECT t.sequence, t.sequence, t.booked_at, t.booked_at, 'SETTLED', 'CREDIT_ONLY', 'AUTOMATIC',
    t.tenant_id, t.customer_id, t.charge_id, t.currency, t.amount, t.amount, 0, 0,
    ARRAY[t.credit_grant_id], ARRAY[t.amount], ARRAY[0], '', '{}'
  FROM transfer t WHERE t.customer_id = $1 AND t.charge_id IS NOT NULL`;

const DRAWN = `UPDATE credit_grant g SET remaining = t.remaining
  FROM (SELECT credit_grant_id, min(grant_remaining_after) AS remaining
    FROM transfer WHERE customer_id = $1 GROUP BY 1) t
  WHERE g.customer_id = $1 AND g.credit_grant_id = t.credit_grant_id`;

const BALANCED = `INSERT INTO balance (tenant_id, customer_id, currency, credit, held, issued)
  SELECT tenant_id, customer_id, currency, sum(remaining), 0, sum(amount)
  FROM credit_grant WHERE customer_id = $1 GROUP BY 1, 2, 3`;

const HEADED = `UPDATE customer_head SET sequence = $2::integer, object_count = $2::integer,
    last_booked_at = ${momentOf("$2::integer")}
  WHERE customer_id = $1`;

/** Fills an empty customer with so many transfers. */
export async function fillJournal(
  superuser: pg.Client,
  customerId: CustomerId,
  transfers: number,
): Promise<void> {
  await superuser.query(GRANTS_MADE, [TENANT, customerId]);
  await superuser.query(FUNDED, [TENANT, customerId]);
  await superuser.query(CONSUMED, [TENANT, customerId, transfers]);
  await superuser.query(CHARGED, [customerId]);
  await superuser.query(DRAWN, [customerId]);
  await superuser.query(BALANCED, [customerId]);
  await superuser.query(HEADED, [customerId, transfers]);
  await superuser.query("ANALYZE");
}
