/**
 * Owns customers with a long history, made in the database itself: ten grants of euros and then
 * many of dollars, of which a few have features, and after that one charge of one dollar after
 * another. The books are right, and every row is as the service would have written it.
 */
import type pg from "pg";
import { DEFAULT_TENANT_ID as TENANT } from "../../src/database/migrations/1_ledger.ts";
import { type ChargeId, type CustomerId, type GrantId, makeId } from "../../src/ledger/ids.ts";
import { instant } from "../../src/money/time.ts";

export const EURO_GRANTS = 10;
export const DOLLAR_GRANTS = 200;
const GRANTS = EURO_GRANTS + DOLLAR_GRANTS;
/** The first dollar grants have features and are drawn by nobody. */
export const RESTRICTED_GRANTS = 10;
const DRAWN_GRANTS = DOLLAR_GRANTS - RESTRICTED_GRANTS;

/** 2025-01-01, from which on something happens every second. */
const BEGINNING_MS = 1_735_689_600_000;

const momentOf = (number: string) => `'2025-01-01Z'::timestamptz + ${number} * interval '1 second'`;

/** The id that an object with this number gets, as `makeId` makes it. */
const idOf = (number: string) => `(
    regexp_replace(lpad(to_hex(${BEGINNING_MS} + ${number}::bigint * 1000), 12, '0'),
      '(.{8})(.{4})', '\\1-\\2-7000-')
    || regexp_replace(to_hex(2147483648 + ${number}::bigint), '(.{4})(.{4})', '\\1-\\2')
    || lpad(to_hex(${number}), 8, '0'))::uuid`;

function madeId<Id extends GrantId | ChargeId>(number: number): Id {
  const at = instant(BigInt(BEGINNING_MS + number * 1_000) * 1_000n);
  return makeId<Id>(at, BigInt(number), number);
}

export const grantOf = (number: number) => madeId<GrantId>(number);
export const chargeOf = (sequence: number) => madeId<ChargeId>(sequence);

const CUSTOMERS = "unnest($2::uuid[]) k(customer_id)";

const GRANTS_MADE = `INSERT INTO credit_grant (number, first_sequence, created_at, effective_at,
    priority, funding_method, status, open, tenant_id, customer_id, credit_grant_id, currency,
    amount, remaining, held, accrued, adjusted_unpaid, features, name, description, metadata)
  SELECT n, n, ${momentOf("n")}, ${momentOf("n")}, 10, 'PROMOTIONAL', 'ACTIVE', true, $1,
    k.customer_id, ${idOf("n")}, CASE WHEN n <= ${EURO_GRANTS} THEN 'EUR' ELSE 'USD' END,
    1000000, 1000000 - d.drawn, 0, 0, 0,
    CASE WHEN n > ${EURO_GRANTS} AND n <= ${EURO_GRANTS + RESTRICTED_GRANTS}
      THEN '{api}'::text[] ELSE '{}' END, 'credit', '', '{}'
  FROM ${CUSTOMERS}
  CROSS JOIN generate_series(1, ${GRANTS}) n
  CROSS JOIN LATERAL (
    SELECT CASE WHEN n > ${EURO_GRANTS + RESTRICTED_GRANTS}
      THEN ($3::integer - r.rest) / ${DRAWN_GRANTS} - (${GRANTS} - r.rest) / ${DRAWN_GRANTS}
      ELSE 0 END AS drawn
    FROM (SELECT n - ${EURO_GRANTS + RESTRICTED_GRANTS} - 1 AS rest) r
  ) d`;

const REQUESTED = `INSERT INTO request (created_at, tenant_id, customer_id, request_id,
    fingerprint, answer)
  SELECT ${momentOf("n")}, $1, k.customer_id, 'grant-' || n, '\\x00', ''
  FROM ${CUSTOMERS} CROSS JOIN generate_series(1, ${GRANTS}) n`;

const FUNDED = `INSERT INTO transfer (sequence, booked_at, created_at, event, debit_account,
    credit_account, tenant_id, customer_id, credit_grant_id, currency, amount, settled_after,
    pending_after, grant_remaining_after, grant_held_after)
  SELECT n, ${momentOf("n")}, ${momentOf("n")}, 'FUNDED', 'promotion', 'customer_credit', $1,
    k.customer_id, ${idOf("n")}, CASE WHEN n <= ${EURO_GRANTS} THEN 'EUR' ELSE 'USD' END, 1000000,
    1000000 * b.place, 1000000 * b.place, 1000000, 0
  FROM ${CUSTOMERS}
  CROSS JOIN generate_series(1, ${GRANTS}) n
  CROSS JOIN LATERAL (
    SELECT CASE WHEN n <= ${EURO_GRANTS} THEN n ELSE n - ${EURO_GRANTS} END AS place
  ) b`;

const CONSUMED = `INSERT INTO transfer (sequence, booked_at, created_at, event, debit_account,
    credit_account, tenant_id, customer_id, credit_grant_id, charge_id, currency, amount,
    settled_after, pending_after, grant_remaining_after, grant_held_after)
  SELECT n, ${momentOf("n")}, ${momentOf("n")}, 'CONSUMED', 'customer_credit', 'earnings', $1,
    k.customer_id, ${idOf("d.grant_number")}, ${idOf("n")}, 'USD', 1, d.balance, d.balance,
    1000000 - ((n - ${GRANTS} - 1) / ${DRAWN_GRANTS} + 1), 0
  FROM ${CUSTOMERS}
  CROSS JOIN generate_series(${GRANTS + 1}, $3::integer) n
  CROSS JOIN LATERAL (
    SELECT n % ${DRAWN_GRANTS} + ${EURO_GRANTS + RESTRICTED_GRANTS} + 1 AS grant_number,
      ${DOLLAR_GRANTS} * 1000000 - (n - ${GRANTS}) AS balance
  ) d`;

const CHARGED = `INSERT INTO charge (number, first_consumed_sequence, created_at, settled_at, status,
    settlement_mode, capture, tenant_id, customer_id, charge_id, currency, amount,
    estimated_amount, invoiced_amount, corrected_invoiced, draw_credit_grant_ids, draw_amounts,
    draw_returned, request_id, fingerprint, description, metadata)
  SELECT t.sequence, t.sequence, t.booked_at, t.booked_at, 'SETTLED', 'CREDIT_ONLY', 'AUTOMATIC',
    t.tenant_id, t.customer_id, t.charge_id, t.currency, t.amount, t.amount, 0, 0,
    ARRAY[t.credit_grant_id], ARRAY[t.amount], ARRAY[0], 'charge-' || t.sequence, '\\x00', '', '{}'
  FROM transfer t WHERE t.customer_id = ANY($1::uuid[]) AND t.charge_id IS NOT NULL`;

const BALANCED = `INSERT INTO balance (tenant_id, customer_id, currency, credit, held, issued)
  SELECT tenant_id, customer_id, currency, sum(remaining), 0, sum(amount)
  FROM credit_grant WHERE customer_id = ANY($1::uuid[]) GROUP BY 1, 2, 3`;

const HEADED = `UPDATE customer_head SET sequence = $2::integer, object_count = $2::integer,
    last_booked_at = ${momentOf("$2::integer")}
  WHERE customer_id = ANY($1::uuid[])`;

/** Fills empty customers with so many transfers each. */
export async function fillJournals(
  superuser: pg.Client,
  customerIds: readonly CustomerId[],
  transfers: number,
): Promise<void> {
  await superuser.query(GRANTS_MADE, [TENANT, customerIds, transfers]);
  await superuser.query(REQUESTED, [TENANT, customerIds]);
  await superuser.query(FUNDED, [TENANT, customerIds]);
  await superuser.query(CONSUMED, [TENANT, customerIds, transfers]);
  await superuser.query(CHARGED, [customerIds]);
  await superuser.query(BALANCED, [customerIds]);
  await superuser.query(HEADED, [customerIds, transfers]);
}

/** Fills an empty customer with so many transfers. */
export async function fillJournal(
  superuser: pg.Client,
  customerId: CustomerId,
  transfers: number,
): Promise<void> {
  await fillJournals(superuser, [customerId], transfers);
  await superuser.query("ANALYZE");
}
