/**
 * Owns the statements that find a page of movements. Each kind of filter has a way through an index
 * on which it meets few rows that it does not want, so that no page costs more for a longer
 * history: one charge, one or some grants, rare types, one currency, or the whole journal.
 */
import type { EntityManager } from "typeorm";
import { MOVEMENT_TYPES, type MovementType } from "../ledger/chart.ts";
import type { ChargeId, CustomerId, GrantId } from "../ledger/ids.ts";
import type { CurrencyCode } from "../money/currency.ts";
import { featureCondition } from "./feature-filter.ts";
import { MOVED_COLUMNS, type MovedRow, movedTransferOf } from "./journal-rows.ts";
import { type Direction, walkOf } from "./journal-search.ts";
import type { MovedTransfer } from "./movement.ts";
import type { MovementFilter } from "./movement-filter.ts";
import { Parameters, selectRows } from "./statement.ts";

/** So many grants are probed one by one; of more, rows are not hard to find along the journal. */
const GRANTS_PROBED_MAX = 10_000;

/** What charges write stands in the journal everywhere, all else in indexes of its own. */
const RARE_TYPES: ReadonlySet<MovementType> = new Set(
  MOVEMENT_TYPES.filter((type) => type !== "CONSUMED"),
);

export interface RowsAsk {
  readonly customerId: CustomerId;
  readonly filter: MovementFilter;
  /** The sequences between which to look, both included. */
  readonly from: bigint;
  readonly to: bigint;
  /** Which end of the range comes first. */
  readonly direction: Direction;
  readonly rowsMax: number;
}

/** What every way is written with: names of parameters, and conditions on a transfer `t`. */
interface Parts {
  readonly parameters: Parameters;
  readonly customer: string;
  readonly from: string;
  readonly to: string;
  readonly limit: string;
  readonly direction: Direction;
  readonly bySequence: string;
  /** All of the filter that does not belong to the way itself. */
  readonly conditions: readonly string[];
  /** Which of the customer's balances, as `b`, are in a currency that is chosen. */
  readonly balances: string;
}

/** Whether nothing has to be looked up before the rows are. */
export function isOneStatement({ features, chargeId }: MovementFilter): boolean {
  return features === null && chargeId === null;
}

/** The transfers of the movements that the filter chooses, nearest to the first end. */
export async function selectMovementRows(
  manager: EntityManager,
  ask: RowsAsk,
): Promise<readonly MovedTransfer[]> {
  if (ask.from > ask.to) return [];
  const grants = await chosenGrants(manager, ask);
  const way = chooseWay(ask.filter, grants);
  const parts = partsOf(ask, way);
  const branches = await branchesOf(manager, ask, parts, way);
  if (branches.length === 0) return [];
  const text = `SELECT t.* FROM (${branches.join(" UNION ALL ")}) t
    ORDER BY ${parts.bySequence} LIMIT ${parts.limit}`;
  const rows = await selectRows<MovedRow>(manager, text, parts.parameters.values);
  return rows.map(movedTransferOf);
}

/** The way through the journal, with what it goes by. */
type Way =
  | { readonly by: "charge"; readonly chargeId: ChargeId }
  | { readonly by: "grants"; readonly grants: readonly GrantId[] }
  | { readonly by: "rare_types"; readonly types: readonly MovementType[] }
  | { readonly by: "currency"; readonly currency: CurrencyCode }
  | { readonly by: "journal" };

function chooseWay(filter: MovementFilter, grants: readonly GrantId[] | "many"): Way {
  const { chargeId, types, currency } = filter;
  if (chargeId !== null) return { by: "charge", chargeId };
  if (grants !== "many") return { by: "grants", grants };
  if (types.length > 0 && types.every((type) => RARE_TYPES.has(type))) {
    return { by: "rare_types", types: [...new Set(types)] };
  }
  return currency === null ? { by: "journal" } : { by: "currency", currency };
}

async function branchesOf(
  manager: EntityManager,
  ask: RowsAsk,
  parts: Parts,
  way: Way,
): Promise<readonly string[]> {
  switch (way.by) {
    case "charge":
      return branchesOfCharge(manager, parts, ask.customerId, way.chargeId);
    case "grants":
      return branchesOfGrants(parts, way.grants);
    case "rare_types":
      return way.types.map((type) => branchOfRareType(parts, type));
    case "currency":
      return [branchOfCurrency(parts, way.currency)];
    case "journal":
      return [branchOfJournal(parts)];
  }
}

/**
 * What the way itself goes by is left out of the conditions: an equality there would let the
 * planner take another index.
 */
function partsOf({ customerId, filter, direction, ...ask }: RowsAsk, way: Way): Parts {
  const parameters = new Parameters();
  const customer = `${parameters.add(customerId)}::uuid`;
  const from = `${parameters.add(ask.from)}::bigint`;
  const to = `${parameters.add(ask.to)}::bigint`;
  const limit = `${parameters.add(ask.rowsMax)}::bigint`;
  const { types, currency, grantId, features } = filter;
  // The types stand in the text, so that the planner sees which partial index has them.
  const events = types.length === 0 ? MOVEMENT_TYPES : types;
  const conditions: string[] = [];
  if (way.by !== "rare_types") {
    conditions.push(`t.event IN (${namesOf(events)})`);
  }
  let balances = `b.customer_id = ${customer}`;
  if (currency !== null && way.by === "rare_types") {
    balances += ` AND b.currency = ${parameters.add(currency)}`;
  } else if (currency !== null && way.by !== "currency") {
    conditions.push(`t.currency = ${parameters.add(currency)}`);
  }
  if (way.by !== "grants") {
    if (grantId !== null) conditions.push(`t.credit_grant_id = ${parameters.add(grantId)}::uuid`);
    if (features !== null) {
      conditions.push(`EXISTS (
        SELECT FROM credit_grant g
        WHERE g.customer_id = t.customer_id AND g.credit_grant_id = t.credit_grant_id
          AND ${featureCondition(features, "g", parameters)})`);
    }
  }
  return {
    parameters,
    customer,
    from,
    to,
    limit,
    direction,
    bySequence: `t.sequence ${direction === "older" ? "DESC" : "ASC"}`,
    conditions,
    balances,
  };
}

/** The grants to look at one by one, or "many" when there are more than that is good for. */
async function chosenGrants(
  manager: EntityManager,
  { customerId, filter }: RowsAsk,
): Promise<readonly GrantId[] | "many"> {
  const { grantId, features, currency, chargeId } = filter;
  if (features === null) return grantId === null ? "many" : [grantId];
  // A charge has few rows: their grants are checked row by row.
  if (chargeId !== null) return "many";
  const parameters = new Parameters();
  const conditions = [
    `g.customer_id = ${parameters.add(customerId)}`,
    "g.first_sequence IS NOT NULL",
    featureCondition(features, "g", parameters),
  ];
  if (grantId !== null) conditions.push(`g.credit_grant_id = ${parameters.add(grantId)}`);
  if (currency !== null) conditions.push(`g.currency = ${parameters.add(currency)}`);
  const text = `SELECT g.credit_grant_id FROM credit_grant g
    WHERE ${conditions.join(" AND ")} LIMIT ${GRANTS_PROBED_MAX + 1}`;
  const rows = await selectRows<{ readonly credit_grant_id: GrantId }>(
    manager,
    text,
    parameters.values,
  );
  return rows.length > GRANTS_PROBED_MAX ? "many" : rows.map((row) => row.credit_grant_id);
}

function branchOfJournal({ customer, from, to, limit, bySequence, conditions }: Parts): string {
  return `(SELECT ${MOVED_COLUMNS} FROM transfer t
    WHERE t.customer_id = ${customer} AND t.sequence BETWEEN ${from} AND ${to}
      AND ${conditions.join(" AND ")}
    ORDER BY ${bySequence} LIMIT ${limit})`;
}

/** By the index transfer_by_currency. */
function branchOfCurrency(parts: Parts, currency: string): string {
  const value = `${parts.parameters.add(currency)}::text`;
  const walk = walkOf("currency", { ...parts, value });
  return `(SELECT ${MOVED_COLUMNS} FROM transfer t
    WHERE t.customer_id = ${parts.customer} AND ${[walk.where, ...parts.conditions].join(" AND ")}
    ORDER BY ${walk.orderBy} LIMIT ${parts.limit})`;
}

/**
 * By the partial index transfer_rare_movements. It is ordered within each type and currency, so
 * each currency that is chosen is walked and the outer statement merges them. As in walkOf,
 * whole rows are compared, lest the planner take an index that the charges are in.
 */
function branchOfRareType(parts: Parts, type: MovementType): string {
  const { from, to, limit, direction, conditions, balances } = parts;
  const order = direction === "older" ? "DESC" : "ASC";
  const place = "(t.event, t.currency, t.sequence)";
  return `(SELECT t.* FROM balance b
    CROSS JOIN LATERAL (
      SELECT ${MOVED_COLUMNS} FROM transfer t
      WHERE t.customer_id = b.customer_id AND t.event IN (${namesOf(RARE_TYPES)})
        AND ${place} >= ('${type}', b.currency, ${from})
        AND ${[`${place} <= ('${type}', b.currency, ${to})`, ...conditions].join(" AND ")}
      ORDER BY t.event ${order}, t.currency ${order}, t.sequence ${order} LIMIT ${limit}
    ) t
    WHERE ${balances})`;
}

/** Types as they stand in the text of a statement. */
function namesOf(types: Iterable<MovementType>): string {
  return Array.from(types, (type) => `'${type}'`).join(", ");
}

/**
 * By the index transfer_by_grant. Of many grants only those can be in the page whose nearest row is
 * among the first ones; and when these alone fill the page, only rows no farther than they are.
 */
function branchesOfGrants(parts: Parts, grants: readonly GrantId[]): readonly string[] {
  if (grants.length === 0) return [];
  const { customer, from, to, limit, bySequence, direction } = parts;
  const older = direction === "older";
  const conditions = parts.conditions.join(" AND ");
  const walked = (columns: string, bounds: { from: string; to: string }, rowsMax: string) => {
    const walk = walkOf("credit_grant_id", { ...bounds, value: "g.id", direction });
    return `SELECT ${columns} FROM transfer t
      WHERE t.customer_id = ${customer} AND ${walk.where} AND ${conditions}
      ORDER BY ${walk.orderBy} LIMIT ${rowsMax}`;
  };
  const farthest = older ? "min(n.sequence)" : "max(n.sequence)";
  const nearest = `SELECT n.id, CASE WHEN count(*) OVER () = ${limit}
      THEN ${farthest} OVER () ELSE ${older ? from : to} END AS bound
    FROM (
      SELECT g.id, t.sequence FROM unnest(${parts.parameters.add(grants)}::uuid[]) g(id)
      CROSS JOIN LATERAL (${walked("t.sequence", { from, to }, "1")}) t
      ORDER BY ${bySequence} LIMIT ${limit}
    ) n`;
  const bounded = older ? { from: "g.bound", to } : { from, to: "g.bound" };
  return [
    `(SELECT t.* FROM (${nearest}) g
      CROSS JOIN LATERAL (${walked(MOVED_COLUMNS, bounded, limit)}) t)`,
  ];
}

/**
 * What a charge consumed stands in a row, and the charge knows where that begins. What was given
 * back, and what ended for its sake, is found by the partial index transfer_ends_of_charge.
 */
async function branchesOfCharge(
  manager: EntityManager,
  parts: Parts,
  customerId: CustomerId,
  chargeId: ChargeId,
): Promise<readonly string[]> {
  const [charge] = await selectRows<{
    readonly first_consumed_sequence: bigint | null;
    readonly draws: number;
  }>(
    manager,
    `SELECT c.first_consumed_sequence, cardinality(c.draw_amounts) AS draws
      FROM charge c WHERE c.customer_id = $1 AND c.charge_id = $2`,
    [customerId, chargeId],
  );
  if (charge === undefined) return [];
  const id = `${parts.parameters.add(chargeId)}::uuid`;
  const within = `t.customer_id = ${parts.customer} AND t.charge_id = ${id}
    AND t.sequence BETWEEN ${parts.from} AND ${parts.to}
    AND ${parts.conditions.join(" AND ")}`;
  const ends = `(SELECT ${MOVED_COLUMNS} FROM transfer t WHERE ${within}
    AND t.event IN ('EXPIRED', 'VOIDED', 'CORRECTED'))`;
  const { first_consumed_sequence: first, draws } = charge;
  if (first === null) return [ends];
  const last = parts.parameters.add(first + BigInt(draws) - 1n);
  return [
    ends,
    `(SELECT ${MOVED_COLUMNS} FROM transfer t WHERE ${within} AND t.event = 'CONSUMED'
      AND t.sequence BETWEEN ${parts.parameters.add(first)}::bigint AND ${last}::bigint)`,
  ];
}
