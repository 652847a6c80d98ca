/**
 * Owns the statements of an audit. Whole journals are read, so their rows come as text, and what
 * charges say of their draws is compared as sums of digests, which the database makes.
 */
import { lineOf } from "./journal-text.ts";

/**
 * The digest of a record is a linear sum of those of its columns, so records that exchange a column
 * would come to the same total. It is digested once more.
 */
const digest = (...columns: readonly string[]) =>
  `hashint8extended(hash_record_extended(ROW(${columns.join(", ")}), 0), 0)`;

/** Of what a transfer consumed: charge, grant, amount and place, all in one number. */
const digestOfDraw = (charge: string, grant: string, amount: string, sequence: string) =>
  digest(charge, grant, amount, sequence);

/** Of charge and grant alone: multiplied by amounts it makes sums that can be compared. */
const digestOfPair = (charge: string, grant: string) => digest(charge, grant);

/** $1 customers, $2 the sequences after which and $3 up to which to read. */
export const READ_JOURNAL = `SELECT j.customer_id, count(*) AS rows,
    string_agg(j.line, E'\\n' ORDER BY j.sequence) AS lines
  FROM (
    SELECT t.customer_id, t.sequence, ${lineOf(`CASE t.event
      WHEN 'CONSUMED'
        THEN ${digestOfDraw("t.charge_id", "t.credit_grant_id", "t.amount", "t.sequence")}
      WHEN 'CORRECTED' THEN ${digestOfPair("t.charge_id", "t.credit_grant_id")}
      ELSE 0 END`)} AS line
    FROM transfer t
    WHERE t.customer_id = ANY($1::uuid[]) AND t.sequence > $2 AND t.sequence <= $3
  ) j
  GROUP BY j.customer_id`;

export const READ_HEADS = `SELECT h.customer_id, h.sequence, h.last_booked_at::text, h.next_due_at,
    h.object_count, h.invoice_count
  FROM customer_head h WHERE h.customer_id = ANY($1::uuid[])`;

export const READ_BALANCES = `SELECT b.customer_id, b.currency, b.credit, b.held, b.issued
  FROM balance b WHERE b.customer_id = ANY($1::uuid[])`;

/** $2 the id after which and $3 how many; a group of customers is read whole. */
export const READ_GRANTS = `SELECT g.customer_id, g.credit_grant_id, g.number, g.first_sequence,
    g.expires_at, g.due_at, g.voided_at, g.status, g.settlement_status, g.currency, g.amount,
    g.remaining, g.held, g.accrued, g.adjusted_unpaid
  FROM credit_grant g
  WHERE g.customer_id = ANY($1::uuid[]) AND g.credit_grant_id > $2
  ORDER BY g.customer_id, g.credit_grant_id LIMIT $3`;

export const READ_OPEN_CHARGES = `SELECT c.customer_id, c.charge_id, c.currency, c.hold_expires_at,
    c.draw_credit_grant_ids, c.draw_amounts
  FROM charge c WHERE c.customer_id = ANY($1::uuid[]) AND c.status = 'OPEN'`;

const DRAWS = "unnest(c.draw_credit_grant_ids, c.draw_amounts, c.draw_returned)";

/** Most charges draw once: they are spared the way through a set of rows. */
const CONSUMED = `CASE
    WHEN c.status <> 'SETTLED' THEN NULL
    WHEN cardinality(c.draw_amounts) = 1 THEN ${digestOfDraw(
      "c.charge_id",
      "c.draw_credit_grant_ids[1]",
      "c.draw_amounts[1]",
      "c.first_consumed_sequence",
    )}::numeric
    ELSE (
      SELECT sum(${digestOfDraw("c.charge_id", "d.id", "d.amount", "c.first_consumed_sequence + d.place - 1")})
      FROM ${DRAWS} WITH ORDINALITY d(id, amount, returned, place))
  END`;

const RETURNED = `CASE WHEN 0 <> ANY(c.draw_returned) THEN (
    SELECT sum(d.returned * ${digestOfPair("c.charge_id", "d.id")})
    FROM ${DRAWS} d(id, amount, returned))
  END`;

const DRAWN = `CASE cardinality(c.draw_amounts)
    WHEN 0 THEN 0
    WHEN 1 THEN c.draw_amounts[1]
    ELSE (SELECT sum(d.amount) FROM unnest(c.draw_amounts) d(amount))
  END`;

/** Whether the parts of a charge come to its amount and fit its status (D3, D4, D5). */
const SOUND = `CASE c.status
    WHEN 'SETTLED' THEN c.settled_at IS NOT NULL AND c.amount = ${DRAWN} + c.invoiced_amount
      AND (c.first_consumed_sequence IS NULL) = (cardinality(c.draw_amounts) = 0)
    WHEN 'OPEN' THEN c.invoiced_amount = 0 AND c.first_consumed_sequence IS NULL
      AND ${DRAWN} <= c.amount
    ELSE c.canceled_at IS NOT NULL AND c.invoiced_amount = 0
      AND cardinality(c.draw_amounts) = 0
  END`;

/** So many unsound charges of one step are named. */
const NAMED_MAX = 100;

/** $2 the id after which and $3 how many; a group of customers is read whole. */
export const SUM_CHARGES = `SELECT p.customer_id, max(p.number) AS number,
    max(p.charge_id::text) AS last_id, count(*) AS charges,
    coalesce(sum(p.consumed), 0)::text AS consumed, coalesce(sum(p.returned), 0) AS returned,
    (array_agg(p.charge_id) FILTER (WHERE NOT p.sound))[1:${NAMED_MAX}] AS unsound
  FROM (
    SELECT c.customer_id, c.charge_id, c.number,
      ${CONSUMED} AS consumed, ${RETURNED} AS returned, ${SOUND} AS sound
    FROM charge c
    WHERE c.customer_id = ANY($1::uuid[]) AND c.charge_id > $2
    ORDER BY c.customer_id, c.charge_id LIMIT $3
  ) p
  GROUP BY p.customer_id`;

/** What of a charge's allocations the journal does not say; for a customer whose sums differ. */
export const FIND_WRONG_CHARGES = `SELECT p.charge_id, p.check, p.expected, p.found, p.last_id
  FROM (
    SELECT c.charge_id, max(c.charge_id::text) OVER () AS last_id, w.*
    FROM (
      SELECT * FROM charge c WHERE c.customer_id = $1 AND c.charge_id > $2
      ORDER BY c.charge_id LIMIT $3
    ) c
    LEFT JOIN LATERAL (
      SELECT 'charge_draws' AS check, j.draws AS expected, k.draws AS found
      FROM (
        SELECT coalesce(string_agg(concat_ws(' ', t.sequence, t.credit_grant_id, trim_scale(t.amount)), ', '
          ORDER BY t.sequence), 'nothing') AS draws
        FROM transfer t
        WHERE t.customer_id = c.customer_id AND t.charge_id = c.charge_id AND t.event = 'CONSUMED'
          AND t.sequence >= c.first_consumed_sequence
          AND t.sequence < c.first_consumed_sequence + cardinality(c.draw_amounts)
      ) j, (
        SELECT coalesce(string_agg(concat_ws(' ', c.first_consumed_sequence + d.place - 1, d.id,
          trim_scale(d.amount)), ', ' ORDER BY d.place), 'nothing') AS draws
        FROM ${DRAWS} WITH ORDINALITY d(id, amount, returned, place)
      ) k
      WHERE c.status = 'SETTLED' AND j.draws <> k.draws
      UNION ALL
      SELECT 'charge_returns', trim_scale(r.amount)::text, trim_scale(d.returned)::text
      FROM ${DRAWS} d(id, amount, returned)
      CROSS JOIN LATERAL (
        SELECT coalesce(sum(t.amount), 0) AS amount FROM transfer t
        WHERE t.customer_id = c.customer_id AND t.charge_id = c.charge_id
          AND t.charge_id IS NOT NULL AND t.event = 'CORRECTED' AND t.credit_grant_id = d.id
      ) r
      WHERE r.amount <> d.returned
    ) w ON true
  ) p
  WHERE p.check IS NOT NULL OR p.charge_id::text = p.last_id`;

/** Transfers that no charge accounts for; $2 and $3 as for the journal. */
export const FIND_STRAY_TRANSFERS = `SELECT t.sequence, t.event, t.charge_id, t.credit_grant_id
  FROM transfer t
  WHERE t.customer_id = $1 AND t.sequence > $2 AND t.sequence <= $3
    AND t.event IN ('CONSUMED', 'CORRECTED')
    AND NOT EXISTS (
      SELECT FROM charge c
      WHERE c.customer_id = t.customer_id AND c.charge_id = t.charge_id
        AND t.credit_grant_id = ANY(c.draw_credit_grant_ids)
        AND (t.event = 'CORRECTED' OR t.sequence BETWEEN c.first_consumed_sequence
          AND c.first_consumed_sequence + cardinality(c.draw_amounts) - 1))
  ORDER BY t.sequence LIMIT ${NAMED_MAX}`;

/** Invoices: the newest number, how many were issued, and those that differ from their lines. */
export const SUM_INVOICES = `SELECT i.customer_id, max(i.number) AS number,
    count(i.issue_number) AS issued,
    (array_agg(concat_ws(' ', i.invoice_id, 'has', trim_scale(i.subtotal), 'on', i.line_count,
        'lines with', i.credit_line_count, 'credits;', trim_scale(l.subtotal), l.lines, l.credits))
      FILTER (WHERE (i.subtotal, i.line_count, i.credit_line_count)
        <> (l.subtotal, l.lines, l.credits)))[1:${NAMED_MAX}] AS unsound
  FROM invoice i
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.amount), 0) AS subtotal, count(*) AS lines,
      count(l.credited_invoice_id) AS credits
    FROM invoice_line l WHERE l.customer_id = i.customer_id AND l.invoice_id = i.invoice_id
  ) l
  WHERE i.customer_id = ANY($1::uuid[])
  GROUP BY i.customer_id`;

export const FIND_STRAY_LINES = `SELECT l.customer_id, l.invoice_line_id
  FROM invoice_line l
  WHERE l.customer_id = ANY($1::uuid[])
    AND NOT EXISTS (
      SELECT FROM invoice i WHERE i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id)
  LIMIT ${NAMED_MAX}`;
