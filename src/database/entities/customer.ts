/** Owns the rows of a customer: profile, key, head, balances, request ids. */
import { EntitySchema } from "typeorm";
import type { Metadata } from "../../book/nouns.ts";
import type { CustomerId, TenantId } from "../../ledger/ids.ts";
import type { Amount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import type { Instant } from "../../money/time.ts";
import * as column from "./columns.ts";

/** What the tenant says of its customer. */
export interface CustomerRow {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
  /** The creation sequence among the tenant's customers. */
  readonly number: bigint;
  readonly key: string;
  readonly name: string;
  readonly metadata: Metadata;
  readonly created_at: Instant;
}

export const customers = new EntitySchema<CustomerRow>({
  name: "customer",
  columns: {
    tenant_id: column.uuid,
    customer_id: column.keyOf("customer", column.uuid),
    number: column.bigint,
    key: column.text,
    name: column.text,
    metadata: column.json,
    created_at: column.time,
  },
  indices: [
    {
      name: "customer_in_creation_order",
      columns: ["tenant_id", "number", "customer_id"],
      unique: true,
    },
  ],
});

export interface CustomerKeyRow {
  readonly tenant_id: TenantId;
  readonly key: string;
  readonly customer_id: CustomerId;
}

export const customerKeys = new EntitySchema<CustomerKeyRow>({
  name: "customer_key",
  columns: {
    tenant_id: column.keyOf("customer_key", column.uuid),
    key: column.keyOf("customer_key", column.text),
    customer_id: column.uuid,
  },
});

/** The row that every write of a customer locks first. */
export interface CustomerHeadRow {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
  /** The sequence of the newest transfer; 0 when there is none (L3). */
  readonly sequence: bigint;
  /** The last moment at which anything was booked or created; nothing is dated before it (L3). */
  readonly last_booked_at: Instant | null;
  /** No due event lies before this: may be too early, never too late. */
  readonly next_due_at: Instant | null;
  readonly object_count: bigint;
  readonly invoice_count: bigint;
}

export const customerHeads = new EntitySchema<CustomerHeadRow>({
  name: "customer_head",
  columns: {
    tenant_id: column.uuid,
    customer_id: column.keyOf("customer_head", column.uuid),
    sequence: { ...column.bigint, default: 0 },
    last_booked_at: column.optional(column.time),
    next_due_at: column.optional(column.time),
    object_count: { ...column.bigint, default: 0 },
    invoice_count: { ...column.bigint, default: 0 },
  },
  indices: [
    {
      name: "customer_head_due",
      columns: ["next_due_at", "customer_id"],
      where: "(next_due_at IS NOT NULL)",
    },
  ],
});

export interface BalanceRow {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
  readonly currency: CurrencyCode;
  readonly credit: Amount;
  readonly held: Amount;
  readonly issued: Amount;
}

export const balances = new EntitySchema<BalanceRow>({
  name: "balance",
  columns: {
    tenant_id: column.uuid,
    customer_id: column.keyOf("balance", column.uuid),
    currency: column.keyOf("balance", column.text),
    credit: column.money,
    held: column.money,
    issued: column.money,
  },
  checks: [
    { name: "balance_not_negative", expression: "credit >= 0 AND held >= 0" },
    { name: "balance_in_range", expression: "credit + held <= issued AND issued < 1e24" },
  ],
});

export interface RequestRow {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
  readonly request_id: string;
  readonly fingerprint: Buffer;
  readonly answer: Buffer;
  readonly created_at: Instant;
}

export const requests = new EntitySchema<RequestRow>({
  name: "request",
  columns: {
    tenant_id: column.uuid,
    customer_id: column.keyOf("request", column.uuid),
    request_id: column.keyOf("request", column.text),
    fingerprint: column.bytes,
    answer: column.bytes,
    created_at: column.time,
  },
});
