/**
 * Owns the rules between what was asked for and what came of it (W1): every effect stands at a
 * moment at which the customer had as many requests as there are commands that made the effects.
 * Charges that settle at once carry their own request ids and are not counted here.
 */
import type { Rule } from "./rules.ts";

/**
 * The moments of commands. `commands` is 1 where the row is the whole of one command's effect, and
 * 0 where another row of the same command is counted.
 */
const EFFECTS = `
    SELECT g.customer_id, g.created_at AS at, 1 AS commands, 'a grant' AS what
    FROM credit_grant g WHERE g.customer_id = ANY($1::uuid[])
  UNION ALL
    SELECT g.customer_id, g.voided_at, 0, 'the voiding of a grant'
    FROM credit_grant g WHERE g.customer_id = ANY($1::uuid[]) AND g.voided_at IS NOT NULL
  UNION ALL
    SELECT i.customer_id, m.at, m.commands, 'a step of an invoice'
    FROM invoice i
    CROSS JOIN LATERAL (VALUES
      (i.issued_at, CASE i.kind WHEN 'OVERAGE' THEN 1 ELSE 0 END),
      (i.paid_at, CASE WHEN i.kind = 'OVERAGE' AND i.paid_at <> i.issued_at THEN 1 ELSE 0 END),
      (i.voided_at, CASE i.kind WHEN 'OVERAGE' THEN 1 ELSE 0 END)) m(at, commands)
    WHERE i.customer_id = ANY($1::uuid[]) AND m.at IS NOT NULL
  UNION ALL
    SELECT n.customer_id, t.created_at, 1, 'an adjustment or a correction'
    FROM movement_note n
    JOIN transfer t ON t.customer_id = n.customer_id AND t.sequence = n.sequence
    WHERE n.customer_id = ANY($1::uuid[]) AND t.debit_account <> 'promotion'`;

/** What asked for an effect at that moment does not suffice for what came of it. */
const unasked = (effects: string) => `SELECT e.customer_id,
    e.commands || ' requests at ' || e.at AS expected, coalesce(q.requests, 0) || ' for ' || e.what
      AS found
  FROM (
    SELECT u.customer_id, u.at, greatest(sum(u.commands), 1) AS commands, min(u.what) AS what
    FROM (${effects}) u GROUP BY u.customer_id, u.at
  ) e
  LEFT JOIN (
    SELECT r.customer_id, r.created_at AS at, count(*) AS requests
    FROM request r WHERE r.customer_id = ANY($1::uuid[]) GROUP BY r.customer_id, r.created_at
  ) q ON q.customer_id = e.customer_id AND q.at = e.at
  WHERE coalesce(q.requests, 0) < e.commands`;

export const REQUEST_RULES: readonly Rule[] = [
  { check: "request_missing", about: "all", broken: unasked(EFFECTS) },
  {
    check: "request_missing",
    about: "manual",
    broken: unasked(`SELECT c.customer_id, m.at, 1 AS commands, 'an open charge' AS what
      FROM charge c
      CROSS JOIN LATERAL (VALUES (c.created_at), (c.settled_at),
        (CASE WHEN c.canceled_at < c.hold_expires_at THEN c.canceled_at END)) m(at)
      WHERE c.customer_id = ANY($1::uuid[]) AND c.capture = 'MANUAL' AND m.at IS NOT NULL`),
  },
  {
    check: "request_missing",
    about: "eventful",
    broken: unasked(`SELECT t.customer_id, t.booked_at AS at, 0 AS commands,
        lower(t.event::text) AS what
      FROM transfer t
      WHERE t.customer_id = ANY($1::uuid[]) AND (t.event IN ('PAYMENT_AUTHORIZED',
          'AUTHORIZATION_REVERSED', 'PAYMENT_SETTLED', 'RECOGNIZED', 'FORFEITED', 'CORRECTED',
          'ADJUSTED')
        OR t.event = 'VOIDED' AND t.charge_id IS NULL)`),
  },
  {
    check: "request_doubled",
    about: "all",
    broken: `SELECT r.customer_id, c.charge_id, 'one answer' AS expected,
        r.request_id || ' has two' AS found
      FROM request r
      JOIN charge c ON c.customer_id = r.customer_id AND c.request_id = r.request_id
      WHERE r.customer_id = ANY($1::uuid[])`,
  },
];
