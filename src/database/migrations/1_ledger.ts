/**
 * Owns the first schema: the tables, what the database itself refuses, who may do what, and the
 * few functions that look across tenants. One statement per `query()`, so that a distributed
 * engine can take them one by one.
 */
import type { MigrationInterface, QueryRunner } from "typeorm";
import { ACCOUNTS, TRANSFER_EVENTS } from "../../ledger/chart.ts";

/** The role that the service runs as: it owns nothing and cannot change a transfer (L2). */
export const APPLICATION_ROLE = "drawdown_app";

const list = (values: readonly string[]) => values.map((value) => `'${value}'`).join(", ");

const TYPES = {
  transfer_event: TRANSFER_EVENTS,
  account: Object.keys(ACCOUNTS),
  funding_method: ["PROMOTIONAL", "INVOICE", "EXTERNAL"],
  credit_grant_status: ["PENDING", "ACTIVE", "EXHAUSTED", "EXPIRED", "VOIDED"],
  settlement_status: ["PENDING", "AUTHORIZED", "SETTLED", "FAILED"],
  availability: ["ON_CREATION", "ON_AUTHORIZATION", "ON_SETTLEMENT"],
  settlement_mode: ["CREDIT_THEN_INVOICE", "CREDIT_ONLY"],
  charge_status: ["OPEN", "SETTLED", "CANCELED"],
  capture: ["AUTOMATIC", "MANUAL"],
  invoice_kind: ["PURCHASE", "OVERAGE"],
  invoice_status: ["DRAFT", "OPEN", "AUTHORIZED", "PAID", "PAYMENT_FAILED", "VOID"],
} as const;

const MONEY = "numeric(38,12)";
const TIME = "timestamp with time zone";

const TABLES = [
  `CREATE TABLE tenant (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    customer_count bigint NOT NULL DEFAULT 0,
    created_at ${TIME} NOT NULL,
    CONSTRAINT tenant_pkey PRIMARY KEY (tenant_id)
  )`,
  // What a tenant says of its customer. What every write changes stands in customer_head.
  `CREATE TABLE customer (
    number bigint NOT NULL,
    created_at ${TIME} NOT NULL,
    tenant_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    metadata jsonb NOT NULL,
    CONSTRAINT customer_pkey PRIMARY KEY (customer_id)
  )`,
  // Keys are unique across customers, so they have a table of their own, keyed by that key.
  `CREATE TABLE customer_key (
    tenant_id uuid NOT NULL,
    key text NOT NULL,
    customer_id uuid NOT NULL,
    CONSTRAINT customer_key_pkey PRIMARY KEY (tenant_id, key)
  )`,
  // The row that every write of a customer locks first.
  `CREATE TABLE customer_head (
    sequence bigint NOT NULL DEFAULT 0,
    last_booked_at ${TIME},
    next_due_at ${TIME},
    object_count bigint NOT NULL DEFAULT 0,
    invoice_count bigint NOT NULL DEFAULT 0,
    tenant_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    CONSTRAINT customer_head_pkey PRIMARY KEY (customer_id)
  ) WITH (fillfactor = 50)`,
  `CREATE TABLE balance (
    tenant_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency text NOT NULL,
    credit ${MONEY} NOT NULL,
    held ${MONEY} NOT NULL,
    issued ${MONEY} NOT NULL,
    CONSTRAINT balance_pkey PRIMARY KEY (customer_id, currency),
    CONSTRAINT balance_not_negative CHECK (credit >= 0 AND held >= 0),
    CONSTRAINT balance_in_range CHECK (credit + held <= issued AND issued < 1e24)
  ) WITH (fillfactor = 50)`,
  `CREATE TABLE currency (
    tenant_id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    exponent integer NOT NULL,
    created_at ${TIME} NOT NULL,
    CONSTRAINT currency_pkey PRIMARY KEY (tenant_id, code),
    CONSTRAINT currency_exponent_in_range CHECK (exponent BETWEEN 0 AND 12)
  )`,
  `CREATE TABLE rate_card (
    created_at ${TIME} NOT NULL,
    archived_at ${TIME},
    number bigint NOT NULL,
    version integer NOT NULL,
    settlement_mode settlement_mode NOT NULL,
    tenant_id uuid NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    feature_key text NOT NULL,
    currency text NOT NULL,
    price jsonb NOT NULL,
    minimum_amount ${MONEY},
    maximum_amount ${MONEY},
    CONSTRAINT rate_card_pkey PRIMARY KEY (tenant_id, key, version)
  )`,
  `CREATE TABLE credit_grant (
    number bigint NOT NULL,
    first_sequence bigint,
    created_at ${TIME} NOT NULL,
    effective_at ${TIME} NOT NULL,
    expires_at ${TIME},
    due_at ${TIME},
    voided_at ${TIME},
    priority integer NOT NULL,
    funding_method funding_method NOT NULL,
    status credit_grant_status NOT NULL,
    settlement_status settlement_status,
    availability availability,
    open boolean NOT NULL,
    tenant_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    credit_grant_id uuid NOT NULL,
    invoice_id uuid,
    currency text NOT NULL,
    amount ${MONEY} NOT NULL,
    remaining ${MONEY} NOT NULL,
    held ${MONEY} NOT NULL,
    accrued ${MONEY} NOT NULL,
    adjusted_unpaid ${MONEY} NOT NULL,
    expires_after text,
    features text[] NOT NULL,
    purchase_currency text,
    per_unit_cost ${MONEY},
    purchase_amount ${MONEY},
    name text NOT NULL,
    description text NOT NULL,
    void_reason text,
    metadata jsonb NOT NULL,
    CONSTRAINT credit_grant_pkey PRIMARY KEY (customer_id, credit_grant_id),
    CONSTRAINT credit_grant_amount_positive CHECK (amount > 0 AND amount < 1e24),
    CONSTRAINT credit_grant_within_amount CHECK (remaining BETWEEN 0 AND amount),
    CONSTRAINT credit_grant_held_within_remaining CHECK (held BETWEEN 0 AND remaining),
    CONSTRAINT credit_grant_accrued_not_negative CHECK (
      accrued BETWEEN 0 AND amount AND adjusted_unpaid BETWEEN 0 AND amount),
    CONSTRAINT credit_grant_open_means_remaining CHECK (open = (remaining > 0)),
    CONSTRAINT credit_grant_available_has_sequence
      CHECK (first_sequence IS NOT NULL OR remaining = 0)
  ) WITH (fillfactor = 70)`,
  // A charge that settles at once carries its request id here; its stored answer is this row.
  `CREATE TABLE charge (
    number bigint NOT NULL,
    first_consumed_sequence bigint,
    created_at ${TIME} NOT NULL,
    hold_expires_at ${TIME},
    settled_at ${TIME},
    canceled_at ${TIME},
    status charge_status NOT NULL,
    settlement_mode settlement_mode NOT NULL,
    capture capture NOT NULL,
    rate_card_version integer,
    tenant_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    charge_id uuid NOT NULL,
    invoice_id uuid,
    invoice_line_id uuid,
    currency text NOT NULL,
    amount ${MONEY} NOT NULL,
    estimated_amount ${MONEY} NOT NULL,
    quantity ${MONEY},
    invoiced_amount ${MONEY} NOT NULL,
    corrected_invoiced ${MONEY} NOT NULL,
    draw_credit_grant_ids uuid[] NOT NULL,
    draw_amounts numeric[] NOT NULL,
    draw_returned numeric[] NOT NULL,
    feature_key text,
    rate_card_key text,
    request_id text,
    fingerprint bytea,
    description text NOT NULL,
    metadata jsonb NOT NULL,
    CONSTRAINT charge_pkey PRIMARY KEY (customer_id, charge_id),
    CONSTRAINT charge_amount_in_range CHECK (amount >= 0 AND amount < 1e24),
    CONSTRAINT charge_corrected_within_invoiced
      CHECK (corrected_invoiced BETWEEN 0 AND invoiced_amount AND invoiced_amount < 1e24),
    CONSTRAINT charge_draws_aligned CHECK (
      cardinality(draw_credit_grant_ids) = cardinality(draw_amounts)
      AND cardinality(draw_amounts) = cardinality(draw_returned)),
    CONSTRAINT charge_request_has_fingerprint
      CHECK ((request_id IS NULL) = (fingerprint IS NULL)),
    CONSTRAINT charge_open_times_out CHECK (status <> 'OPEN' OR hold_expires_at IS NOT NULL)
  ) WITH (fillfactor = 95)`,
  `CREATE TABLE invoice (
    number bigint NOT NULL,
    issue_number bigint,
    created_at ${TIME} NOT NULL,
    issued_at ${TIME},
    paid_at ${TIME},
    voided_at ${TIME},
    kind invoice_kind NOT NULL,
    status invoice_status NOT NULL,
    line_count integer NOT NULL,
    credit_line_count integer NOT NULL,
    tenant_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    credit_grant_id uuid,
    currency text NOT NULL,
    subtotal ${MONEY} NOT NULL,
    CONSTRAINT invoice_pkey PRIMARY KEY (customer_id, invoice_id),
    CONSTRAINT invoice_line_counts CHECK (credit_line_count BETWEEN 0 AND line_count)
  )`,
  `CREATE TABLE invoice_line (
    tenant_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    invoice_line_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    charge_id uuid,
    credit_grant_id uuid,
    credited_invoice_id uuid,
    amount ${MONEY} NOT NULL,
    description text NOT NULL,
    CONSTRAINT invoice_line_pkey PRIMARY KEY (customer_id, invoice_line_id),
    CONSTRAINT invoice_line_not_zero CHECK (amount <> 0),
    CONSTRAINT invoice_line_credit_is_negative
      CHECK ((credited_invoice_id IS NOT NULL) = (amount < 0))
  )`,
  `CREATE TABLE transfer (
    sequence bigint NOT NULL,
    booked_at ${TIME} NOT NULL,
    created_at ${TIME} NOT NULL,
    event transfer_event NOT NULL,
    debit_account account NOT NULL,
    credit_account account NOT NULL,
    tenant_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    credit_grant_id uuid NOT NULL,
    charge_id uuid,
    currency text NOT NULL,
    amount ${MONEY} NOT NULL,
    settled_after ${MONEY} NOT NULL,
    pending_after ${MONEY} NOT NULL,
    grant_remaining_after ${MONEY} NOT NULL,
    grant_held_after ${MONEY} NOT NULL,
    CONSTRAINT transfer_pkey PRIMARY KEY (customer_id, sequence),
    CONSTRAINT transfer_amount_positive CHECK (amount > 0 AND amount < 1e24),
    CONSTRAINT transfer_between_two_accounts CHECK (debit_account <> credit_account),
    CONSTRAINT transfer_balances_not_negative
      CHECK (pending_after BETWEEN 0 AND settled_after AND settled_after < 1e24),
    CONSTRAINT transfer_grant_not_negative
      CHECK (grant_held_after BETWEEN 0 AND grant_remaining_after
        AND grant_remaining_after < 1e24)
  )`,
  // The description of ADJUSTED and CORRECTED movements, at the first transfer of their command.
  `CREATE TABLE movement_note (
    sequence bigint NOT NULL,
    tenant_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    description text NOT NULL,
    metadata jsonb NOT NULL,
    CONSTRAINT movement_note_pkey PRIMARY KEY (customer_id, sequence)
  )`,
  `CREATE TABLE request (
    created_at ${TIME} NOT NULL,
    tenant_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL,
    answer bytea NOT NULL,
    CONSTRAINT request_pkey PRIMARY KEY (customer_id, request_id)
  )`,
  `CREATE TABLE tenant_request (
    created_at ${TIME} NOT NULL,
    tenant_id uuid NOT NULL,
    request_id text NOT NULL,
    fingerprint bytea NOT NULL,
    answer bytea NOT NULL,
    CONSTRAINT tenant_request_pkey PRIMARY KEY (tenant_id, request_id)
  )`,
] as const;

/** Each index is named by the query that reads it. */
const INDEXES = [
  "CREATE UNIQUE INDEX customer_in_creation_order ON customer (tenant_id, number, customer_id)",
  `CREATE INDEX customer_head_due ON customer_head (next_due_at, customer_id)
    WHERE next_due_at IS NOT NULL`,
  "CREATE INDEX rate_card_in_creation_order ON rate_card (tenant_id, number)",
  // Draw-down (D2), and what is open by feature (B3). `open` changes with the first and last
  // credit of a grant only, so drawing from a grant stays a HOT update.
  `CREATE INDEX credit_grant_draw_order ON credit_grant (customer_id, currency, priority,
    coalesce(expires_at, 'infinity'::${TIME}), first_sequence) WHERE open`,
  "CREATE INDEX credit_grant_due ON credit_grant (customer_id, due_at) WHERE due_at IS NOT NULL",
  `CREATE INDEX credit_grant_upcoming ON credit_grant (customer_id, credit_grant_id)
    WHERE status = 'PENDING'`,
  `CREATE INDEX charge_hold_timeout ON charge (customer_id, hold_expires_at, number)
    WHERE status = 'OPEN'`,
  `CREATE UNIQUE INDEX charge_request ON charge (customer_id, request_id)
    WHERE request_id IS NOT NULL`,
  `CREATE UNIQUE INDEX invoice_one_draft ON invoice (customer_id, currency)
    WHERE status = 'DRAFT'`,
  `CREATE UNIQUE INDEX invoice_issue_number ON invoice (customer_id, issue_number)
    WHERE issue_number IS NOT NULL`,
  `CREATE INDEX invoice_line_of_invoice
    ON invoice_line (customer_id, invoice_id, invoice_line_id)`,
  `CREATE INDEX invoice_line_credited ON invoice_line (customer_id, credited_invoice_id)
    WHERE credited_invoice_id IS NOT NULL`,
  // History and as-of balances by currency (B2, H3), and by grant (B3, H3).
  "CREATE INDEX transfer_by_currency ON transfer (customer_id, currency, sequence)",
  "CREATE INDEX transfer_by_grant ON transfer (customer_id, credit_grant_id, sequence)",
  // History by type: the rare movements, which charges never touch (H3).
  `CREATE INDEX transfer_rare_movements ON transfer (customer_id, event, currency, sequence)
    WHERE event IN ('FUNDED', 'EXPIRED', 'VOIDED', 'CORRECTED', 'ADJUSTED')`,
  // History of one charge beside the consecutive transfers that its row points to (H3).
  `CREATE INDEX transfer_ends_of_charge ON transfer (customer_id, charge_id, sequence)
    WHERE charge_id IS NOT NULL AND event IN ('EXPIRED', 'VOIDED', 'CORRECTED')`,
] as const;

const TENANT = "nullif(current_setting('app.tenant', true), '')::uuid";

/** What the application may do with each table. Nothing may change or delete a transfer (L2). */
export const PRIVILEGES = {
  tenant: "SELECT, UPDATE",
  customer: "SELECT, INSERT, UPDATE",
  customer_key: "SELECT, INSERT",
  customer_head: "SELECT, INSERT, UPDATE",
  balance: "SELECT, INSERT, UPDATE",
  currency: "SELECT, INSERT",
  rate_card: "SELECT, INSERT, UPDATE",
  credit_grant: "SELECT, INSERT, UPDATE",
  charge: "SELECT, INSERT, UPDATE",
  invoice: "SELECT, INSERT, UPDATE",
  invoice_line: "SELECT, INSERT, UPDATE, DELETE",
  transfer: "SELECT, INSERT",
  movement_note: "SELECT, INSERT",
  request: "SELECT, INSERT",
  tenant_request: "SELECT, INSERT",
} as const;

const FUNCTIONS = [
  // The only clock of the ledger; a test may replace it, the application may not.
  `CREATE FUNCTION ledger_clock() RETURNS ${TIME} LANGUAGE sql VOLATILE PARALLEL UNSAFE
    AS 'SELECT clock_timestamp()'`,
  // For the sweeper of any replica: idle customers for whom something has fallen due.
  `CREATE FUNCTION customers_due(customers_max integer)
    RETURNS TABLE (tenant_id uuid, customer_id uuid)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT h.tenant_id, h.customer_id FROM customer_head h
      WHERE h.next_due_at <= ledger_clock() ORDER BY h.next_due_at LIMIT customers_max'`,
  // For watchers: how far the customers that are being watched have come.
  `CREATE FUNCTION customers_watched(customer_ids uuid[])
    RETURNS TABLE (customer_id uuid, sequence bigint, next_due_at ${TIME})
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT h.customer_id, h.sequence, h.next_due_at FROM customer_head h
      WHERE h.customer_id = ANY(customer_ids)'`,
  `CREATE FUNCTION tenants()
    RETURNS TABLE (tenant_id uuid, name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS 'SELECT t.tenant_id, t.name FROM tenant t'`,
] as const;

export const LEDGER_FUNCTIONS = [
  "ledger_clock()",
  "customers_due(integer)",
  "customers_watched(uuid[])",
  "tenants()",
] as const;

/** The one tenant of a new installation. */
export const DEFAULT_TENANT_ID = "01900000-0000-7000-8000-000000000001";

export class Ledger1763800000001 implements MigrationInterface {
  readonly name = "Ledger1763800000001";

  async up(runner: QueryRunner): Promise<void> {
    for (const [name, values] of Object.entries(TYPES)) {
      await runner.query(`CREATE TYPE ${name} AS ENUM (${list(values)})`);
    }
    for (const statement of [...TABLES, ...INDEXES, ...FUNCTIONS]) await runner.query(statement);
    for (const [table, privileges] of Object.entries(PRIVILEGES)) {
      await runner.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
      await runner.query(
        `CREATE POLICY ${table}_of_tenant ON ${table}
          USING (tenant_id = ${TENANT}) WITH CHECK (tenant_id = ${TENANT})`,
      );
      await runner.query(`GRANT ${privileges} ON ${table} TO ${APPLICATION_ROLE}`);
    }
    for (const name of LEDGER_FUNCTIONS) {
      await runner.query(`REVOKE ALL ON FUNCTION ${name} FROM PUBLIC`);
      await runner.query(`GRANT EXECUTE ON FUNCTION ${name} TO ${APPLICATION_ROLE}`);
    }
    await runner.query(
      `INSERT INTO tenant (tenant_id, name, created_at)
        VALUES ('${DEFAULT_TENANT_ID}', 'default', clock_timestamp())`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of LEDGER_FUNCTIONS.toReversed()) await runner.query(`DROP FUNCTION ${name}`);
    for (const table of Object.keys(PRIVILEGES).reverse())
      await runner.query(`DROP TABLE ${table}`);
    for (const name of Object.keys(TYPES).reverse()) await runner.query(`DROP TYPE ${name}`);
  }
}
