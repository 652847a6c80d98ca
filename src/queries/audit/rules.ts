/**
 * Owns the rules between rows that the database checks by itself: objects and the requests that
 * asked for them, invoices and their lines, notes, ids, keys. Each is a statement that answers the
 * rows that break it. What few customers have is looked for among those customers alone.
 */
import type { EntityManager } from "typeorm";
import type { ChargeId, CustomerId, GrantId } from "../../ledger/ids.ts";
import { selectRows } from "../statement.ts";
import type { Audited } from "./audited.ts";
import type { Check } from "./finding.ts";
import { LINE_RULES } from "./line-rules.ts";
import { REQUEST_RULES } from "./request-rules.ts";

/** So many breaches of a rule are named in one step. */
export const NAMED_MAX = 100;

/** Which customers a rule is about: all, or those in whose books there is something to look at. */
export type Concern = "all" | "eventful" | "manual" | "invoiced" | "restricted";

export interface Rule {
  readonly check: Check;
  readonly about: Concern;
  /**
   * $1 the customers. Answers customer_id, expected, found, and what it is about: grant_id,
   * charge_id, sequence.
   */
  readonly broken: string;
}

interface BrokenRow {
  readonly customer_id: CustomerId;
  readonly expected: string;
  readonly found: string;
  readonly grant_id?: GrantId | null;
  readonly charge_id?: ChargeId | null;
  readonly sequence?: bigint | null;
}

const OBJECT_RULES: readonly Rule[] = [
  {
    check: "charge_feature",
    about: "restricted",
    broken: `SELECT c.customer_id, c.charge_id, g.credit_grant_id AS grant_id,
        'one of ' || array_to_string(g.features, ', ') AS expected,
        coalesce(c.feature_key, 'none') AS found
      FROM credit_grant g
      JOIN transfer t ON t.customer_id = g.customer_id AND t.credit_grant_id = g.credit_grant_id
      JOIN charge c ON c.customer_id = t.customer_id AND c.charge_id = t.charge_id
      WHERE g.customer_id = ANY($1::uuid[]) AND g.features <> '{}'
        AND t.event IN ('HELD', 'CONSUMED')
        AND NOT coalesce(c.feature_key = ANY(g.features), false)`,
  },
  {
    check: "charge_moments",
    about: "eventful",
    broken: `SELECT t.customer_id, t.charge_id, t.sequence,
        concat_ws(', ', c.currency, c.created_at, c.settled_at, c.canceled_at) AS expected,
        concat_ws(', ', t.currency, t.booked_at) AS found
      FROM transfer t
      LEFT JOIN charge c ON c.customer_id = t.customer_id AND c.charge_id = t.charge_id
      WHERE t.customer_id = ANY($1::uuid[]) AND t.event IN ('HELD', 'RELEASED')
        AND NOT coalesce(t.currency = c.currency
          AND t.booked_at = ANY(ARRAY[c.created_at, c.settled_at, c.canceled_at]), false)`,
  },
  {
    check: "movement_note",
    about: "all",
    broken: `SELECT n.customer_id, n.sequence, 'an adjustment or a correction' AS expected,
        coalesce(t.event::text, 'no transfer') AS found
      FROM movement_note n
      LEFT JOIN transfer t ON t.customer_id = n.customer_id AND t.sequence = n.sequence
      WHERE n.customer_id = ANY($1::uuid[])
        AND (t.event IS NULL OR t.event NOT IN ('ADJUSTED', 'CORRECTED'))`,
  },
  {
    // A transfer without a note belongs to the command of the one before it.
    check: "movement_note",
    about: "eventful",
    broken: `SELECT t.customer_id, t.sequence, 'a note' AS expected, 'none' AS found
      FROM transfer t
      WHERE t.customer_id = ANY($1::uuid[]) AND t.event IN ('ADJUSTED', 'CORRECTED')
        AND NOT EXISTS (SELECT FROM movement_note n
          WHERE n.customer_id = t.customer_id AND n.sequence = t.sequence)
        AND NOT EXISTS (SELECT FROM transfer b
          WHERE b.customer_id = t.customer_id AND b.sequence = t.sequence - 1
            AND b.created_at = t.created_at AND b.charge_id IS NOT DISTINCT FROM t.charge_id
            AND (b.event = t.event AND (t.event = 'CORRECTED'
                OR b.debit_account = 'customer_credit' AND t.debit_account = 'customer_credit')
              OR t.event = 'CORRECTED' AND b.event IN ('EXPIRED', 'VOIDED')))`,
  },
  {
    check: "customer_key",
    about: "all",
    broken: `SELECT c.customer_id, c.key AS expected, coalesce(k.key, 'none') AS found
      FROM customer c
      LEFT JOIN customer_key k ON k.tenant_id = c.tenant_id AND k.key = c.key
      WHERE c.customer_id = ANY($1::uuid[]) AND k.customer_id IS DISTINCT FROM c.customer_id`,
  },
];

const RULES: readonly Rule[] = [...OBJECT_RULES, ...REQUEST_RULES, ...LINE_RULES];

/** Which customers of a group have what; all are in "all". */
export type Concerned = Readonly<Record<Exclude<Concern, "all">, ReadonlySet<CustomerId>>>;

export async function checkRules(
  manager: EntityManager,
  audited: ReadonlyMap<CustomerId, Audited>,
  concerned: Concerned,
  signal: AbortSignal,
): Promise<void> {
  for (const { check, about, broken } of RULES) {
    const ids = about === "all" ? [...audited.keys()] : [...concerned[about]];
    if (ids.length === 0) continue;
    signal.throwIfAborted();
    const text = `${broken} LIMIT ${NAMED_MAX}`;
    for (const row of await selectRows<BrokenRow>(manager, text, [ids])) {
      const { grant_id: grantId = null, charge_id: chargeId = null, sequence = null } = row;
      const subject = { grantId, chargeId, sequence };
      audited.get(row.customer_id)?.findings.add(check, row.expected, row.found, subject);
    }
  }
}
