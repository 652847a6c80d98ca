import { afterAll, beforeAll, expect, test } from "vitest";
import { type AuditEvent, audit } from "../../src/queries/audit/audit.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";
import { Account } from "./account.ts";
import { fillBooks, fillFurther } from "./full-books.ts";

let ledger: TestLedger;
let account: Account;
beforeAll(async () => {
  ledger = await openLedger();
  account = await Account.open(ledger);
  await fillBooks(ledger, account);
  await fillFurther(ledger, account);
});
afterAll(() => ledger.close());

async function checksThatFail(): Promise<readonly string[]> {
  const events: AuditEvent[] = [];
  const { reads } = ledger.connections;
  const ask = { tenantId: TENANT, customerId: null };
  for await (const event of audit(reads, ask, new AbortController().signal)) events.push(event);
  return events.flatMap((event) => (event.kind === "finding" ? [event.finding.check] : []));
}

/**
 * Columns that nothing else in the books determines: a changed value is another fact, and no audit
 * can tell. A new column is covered, or placed here with its reason.
 */
const FACTS: Readonly<Record<string, string>> = {
  "charge.fingerprint": "what was asked for is known from here alone (W1)",
  "charge.metadata": "the caller's own words",
  "charge.request_id": "the caller's own choice (W1)",
  "credit_grant.description": "the caller's own words",
  "credit_grant.metadata": "the caller's own words",
  "credit_grant.priority": "the caller's choice; what was drawn does not tell it (D2)",
  "credit_grant.void_reason": "the caller's own words",
  "customer.metadata": "the caller's own words",
  "customer.name": "the caller's own words",
  "movement_note.description": "the caller's own words",
  "movement_note.metadata": "the caller's own words",
  "request.answer": "what was answered first is known from here alone (W1)",
  "request.fingerprint": "what was asked for is known from here alone (W1)",
  "request.request_id": "the caller's own choice (W1)",
};

/** Columns that the database itself lets nobody change alone, by the constraint that says so. */
const REFUSED: Readonly<Record<string, string>> = {
  "credit_grant.open": "credit_grant_open_means_remaining",
};

/** Where a column is determined in some rows only, or in one direction: there it is changed. */
const PLACES: Readonly<Record<string, { readonly where?: string; readonly flip?: string }>> = {
  "charge.corrected_invoiced": { where: "corrected_invoiced > 0" },
  "charge.description": { where: "invoiced_amount > 0" },
  // What a charge was estimated at is superseded when it settles.
  "charge.estimated_amount": { where: "capture = 'AUTOMATIC'" },
  "charge.feature_key": { where: "rate_card_key IS NOT NULL" },
  // Canceled before its time it would have had to be asked for.
  "charge.hold_expires_at": {
    where: "canceled_at >= hold_expires_at",
    flip: "v + interval '1 second'",
  },
  "charge.settlement_mode": { where: "invoiced_amount > 0" },
  "credit_grant.availability": { where: "first_sequence IS NOT NULL" },
  // To a grant to which nothing has happened yet nothing refers.
  "credit_grant.credit_grant_id": { where: "first_sequence IS NOT NULL" },
  "credit_grant.effective_at": { where: "first_sequence IS NOT NULL" },
  "credit_grant.expires_at": { where: "status = 'ACTIVE'" },
  // Only what was drawn for a feature tells which ones a grant is for.
  "credit_grant.features": { where: "cardinality(features) > 0 AND remaining < amount" },
  "credit_grant.held": { where: "held > 0 AND held + 1 < remaining" },
  "credit_grant.name": { where: "invoice_id IS NOT NULL" },
  "credit_grant.remaining": { where: "remaining > held + 1" },
  // The amount is rounded to the minor unit.
  "credit_grant.per_unit_cost": { flip: "v + 1" },
  // It is moved on by creating as well as by booking, so it is never before the last booking.
  "customer_head.last_booked_at": { flip: "v - interval '1 second'" },
  // It may be too early, never too late.
  "customer_head.next_due_at": { flip: "v + interval '1 second'" },
  "invoice.status": { where: "status = 'PAID'" },
  // To a purchase's line nothing refers.
  "invoice_line.invoice_line_id": {
    where: "charge_id IS NOT NULL AND credited_invoice_id IS NULL",
  },
  // What fell due before is created whenever somebody looked.
  "transfer.created_at": { where: "created_at = booked_at" },
  "transfer.credit_account": { where: "event = 'CONSUMED'" },
  "transfer.grant_held_after": { where: "event = 'HELD'" },
};

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
}

/** All columns of all tables that have rows of customers' books; who may call is in none. */
const COLUMNS = `SELECT c.table_name AS table, c.column_name AS name, c.udt_name AS type
  FROM information_schema.columns c
  WHERE c.table_schema = 'public' AND c.table_name <> 'api_key' AND EXISTS (
    SELECT FROM information_schema.columns k
    WHERE k.table_schema = 'public' AND k.table_name = c.table_name
      AND k.column_name = 'customer_id')
  ORDER BY 1, 2`;

/** Each type's ways to change one digit, letter or label of a value `v`. */
function flipsOf(type: string): readonly string[] {
  switch (type) {
    case "numeric":
      return ["v + 1", "v - 1", "v + 0.000000000001"];
    case "int4":
    case "int8":
      return ["v + 1", "v - 1", "v + 100"];
    case "timestamptz":
      return ["v - interval '1 microsecond'", "v + interval '1 second'"];
    case "uuid":
      return ["overlay(v::text placing 'f0f' from 34)::uuid"];
    case "text":
      return ["'X' || substr(v, 2)"];
    case "bool":
      return ["NOT v"];
    case "bytea":
      return ["set_byte(v, 0, 255 - get_byte(v, 0))"];
    case "jsonb":
      return [`v || '{"changed": "yes"}'`];
    case "_numeric":
      return ["array_prepend(v[1] + 1, v[2:])"];
    case "_uuid":
      return ["array_prepend(overlay(v[1]::text placing 'f0f' from 34)::uuid, v[2:])"];
    case "_text":
      return ["array_prepend('X' || coalesce(v[1], ''), v[2:])"];
    default:
      // The next label of an enumeration, and the first one after the last.
      return [
        `coalesce((SELECT min(l) FROM unnest(enum_range(NULL::${type})) l WHERE l > v),
          enum_first(NULL::${type}))`,
      ];
  }
}

/** The same row each time: one that was changed and restored may stand elsewhere than before. */
const FIRST_WRITTEN = `(to_jsonb(t) ->> 'sequence')::bigint, (to_jsonb(t) ->> 'number')::bigint,
  to_jsonb(t)::text`;

/** A changed value, and where it stands now. */
interface Changed {
  readonly ctid: string;
  readonly was: string;
}

/** Changes one value; the constraints that stand against it when none of the ways goes. */
async function change({ table, name, type }: Column): Promise<Changed | readonly string[]> {
  const { where = "true", flip } = PLACES[`${table}.${name}`] ?? {};
  const row = `${name} IS NOT NULL AND ${where}`;
  const found = await ledger.superuser.query(
    `SELECT ctid::text, ${name}::text AS was FROM ${table} t
      WHERE customer_id = $1 AND ${row} ORDER BY ${FIRST_WRITTEN} LIMIT 1`,
    [account.id],
  );
  const [at] = found.rows;
  expect(at, `the books have a ${table} with ${row}`).toBeDefined();
  const against: string[] = [];
  for (const way of flip === undefined ? flipsOf(type) : [flip]) {
    try {
      const { rows } = await ledger.superuser.query(
        `UPDATE ${table} SET ${name} = (SELECT ${way} FROM (SELECT ${name} AS v) f)
          WHERE ctid = $1::tid RETURNING ctid::text`,
        [at.ctid],
      );
      return { ctid: rows[0].ctid, was: at.was };
    } catch (error) {
      const { constraint } = error as { constraint?: string };
      if (constraint === undefined) throw error;
      against.push(constraint);
    }
  }
  return against;
}

async function restore({ table, name, type }: Column, { ctid, was }: Changed): Promise<void> {
  const typeName = type.startsWith("_") ? `${type.slice(1)}[]` : type;
  await ledger.superuser.query(
    `UPDATE ${table} SET ${name} = $2::${typeName} WHERE ctid = $1::tid`,
    [ctid, was],
  );
}

test("L6 one changed value in any column that something else determines is found", async () => {
  expect(await checksThatFail()).toEqual([]);
  const { rows: columns } = await ledger.superuser.query<Column>(COLUMNS);
  expect(columns.length).toBeGreaterThan(100);
  const unseen: string[] = [];
  const refused: Record<string, string> = {};
  for (const column of columns) {
    const name = `${column.table}.${column.name}`;
    const changed = await change(column);
    if (!("ctid" in changed)) {
      refused[name] = [...new Set(changed)].join(", ");
      continue;
    }
    if ((await checksThatFail()).length === 0) unseen.push(name);
    await restore(column, changed);
  }
  expect(unseen).toEqual(Object.keys(FACTS));
  expect(refused).toEqual(REFUSED);
  expect(await checksThatFail()).toEqual([]);
}, 120_000);
