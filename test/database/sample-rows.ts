/** Owns one valid row for each table, for tests of what the database itself refuses. */
import type pg from "pg";
import { DEFAULT_TENANT_ID } from "../../src/database/migrations/1_ledger.ts";
import type { GrantId, TenantId } from "../../src/ledger/ids.ts";

export const TENANT = DEFAULT_TENANT_ID as TenantId;
export const OTHER_TENANT = "01900000-0000-7000-8000-000000000002" as TenantId;

export type Row = Readonly<Record<string, unknown>>;

export const AT = "2026-11-22T11:01:10.123456Z";
export const LATER = "2026-12-22T11:01:10.654321Z";
const id = (last: number) => `0190aaaa-0000-7000-8000-${String(last).padStart(12, "0")}`;

const CUSTOMER = { customer_id: id(1), tenant_id: TENANT };
export const GRANT_ID = id(2) as GrantId;
const CHARGE_ID = id(3);
const INVOICE_ID = id(4);

export const SAMPLE_ROWS = {
  tenant: { tenant_id: TENANT, name: "sample", created_at: AT },
  customer: { ...CUSTOMER, number: 1, key: "ada", name: "Ada", metadata: {}, created_at: AT },
  customer_key: { ...CUSTOMER, key: "ada" },
  customer_head: { ...CUSTOMER, sequence: 1, object_count: 3 },
  balance: { ...CUSTOMER, currency: "USD", credit: "6", held: "4", issued: "10" },
  currency: { tenant_id: TENANT, code: "TOKENS", name: "Tokens", exponent: 12, created_at: AT },
  rate_card: {
    tenant_id: TENANT,
    key: "api",
    version: 1,
    number: 1,
    name: "API",
    feature_key: "api",
    currency: "USD",
    settlement_mode: "CREDIT_ONLY",
    price: { model: "flat" },
    created_at: AT,
  },
  credit_grant: {
    ...CUSTOMER,
    credit_grant_id: GRANT_ID,
    number: 1,
    first_sequence: 1,
    created_at: AT,
    effective_at: AT,
    expires_at: LATER,
    priority: 10,
    funding_method: "PROMOTIONAL",
    status: "ACTIVE",
    open: true,
    currency: "USD",
    amount: "10",
    remaining: "10",
    held: "4",
    accrued: "0",
    adjusted_unpaid: "0",
    features: ["api", 'a "quoted", feature'],
    name: "",
    description: "",
    metadata: { note: "é" },
  },
  charge: {
    ...CUSTOMER,
    charge_id: CHARGE_ID,
    number: 2,
    created_at: AT,
    hold_expires_at: LATER,
    status: "OPEN",
    settlement_mode: "CREDIT_THEN_INVOICE",
    capture: "MANUAL",
    currency: "USD",
    amount: "5",
    estimated_amount: "5",
    invoiced_amount: "1",
    corrected_invoiced: "0",
    draw_credit_grant_ids: [GRANT_ID],
    draw_amounts: ["4.000000000001"],
    draw_returned: ["0"],
    request_id: "r-1",
    fingerprint: Buffer.from("f"),
    description: "",
    metadata: {},
  },
  invoice: {
    ...CUSTOMER,
    invoice_id: INVOICE_ID,
    number: 3,
    created_at: AT,
    kind: "OVERAGE",
    status: "DRAFT",
    line_count: 1,
    credit_line_count: 1,
    currency: "USD",
    subtotal: "-1",
  },
  invoice_line: {
    ...CUSTOMER,
    invoice_line_id: id(5),
    invoice_id: INVOICE_ID,
    credited_invoice_id: id(6),
    amount: "-1",
    description: "",
  },
  transfer: {
    ...CUSTOMER,
    sequence: 1,
    booked_at: AT,
    created_at: AT,
    event: "FUNDED",
    debit_account: "promotion",
    credit_account: "customer_credit",
    credit_grant_id: GRANT_ID,
    currency: "USD",
    amount: "10",
    settled_after: "10",
    pending_after: "10",
    grant_remaining_after: "10",
    grant_held_after: "0",
  },
  movement_note: { ...CUSTOMER, sequence: 1, description: "why", metadata: {} },
  request: {
    ...CUSTOMER,
    request_id: "r-2",
    fingerprint: Buffer.from("f"),
    answer: Buffer.from([0, 255]),
    created_at: AT,
  },
  tenant_request: {
    tenant_id: TENANT,
    request_id: "r-3",
    fingerprint: Buffer.from("f"),
    answer: Buffer.from("a"),
    created_at: AT,
  },
  api_key: {
    tenant_id: TENANT,
    api_key_id: id(7),
    number: 1,
    customer_id: id(1),
    name: "portal",
    role: "READER",
    prefix: "ddk_sample0000",
    secret_hash: Buffer.alloc(32, 1),
    created_at: AT,
    expires_at: LATER,
  },
} as const satisfies Record<string, Row>;

export type Table = keyof typeof SAMPLE_ROWS;

export const TABLES = Object.keys(SAMPLE_ROWS) as Table[];

export async function insertRow(client: pg.ClientBase, table: Table, row: Row): Promise<void> {
  const columns = Object.keys(row);
  const places = columns.map((_, index) => `$${index + 1}`);
  await client.query(
    `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places.join(", ")})`,
    Object.values(row),
  );
}

/** Runs the work in a transaction of that tenant, or of none, and rolls it back. */
export async function inTransaction<Result>(
  client: pg.ClientBase,
  tenantId: TenantId | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  await client.query("BEGIN");
  try {
    if (tenantId !== undefined) await client.query(`SET LOCAL app.tenant = '${tenantId}'`);
    return await work();
  } finally {
    await client.query("ROLLBACK");
  }
}
