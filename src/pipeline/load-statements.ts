/**
 * Owns the statements that load books, of several customers, and the catalogs of their tenant. Each
 * reaches rows by their keys, so that its cost depends neither on history nor on table size.
 */
import type { ElementOf } from "../database/array-parameter.ts";
import type { DrawKey } from "../ledger/draw-order.ts";
import type { Asked } from "./load-context.ts";
import {
  CHARGE_COLUMNS,
  INVOICE_COLUMNS,
  LINE_COLUMNS,
  LOT_COLUMNS,
  PROFILE_COLUMNS,
  RATE_CARD_COLUMNS,
  TERMS_COLUMNS,
} from "./rows.ts";
import { type Column, type Named, namedRows, type Statement } from "./statement.ts";

/**
 * Rows of a table named by customer and some more of its key. The fence (OFFSET 0) keeps the
 * planner from reading all rows of the customers and joining afterwards, which it would do while
 * its statistics still say that the table is small.
 */
const byKey = (parts: {
  readonly name: string;
  readonly table: string;
  readonly alias: string;
  /** The named columns, as parameters from $2 on. */
  readonly key: readonly Named[];
  readonly columns: string;
  readonly where?: string;
}): Statement => {
  const { table, alias, key } = parts;
  const match = key.map(({ name }) => `AND ${alias}.${name} = n.${name}`);
  const where = parts.where === undefined ? "" : `AND ${parts.where}`;
  return {
    name: parts.name,
    text: `SELECT r.*
      FROM ${namedRows(key, 1)}
      CROSS JOIN LATERAL (
        SELECT ${alias}.ctid, ${parts.columns} FROM ${table} ${alias}
        WHERE ${alias}.customer_id = n.customer_id ${match.join(" ")} ${where} OFFSET 0
      ) r`,
  };
};

export const LOAD_LOTS = byKey({
  name: "load_lots",
  table: "credit_grant",
  alias: "g",
  key: [{ name: "credit_grant_id", type: "uuid" }],
  columns: LOT_COLUMNS,
});

export const LOAD_TERMS = byKey({
  name: "load_terms",
  table: "credit_grant",
  alias: "g",
  key: [{ name: "credit_grant_id", type: "uuid" }],
  columns: TERMS_COLUMNS,
});

export const LOAD_CHARGES = byKey({
  name: "load_charges",
  table: "charge",
  alias: "c",
  key: [{ name: "charge_id", type: "uuid" }],
  columns: CHARGE_COLUMNS,
});

export const LOAD_INVOICES = byKey({
  name: "load_invoices",
  table: "invoice",
  alias: "i",
  key: [{ name: "invoice_id", type: "uuid" }],
  columns: INVOICE_COLUMNS,
});

export const LOAD_DRAFTS = byKey({
  name: "load_drafts",
  table: "invoice",
  alias: "i",
  key: [{ name: "currency", type: "text" }],
  columns: INVOICE_COLUMNS,
  where: "i.status = 'DRAFT'",
});

export const LOAD_LINES = byKey({
  name: "load_lines",
  table: "invoice_line",
  alias: "l",
  key: [{ name: "invoice_line_id", type: "uuid" }],
  columns: LINE_COLUMNS,
});

export const LOAD_CREDIT_LINES = byKey({
  name: "load_credit_lines",
  table: "invoice_line",
  alias: "l",
  key: [{ name: "credited_invoice_id", type: "uuid" }],
  columns: LINE_COLUMNS,
});

/** A page of a shelf that is asked for. */
export interface ShelfPage extends Asked<"shelf"> {
  readonly index: number;
  readonly limit: number;
}

export const SHELF_COLUMNS: readonly Column<ShelfPage>[] = [
  { name: "asked", type: "integer", value: ({ index }) => index },
  { name: "currency", type: "text", value: ({ need }) => need.currency },
  { name: "feature_key", type: "text", value: ({ need }) => need.featureKey },
  { name: "priority", type: "integer", value: ({ need }) => need.after?.priority ?? 0 },
  { name: "expires_at", type: "timestamptz", value: ({ need }) => expiryAfter(need.after) },
  { name: "first_sequence", type: "bigint", value: ({ need }) => need.after?.firstSequence ?? 0n },
  { name: "page", type: "integer", value: ({ limit }) => limit },
];

/** Before all lots there is no place yet; never is last (D2). */
function expiryAfter(after: DrawKey | undefined): ElementOf["timestamptz"] {
  return after === undefined ? "-infinity" : (after.expiresAt ?? "infinity");
}

/** Open grants in draw order (D2), so many after a given place, that a feature may draw. */
export const LOAD_SHELVES: Statement = {
  name: "load_shelves",
  text: `SELECT n.asked, g.ctid, ${LOT_COLUMNS}
    FROM ${namedRows(SHELF_COLUMNS, 1)}
    CROSS JOIN LATERAL (
      SELECT o.ctid, o.* FROM credit_grant o
      WHERE o.customer_id = n.customer_id AND o.currency = n.currency AND o.open
        AND (o.priority, coalesce(o.expires_at, 'infinity'::timestamptz), o.first_sequence)
          > (n.priority, n.expires_at, n.first_sequence)
        AND o.status = 'ACTIVE' AND o.remaining > o.held
        AND (n.feature_key = '*' OR o.features = '{}' OR n.feature_key = ANY(o.features))
      ORDER BY o.priority, coalesce(o.expires_at, 'infinity'::timestamptz), o.first_sequence
      LIMIT n.page
    ) g`,
};

export const LOAD_CURRENCIES: Statement = {
  name: "load_currencies",
  text: `SELECT c.code, c.name, c.exponent FROM currency c
    WHERE c.tenant_id = $1::uuid AND c.code = ANY($2::text[])`,
};

export const LOAD_NEWEST_RATE_CARDS: Statement = {
  name: "load_newest_rate_cards",
  text: `SELECT r.* FROM unnest($2::text[]) AS n(key)
    CROSS JOIN LATERAL (
      SELECT ${RATE_CARD_COLUMNS} FROM rate_card r
      WHERE r.tenant_id = $1::uuid AND r.key = n.key ORDER BY r.version DESC LIMIT 1
    ) r`,
};

export const LOAD_RATE_CARD_VERSIONS: Statement = {
  name: "load_rate_card_versions",
  text: `SELECT v.* FROM unnest($2::text[], $3::integer[]) AS n(key, version)
    CROSS JOIN LATERAL (
      SELECT ${RATE_CARD_COLUMNS} FROM rate_card r
      WHERE r.tenant_id = $1::uuid AND r.key = n.key AND r.version = n.version OFFSET 0
    ) v`,
};

export const LOAD_PROFILES: Statement = {
  name: "load_profiles",
  text: `SELECT p.ctid, ${PROFILE_COLUMNS} FROM customer p WHERE p.customer_id = ANY($1::uuid[])`,
};

/** Up to which moment what falls due is asked for. */
const UNTIL = [{ name: "until", type: "timestamptz" }] as const;

export const LOAD_DUE_LOTS: Statement = {
  name: "load_due_lots",
  text: `SELECT g.ctid, ${LOT_COLUMNS}
    FROM ${namedRows(UNTIL, 1)}
    CROSS JOIN LATERAL (
      SELECT d.ctid, d.* FROM credit_grant d WHERE d.customer_id = n.customer_id AND d.due_at <= n.until
      ORDER BY d.due_at, d.status = 'PENDING', d.number LIMIT $3::integer
    ) g`,
};

export const LOAD_DUE_CHARGES: Statement = {
  name: "load_due_charges",
  text: `SELECT c.ctid, ${CHARGE_COLUMNS}
    FROM ${namedRows(UNTIL, 1)}
    CROSS JOIN LATERAL (
      SELECT d.ctid, d.* FROM charge d
      WHERE d.customer_id = n.customer_id AND d.status = 'OPEN' AND d.hold_expires_at <= n.until
      ORDER BY d.hold_expires_at, d.number LIMIT $3::integer
    ) c`,
};

/** When something falls due next, after what is due now. */
export const LOAD_NEXT_DUE: Statement = {
  name: "load_next_due",
  text: `SELECT n.customer_id, least(
      (SELECT min(d.due_at) FROM credit_grant d
        WHERE d.customer_id = n.customer_id AND d.due_at > n.until),
      (SELECT min(c.hold_expires_at) FROM charge c
        WHERE c.customer_id = n.customer_id AND c.status = 'OPEN' AND c.hold_expires_at > n.until)
    ) AS next_due_at
    FROM ${namedRows(UNTIL, 1)}`,
};
