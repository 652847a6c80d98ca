/**
 * Owns the statements of an audit. Whole journals are read, so their rows come as text, and what
 * charges say of their draws is compared as sums of digests, which the database makes.
 */
import { lineOf } from "./journal-text.ts";
import { NAMED_MAX } from "./rules.ts";

/**
 * The digest of a record is a linear sum of those of its columns, so records that exchange a column
 * would come to the same total. It is digested once more.
 */
const digest = (...columns: readonly string[]) =>
  `hashint8extended(hash_record_extended(ROW(${columns.join(", ")}), 0), 0)`;

/** What of a draw its transfer and its charge both say. */
interface Draw {
  readonly charge: string;
  readonly grant: string;
  readonly currency: string;
  readonly amount: string;
  readonly sequence: string;
  readonly at: string;
}

/** Of what a transfer consumed, all in one number. */
const digestOfDraw = ({ charge, grant, currency, amount, sequence, at }: Draw) =>
  digest(charge, grant, currency, amount, sequence, at);

const CHARGED = { charge: "c.charge_id", currency: "c.currency", at: "c.settled_at" };

/** Of charge and grant alone: multiplied by amounts it makes sums that can be compared. */
const digestOfPair = (charge: string, grant: string) => digest(charge, grant);

/** $1 customers, $2 the sequences after which and $3 up to which to read. */
export const READ_JOURNAL = `SELECT j.customer_id, count(*) AS rows,
    string_agg(j.line, E'\\n' ORDER BY j.sequence) AS lines
  FROM (
    SELECT t.customer_id, t.sequence, ${lineOf(`CASE t.event
      WHEN 'CONSUMED'
        THEN ${digestOfDraw({
          charge: "t.charge_id",
          grant: "t.credit_grant_id",
          currency: "t.currency",
          amount: "t.amount",
          sequence: "t.sequence",
          at: "t.booked_at",
        })}
      WHEN 'CORRECTED' THEN ${digestOfPair("t.charge_id", "t.credit_grant_id")}
      ELSE 0 END`)} AS line
    FROM transfer t
    WHERE t.customer_id = ANY($1::uuid[]) AND t.sequence > $2 AND t.sequence <= $3
  ) j
  GROUP BY j.customer_id`;

export const READ_CLOCK = "SELECT ledger_clock() AS now";

export const READ_HEADS = `SELECT h.customer_id, h.sequence, h.last_booked_at::text, h.next_due_at,
    h.object_count, h.invoice_count
  FROM customer_head h WHERE h.customer_id = ANY($1::uuid[])`;

export const READ_BALANCES = `SELECT b.customer_id, b.currency, b.credit, b.held, b.issued
  FROM balance b WHERE b.customer_id = ANY($1::uuid[])`;

/** $2 the id after which and $3 how many; a group of customers is read whole. */
export const READ_GRANTS = `SELECT g.customer_id, g.credit_grant_id, g.number, g.first_sequence,
    g.effective_at, g.expires_at, g.due_at, g.voided_at, g.status, g.funding_method,
    g.availability, g.settlement_status, g.invoice_id, g.currency, g.amount, g.remaining, g.held,
    g.accrued, g.adjusted_unpaid, g.expires_after, g.purchase_currency, g.per_unit_cost,
    g.purchase_amount, g.features
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
    WHEN cardinality(c.draw_amounts) = 1 THEN ${digestOfDraw({
      ...CHARGED,
      grant: "c.draw_credit_grant_ids[1]",
      amount: "c.draw_amounts[1]",
      sequence: "c.first_consumed_sequence",
    })}::numeric
    ELSE (
      SELECT sum(${digestOfDraw({
        ...CHARGED,
        grant: "d.id",
        amount: "d.amount",
        sequence: "c.first_consumed_sequence + d.place - 1",
      })})
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
const FITS_STATUS = `CASE c.status
    WHEN 'SETTLED' THEN c.settled_at IS NOT NULL AND c.canceled_at IS NULL
      AND c.amount = ${DRAWN} + c.invoiced_amount
      AND (c.first_consumed_sequence IS NULL) = (cardinality(c.draw_amounts) = 0)
    WHEN 'OPEN' THEN c.settled_at IS NULL AND c.canceled_at IS NULL
      AND c.invoiced_amount = 0 AND c.first_consumed_sequence IS NULL
      AND c.amount = c.estimated_amount AND ${DRAWN} <= c.amount
    ELSE c.settled_at IS NULL AND c.canceled_at IS NOT NULL AND c.invoiced_amount = 0
      AND c.amount = c.estimated_amount AND c.first_consumed_sequence IS NULL
      AND cardinality(c.draw_amounts) = 0
  END`;

/** A charge that settles at once is its own answer; others hold first, for a time (D4, W1). */
const FITS_CAPTURE = `CASE c.capture
    WHEN 'AUTOMATIC' THEN c.settled_at = c.created_at AND c.amount = c.estimated_amount
      AND c.hold_expires_at IS NULL AND c.request_id IS NOT NULL
    ELSE c.request_id IS NULL AND c.hold_expires_at > c.created_at
      AND coalesce(c.settled_at < c.hold_expires_at, true)
      AND coalesce(coalesce(c.settled_at, c.canceled_at) >= c.created_at, true)
  END`;

const FITS_MODE = `(c.invoiced_amount = 0 OR c.settlement_mode <> 'CREDIT_ONLY')
    AND (c.invoice_id IS NULL) = (c.invoiced_amount = 0)
    AND (c.invoice_line_id IS NULL) = (c.invoiced_amount = 0)
    AND (c.rate_card_key IS NULL) = (c.quantity IS NULL)
    AND (c.rate_card_key IS NULL) = (c.rate_card_version IS NULL)`;

const SOUND = `${FITS_STATUS} AND ${FITS_CAPTURE} AND ${FITS_MODE}`;

/** The creation sequence that an id carries (ids.ts): a line has no other record of it. */
const numberIn = (id: string) => `(
    (('x' || substr(replace(${id}::text, '-', ''), 14, 3))::bit(12)::bigint << 30)
    + (('x' || substr(replace(${id}::text, '-', ''), 17, 8))::bit(32)::bigint & 1073741823))`;

/** The creation sequence of a charge's line that was reduced to zero, and so removed (I1). */
const REMOVED_LINE = `CASE WHEN c.invoice_line_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM invoice_line l
      WHERE l.customer_id = c.customer_id AND l.invoice_line_id = c.invoice_line_id)
    THEN ${numberIn("c.invoice_line_id")} END`;

/** $2 the id after which and $3 how many; a group of customers is read whole. */
export const SUM_CHARGES = `SELECT p.customer_id,
    count(*) + count(p.removed_line) AS numbers,
    (coalesce(sum(p.number), 0) + coalesce(sum(p.removed_line), 0))::bigint AS sum_of_numbers,
    max(p.charge_id::text) AS last_id, count(*) AS charges,
    coalesce(sum(p.consumed), 0)::text AS consumed, coalesce(sum(p.returned), 0) AS returned,
    bool_or(p.is_manual) AS manual, bool_or(p.is_invoiced) AS invoiced, bool_or(p.is_rated) AS rated,
    (array_agg(p.charge_id) FILTER (WHERE NOT p.sound))[1:${NAMED_MAX}] AS unsound
  FROM (
    SELECT c.customer_id, c.charge_id, c.number, c.capture = 'MANUAL' AS is_manual,
      ${REMOVED_LINE} AS removed_line, c.invoiced_amount <> 0 AS is_invoiced, c.rate_card_key IS NOT NULL AS is_rated,
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
        SELECT coalesce(string_agg(concat_ws(' ', t.sequence, t.credit_grant_id,
          trim_scale(t.amount), t.currency, t.booked_at), ', ' ORDER BY t.sequence), 'nothing')
          AS draws
        FROM transfer t
        WHERE t.customer_id = c.customer_id AND t.charge_id = c.charge_id AND t.event = 'CONSUMED'
          AND t.sequence >= c.first_consumed_sequence
          AND t.sequence < c.first_consumed_sequence + cardinality(c.draw_amounts)
      ) j, (
        SELECT coalesce(string_agg(concat_ws(' ', c.first_consumed_sequence + d.place - 1, d.id,
          trim_scale(d.amount), c.currency, c.settled_at), ', ' ORDER BY d.place), 'nothing')
          AS draws
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

/** Invoices and their lines: their numbers, how many were issued, and which differ. */
export const SUM_INVOICES = `SELECT i.customer_id, (count(*) + sum(l.lines))::bigint AS numbers,
    (sum(i.number) + coalesce(sum(l.sum_of_numbers), 0))::bigint AS sum_of_numbers,
    bool_or(i.kind = 'OVERAGE' AND i.status = 'VOID') AS waived,
    count(i.issue_number) AS issued, bool_or(i.kind = 'OVERAGE') AS overage,
    (array_agg(concat_ws(' ', i.invoice_id, 'has', trim_scale(i.subtotal), 'on', i.line_count,
        'lines with', i.credit_line_count, 'credits;', trim_scale(l.subtotal), l.lines, l.credits))
      FILTER (WHERE (i.subtotal, i.line_count, i.credit_line_count)
        <> (l.subtotal, l.lines, l.credits)))[1:${NAMED_MAX}] AS unsound
  FROM invoice i
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.amount), 0) AS subtotal, count(*) AS lines,
      count(l.credited_invoice_id) AS credits,
      sum(${numberIn("l.invoice_line_id")}) AS sum_of_numbers
    FROM invoice_line l WHERE l.customer_id = i.customer_id AND l.invoice_id = i.invoice_id
  ) l
  WHERE i.customer_id = ANY($1::uuid[])
  GROUP BY i.customer_id`;
