/** Owns the row of a credit grant: the lot that the ledger moves, and its terms. */
import { EntitySchema } from "typeorm";
import type { Metadata } from "../../book/nouns.ts";
import type { CustomerId, GrantId, InvoiceId, TenantId } from "../../ledger/ids.ts";
import type {
  Availability,
  FundingMethod,
  GrantStatus,
  SettlementStatus,
} from "../../ledger/lot.ts";
import type { Amount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import type { Instant } from "../../money/time.ts";
import * as column from "./columns.ts";

export interface CreditGrantRow {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
  readonly credit_grant_id: GrantId;
  /** The creation sequence among the customer's objects. */
  readonly number: bigint;
  /** The sequence of the first movement; null until the credit is available. */
  readonly first_sequence: bigint | null;
  readonly created_at: Instant;
  readonly effective_at: Instant;
  readonly expires_at: Instant | null;
  /** When the grant next falls due: its activation or its expiry. */
  readonly due_at: Instant | null;
  readonly voided_at: Instant | null;
  readonly priority: number;
  readonly funding_method: FundingMethod;
  readonly status: GrantStatus;
  readonly settlement_status: SettlementStatus | null;
  readonly availability: Availability | null;
  /** Whether anything remains; the index of the draw order holds only these. */
  readonly open: boolean;
  readonly invoice_id: InvoiceId | null;
  readonly currency: CurrencyCode;
  readonly amount: Amount;
  readonly remaining: Amount;
  readonly held: Amount;
  readonly accrued: Amount;
  readonly adjusted_unpaid: Amount;
  readonly expires_after: string | null;
  readonly features: readonly string[];
  readonly purchase_currency: CurrencyCode | null;
  readonly per_unit_cost: Amount | null;
  readonly purchase_amount: Amount | null;
  readonly name: string;
  readonly description: string;
  readonly void_reason: string | null;
  readonly metadata: Metadata;
}

export const creditGrants = new EntitySchema<CreditGrantRow>({
  name: "credit_grant",
  columns: {
    tenant_id: column.uuid,
    customer_id: column.keyOf("credit_grant", column.uuid),
    credit_grant_id: column.keyOf("credit_grant", column.uuid),
    number: column.bigint,
    first_sequence: column.optional(column.bigint),
    created_at: column.time,
    effective_at: column.time,
    expires_at: column.optional(column.time),
    due_at: column.optional(column.time),
    voided_at: column.optional(column.time),
    priority: column.integer,
    funding_method: column.fundingMethod,
    status: column.grantStatus,
    settlement_status: column.optional(column.settlementStatus),
    availability: column.optional(column.availability),
    open: column.flag,
    invoice_id: column.optional(column.uuid),
    currency: column.text,
    amount: column.money,
    remaining: column.money,
    held: column.money,
    accrued: column.money,
    adjusted_unpaid: column.money,
    expires_after: column.optional(column.text),
    features: column.texts,
    purchase_currency: column.optional(column.text),
    per_unit_cost: column.optional(column.money),
    purchase_amount: column.optional(column.money),
    name: column.text,
    description: column.text,
    void_reason: column.optional(column.text),
    metadata: column.json,
  },
  checks: [
    { name: "credit_grant_amount_positive", expression: "amount > 0 AND amount < 1e24" },
    { name: "credit_grant_within_amount", expression: "remaining BETWEEN 0 AND amount" },
    { name: "credit_grant_held_within_remaining", expression: "held BETWEEN 0 AND remaining" },
    {
      name: "credit_grant_accrued_not_negative",
      expression: "accrued BETWEEN 0 AND amount AND adjusted_unpaid BETWEEN 0 AND amount",
    },
    { name: "credit_grant_open_means_remaining", expression: "open = (remaining > 0)" },
    {
      name: "credit_grant_available_has_sequence",
      expression: "first_sequence IS NOT NULL OR remaining = 0",
    },
  ],
  indices: [
    // TypeORM cannot express an index on an expression.
    { name: "credit_grant_draw_order", columns: ["customer_id"], synchronize: false },
    {
      name: "credit_grant_due",
      columns: ["customer_id", "due_at"],
      where: "(due_at IS NOT NULL)",
    },
    { name: "credit_grant_open", columns: ["customer_id", "credit_grant_id"], where: "open" },
    {
      name: "credit_grant_upcoming",
      columns: ["customer_id", "credit_grant_id"],
      where: "(status = 'PENDING'::credit_grant_status)",
    },
  ],
});
