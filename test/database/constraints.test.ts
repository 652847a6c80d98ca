import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { constraintOf } from "../../src/database/sql-state.ts";
import { cloneDatabase, type TestDatabase } from "../database.ts";
import {
  insertRow,
  inTransaction,
  LATER,
  type Row,
  SAMPLE_ROWS,
  type Table,
  TENANT,
} from "./sample-rows.ts";

let database: TestDatabase;
let app: pg.Client;

beforeAll(async () => {
  database = await cloneDatabase();
  app = new pg.Client({ connectionString: database.appUrl });
  await app.connect();
});
afterAll(async () => {
  await app.end();
  await database.drop();
});

const TOO_MUCH = "1000000000000000000000000";
const MOST = "999999999999999999999999.999999999999";

type Case = readonly [constraint: string, table: Table, refused: Row];

const REFUSED: readonly Case[] = [
  ["balance_not_negative", "balance", { credit: "-0.000000000001" }],
  ["balance_not_negative", "balance", { held: "-0.000000000001" }],
  ["balance_in_range", "balance", { credit: "6.000000000001" }],
  ["balance_in_range", "balance", { issued: TOO_MUCH }],
  ["balance_in_range", "balance", { issued: "NaN" }],
  ["currency_exponent_in_range", "currency", { exponent: -1 }],
  ["currency_exponent_in_range", "currency", { exponent: 13 }],
  ["api_key_hash_is_sha256", "api_key", { secret_hash: Buffer.alloc(31) }],
  ["api_key_hash_is_sha256", "api_key", { secret_hash: Buffer.from("ddk_in-the-clear") }],
  ["api_key_admin_of_no_customer", "api_key", { role: "ADMIN" }],
  ["credit_grant_amount_positive", "credit_grant", { amount: TOO_MUCH }],
  ["credit_grant_amount_positive", "credit_grant", { amount: "NaN" }],
  [
    "credit_grant_amount_positive",
    "credit_grant",
    { amount: "0", remaining: "0", held: "0", open: false },
  ],
  ["credit_grant_within_amount", "credit_grant", { remaining: "10.000000000001" }],
  ["credit_grant_within_amount", "credit_grant", { remaining: "NaN" }],
  ["credit_grant_held_within_remaining", "credit_grant", { held: "10.000000000001" }],
  ["credit_grant_held_within_remaining", "credit_grant", { held: "-0.000000000001" }],
  ["credit_grant_accrued_not_negative", "credit_grant", { accrued: "-0.000000000001" }],
  ["credit_grant_accrued_not_negative", "credit_grant", { accrued: "NaN" }],
  ["credit_grant_accrued_not_negative", "credit_grant", { adjusted_unpaid: "-0.000000000001" }],
  ["credit_grant_open_means_remaining", "credit_grant", { open: false }],
  ["credit_grant_open_means_remaining", "credit_grant", { remaining: "0", held: "0" }],
  ["credit_grant_available_has_sequence", "credit_grant", { first_sequence: null }],
  ["charge_amount_in_range", "charge", { amount: "-0.000000000001" }],
  ["charge_amount_in_range", "charge", { amount: TOO_MUCH }],
  ["charge_corrected_within_invoiced", "charge", { corrected_invoiced: "1.000000000001" }],
  ["charge_corrected_within_invoiced", "charge", { corrected_invoiced: "-0.000000000001" }],
  ["charge_corrected_within_invoiced", "charge", { invoiced_amount: "NaN" }],
  ["charge_draws_aligned", "charge", { draw_amounts: [] }],
  ["charge_draws_aligned", "charge", { draw_returned: ["0", "0"] }],
  ["charge_request_has_fingerprint", "charge", { fingerprint: null }],
  ["charge_request_has_fingerprint", "charge", { request_id: null }],
  ["charge_open_times_out", "charge", { hold_expires_at: null }],
  ["invoice_line_counts", "invoice", { credit_line_count: 2 }],
  ["invoice_line_counts", "invoice", { credit_line_count: -1 }],
  ["invoice_line_not_zero", "invoice_line", { amount: "0", credited_invoice_id: null }],
  ["invoice_line_credit_is_negative", "invoice_line", { amount: "1" }],
  ["invoice_line_credit_is_negative", "invoice_line", { credited_invoice_id: null }],
  ["transfer_amount_positive", "transfer", { amount: "0" }],
  ["transfer_amount_positive", "transfer", { amount: "-1" }],
  ["transfer_amount_positive", "transfer", { amount: TOO_MUCH }],
  ["transfer_amount_positive", "transfer", { amount: "NaN" }],
  ["transfer_between_two_accounts", "transfer", { debit_account: "customer_credit" }],
  ["transfer_balances_not_negative", "transfer", { pending_after: "10.000000000001" }],
  ["transfer_balances_not_negative", "transfer", { pending_after: "-0.000000000001" }],
  ["transfer_balances_not_negative", "transfer", { settled_after: "NaN" }],
  ["transfer_grant_not_negative", "transfer", { grant_held_after: "10.000000000001" }],
  ["transfer_grant_not_negative", "transfer", { grant_held_after: "-0.000000000001" }],
  ["transfer_grant_not_negative", "transfer", { grant_remaining_after: "NaN" }],
];

const ACCEPTED: readonly (readonly [table: Table, accepted: Row])[] = [
  ["balance", { credit: "0", held: "0", issued: MOST }],
  ["balance", { credit: "6", held: "4", issued: "10" }],
  ["currency", { exponent: 0 }],
  ["credit_grant", { amount: MOST, accrued: "10" }],
  ["credit_grant", { remaining: "0", held: "0", open: false, first_sequence: null }],
  ["credit_grant", { held: "10" }],
  ["charge", { amount: "0", corrected_invoiced: "1" }],
  ["charge", { amount: MOST, request_id: null, fingerprint: null }],
  ["charge", { status: "SETTLED", hold_expires_at: null, settled_at: LATER }],
  ["invoice", { line_count: 2, credit_line_count: 0 }],
  ["invoice_line", { amount: "0.000000000001", credited_invoice_id: null }],
  ["transfer", { amount: MOST, pending_after: "0", grant_held_after: "10" }],
];

const describeRow = (row: Row) => JSON.stringify(row);

describe("the database refuses what the code forbids, by name", () => {
  test.each(REFUSED.map(([name, table, row]) => [name, describeRow(row), table, row] as const))(
    "%s: %s",
    async (constraint, _, table, row) => {
      const refusal = await inTransaction(app, TENANT, () =>
        insertRow(app, table, { ...SAMPLE_ROWS[table], ...row }).catch(constraintOf),
      );
      expect(refusal).toBe(constraint);
    },
  );

  test.each(ACCEPTED.map(([table, row]) => [table, describeRow(row), row] as const))(
    "%s at the bound is accepted: %s",
    async (table, _, row) => {
      await inTransaction(app, TENANT, () =>
        insertRow(app, table, { ...SAMPLE_ROWS[table], ...row }),
      );
    },
  );

  test("every check of the schema has a row above", async () => {
    const { rows } = await app.query(
      `SELECT DISTINCT conname FROM pg_constraint
        WHERE contype = 'c' AND connamespace = 'public'::regnamespace`,
    );
    const tried = new Set(REFUSED.map(([constraint]) => constraint));
    expect(rows.map(({ conname }) => conname).filter((name) => !tried.has(name))).toEqual([]);
  });

  test.each([
    ["charge_request", "charge", { charge_id: "0190aaaa-0000-7000-8000-000000000099" }],
    ["invoice_one_draft", "invoice", { invoice_id: "0190aaaa-0000-7000-8000-000000000099" }],
    ["customer_key_pkey", "customer_key", { customer_id: "0190aaaa-0000-7000-8000-000000000099" }],
    ["transfer_pkey", "transfer", {}],
    ["request_pkey", "request", {}],
  ] as const)("%s refuses a second row", async (constraint, table, change) => {
    const refusal = await inTransaction(app, TENANT, async () => {
      await insertRow(app, table, SAMPLE_ROWS[table]);
      return insertRow(app, table, { ...SAMPLE_ROWS[table], ...change }).catch(constraintOf);
    });
    expect(refusal).toBe(constraint);
  });
});
