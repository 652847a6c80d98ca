/** Owns the rules between invoices, their lines, and what they are for (I1, I2, I3). */
import type { Rule } from "./rules.ts";

/** The settlement of a purchase invoice's grant (I2). */
const SETTLEMENT = `CASE i.status WHEN 'OPEN' THEN 'PENDING' WHEN 'PAYMENT_FAILED' THEN 'PENDING'
    WHEN 'AUTHORIZED' THEN 'AUTHORIZED' WHEN 'PAID' THEN 'SETTLED' WHEN 'VOID' THEN 'FAILED' END`;

const IS_PURCHASE_SOUND = `i.status <> 'DRAFT' AND i.issued_at = i.created_at
    AND i.line_count = 1
    AND coalesce(g.invoice_id = i.invoice_id AND g.created_at = i.created_at
      AND g.purchase_currency = i.currency AND g.purchase_amount = i.subtotal
      AND g.settlement_status::text = ${SETTLEMENT}, false)`;

/**
 * An invoice can be paid before it was issued: neither moves the customer's time, so that they
 * follow the database's clock where it goes back.
 */
const ARE_MOMENTS_SOUND = `(i.issued_at IS NULL) = (i.issue_number IS NULL)
    AND (i.paid_at IS NULL) = (i.status <> 'PAID')
    AND (i.voided_at IS NULL) = (i.status <> 'VOID')
    AND (i.issued_at IS NOT NULL OR i.status IN ('DRAFT', 'VOID'))
    AND (i.issued_at IS NULL OR i.status <> 'DRAFT')
    AND least(i.issued_at, i.paid_at, i.voided_at, i.created_at) = i.created_at`;

export const LINE_RULES: readonly Rule[] = [
  {
    check: "invoice_state",
    about: "all",
    broken: `SELECT i.customer_id, i.credit_grant_id AS grant_id,
        'what fits its moments, its number and its grant' AS expected,
        concat_ws(' ', i.kind, i.status, 'invoice', i.invoice_id) AS found
      FROM invoice i
      LEFT JOIN credit_grant g
        ON g.customer_id = i.customer_id AND g.credit_grant_id = i.credit_grant_id
      WHERE i.customer_id = ANY($1::uuid[]) AND NOT (${ARE_MOMENTS_SOUND}
        AND CASE i.kind WHEN 'PURCHASE' THEN ${IS_PURCHASE_SOUND}
          ELSE i.credit_grant_id IS NULL END)`,
  },
  {
    check: "invoice_state",
    about: "all",
    broken: `SELECT g.customer_id, g.credit_grant_id AS grant_id,
        'the purchase invoice ' || g.invoice_id AS expected, 'none' AS found
      FROM credit_grant g
      WHERE g.customer_id = ANY($1::uuid[]) AND g.invoice_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM invoice i WHERE i.customer_id = g.customer_id
          AND i.invoice_id = g.invoice_id AND i.credit_grant_id = g.credit_grant_id)`,
  },
  {
    // A draft is made with its first line, by a charge or by a correction that was asked for.
    check: "invoice_state",
    about: "invoiced",
    broken: `SELECT i.customer_id, 'the moment of a charge or of a request' AS expected,
        i.created_at || ' of invoice ' || i.invoice_id AS found
      FROM invoice i
      WHERE i.customer_id = ANY($1::uuid[]) AND i.kind = 'OVERAGE'
        AND NOT EXISTS (SELECT FROM request r
          WHERE r.customer_id = i.customer_id AND r.created_at = i.created_at)
        AND NOT EXISTS (SELECT FROM charge c WHERE c.customer_id = i.customer_id
          AND c.invoice_id = i.invoice_id AND c.settled_at = i.created_at)`,
  },
  {
    check: "invoice_numbers",
    about: "all",
    broken: `SELECT i.customer_id, count(i.issue_number) || ' numbers from 1 on' AS expected,
        min(i.issue_number) || ' to ' || max(i.issue_number) AS found
      FROM invoice i WHERE i.customer_id = ANY($1::uuid[])
      GROUP BY i.customer_id
      HAVING min(i.issue_number) <> 1 OR max(i.issue_number) <> count(i.issue_number)`,
  },
  {
    check: "invoice_line",
    about: "all",
    broken: `SELECT l.customer_id, l.credit_grant_id AS grant_id, l.charge_id,
        'a line of its grant or charge, on an invoice' AS expected,
        'line ' || l.invoice_line_id AS found
      FROM invoice_line l
      LEFT JOIN invoice i ON i.customer_id = l.customer_id AND i.invoice_id = l.invoice_id
      LEFT JOIN credit_grant g
        ON g.customer_id = l.customer_id AND g.credit_grant_id = l.credit_grant_id
      LEFT JOIN charge c ON c.customer_id = l.customer_id AND c.charge_id = l.charge_id
      WHERE l.customer_id = ANY($1::uuid[]) AND NOT coalesce(CASE i.kind
        WHEN 'PURCHASE' THEN l.charge_id IS NULL AND l.credited_invoice_id IS NULL
          AND i.credit_grant_id = l.credit_grant_id AND g.purchase_amount = l.amount
          AND g.name = l.description
        ELSE l.credit_grant_id IS NULL AND c.currency = i.currency
          AND c.description = l.description
          AND CASE WHEN l.credited_invoice_id IS NULL
            THEN c.invoice_line_id = l.invoice_line_id AND c.invoice_id = l.invoice_id
            ELSE c.invoice_id = l.credited_invoice_id END
        END, false)`,
  },
  {
    // What was taken back of a void invoice's charges was waived and stands nowhere (D7).
    check: "charge_line",
    about: "invoiced",
    broken: `SELECT c.customer_id, c.charge_id,
        trim_scale(c.invoiced_amount - c.corrected_invoiced) || ' on ' || c.invoice_id AS expected,
        coalesce(trim_scale(l.amount)::text, 'no line') || ' ' || coalesce(i.status::text, 'nowhere')
          AS found
      FROM charge c
      LEFT JOIN invoice i ON i.customer_id = c.customer_id AND i.invoice_id = c.invoice_id
      LEFT JOIN (
        SELECT customer_id, charge_id, sum(amount) AS amount
        FROM invoice_line WHERE customer_id = ANY($1::uuid[]) GROUP BY customer_id, charge_id
      ) l ON l.customer_id = c.customer_id AND l.charge_id = c.charge_id
      WHERE c.customer_id = ANY($1::uuid[]) AND c.invoiced_amount <> 0
        AND NOT coalesce(i.kind = 'OVERAGE' AND i.currency = c.currency
          AND CASE i.status WHEN 'VOID' THEN coalesce(l.amount, 0) BETWEEN
              c.invoiced_amount - c.corrected_invoiced AND c.invoiced_amount
            ELSE coalesce(l.amount, 0) = c.invoiced_amount - c.corrected_invoiced END, false)`,
  },
];
