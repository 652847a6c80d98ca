/** Owns the rows of a tenant: itself, its currencies, its rate cards, its request ids. */
import { EntitySchema } from "typeorm";
import type { SettlementMode } from "../../book/nouns.ts";
import type { TenantId } from "../../ledger/ids.ts";
import type { Amount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import type { Instant } from "../../money/time.ts";
import * as column from "./columns.ts";

export interface TenantRow {
  readonly tenant_id: TenantId;
  readonly name: string;
  /** Counts the customers created so far (H4). */
  readonly customer_count: bigint;
  readonly created_at: Instant;
}

export const tenants = new EntitySchema<TenantRow>({
  name: "tenant",
  columns: {
    tenant_id: column.keyOf("tenant", column.uuid),
    name: column.text,
    customer_count: { ...column.bigint, default: 0 },
    created_at: column.time,
  },
  indices: [{ name: "tenant_in_creation_order", columns: ["created_at", "tenant_id"] }],
});

export interface CurrencyRow {
  readonly tenant_id: TenantId;
  readonly code: CurrencyCode;
  readonly name: string;
  readonly exponent: number;
  readonly created_at: Instant;
}

export const currencies = new EntitySchema<CurrencyRow>({
  name: "currency",
  columns: {
    tenant_id: column.keyOf("currency", column.uuid),
    code: column.keyOf("currency", column.text),
    name: column.text,
    exponent: column.integer,
    created_at: column.time,
  },
  checks: [{ name: "currency_exponent_in_range", expression: "exponent BETWEEN 0 AND 12" }],
});

export interface RateCardRow {
  readonly tenant_id: TenantId;
  readonly key: string;
  readonly version: number;
  /** The creation sequence among the tenant's rate cards. */
  readonly number: bigint;
  readonly name: string;
  readonly feature_key: string;
  readonly currency: CurrencyCode;
  readonly settlement_mode: SettlementMode;
  /** As pricing/price-json.ts writes it. */
  readonly price: unknown;
  readonly minimum_amount: Amount | null;
  readonly maximum_amount: Amount | null;
  readonly created_at: Instant;
  readonly archived_at: Instant | null;
}

export const rateCards = new EntitySchema<RateCardRow>({
  name: "rate_card",
  columns: {
    tenant_id: column.keyOf("rate_card", column.uuid),
    key: column.keyOf("rate_card", column.text),
    version: column.keyOf("rate_card", column.integer),
    number: column.bigint,
    name: column.text,
    feature_key: column.text,
    currency: column.text,
    settlement_mode: column.settlementMode,
    price: column.json,
    minimum_amount: column.optional(column.money),
    maximum_amount: column.optional(column.money),
    created_at: column.time,
    archived_at: column.optional(column.time),
  },
  indices: [{ name: "rate_card_in_creation_order", columns: ["tenant_id", "number"] }],
});

export interface TenantRequestRow {
  readonly tenant_id: TenantId;
  readonly request_id: string;
  readonly fingerprint: Buffer;
  readonly answer: Buffer;
  readonly created_at: Instant;
}

export const tenantRequests = new EntitySchema<TenantRequestRow>({
  name: "tenant_request",
  columns: {
    tenant_id: column.keyOf("tenant_request", column.uuid),
    request_id: column.keyOf("tenant_request", column.text),
    fingerprint: column.bytes,
    answer: column.bytes,
    created_at: column.time,
  },
});
