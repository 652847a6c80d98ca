/** Owns the row of a charge, which also keeps the request id of a charge that settled at once. */
import { EntitySchema } from "typeorm";
import type { Capture, ChargeStatus, Metadata, SettlementMode } from "../../book/nouns.ts";
import type {
  ChargeId,
  CustomerId,
  GrantId,
  InvoiceId,
  InvoiceLineId,
  TenantId,
} from "../../ledger/ids.ts";
import type { Amount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import type { Instant } from "../../money/time.ts";
import * as column from "./columns.ts";

export interface ChargeRow {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
  readonly charge_id: ChargeId;
  /** The creation sequence among the customer's objects. */
  readonly number: bigint;
  /** The sequence of its first CONSUMED transfer; the others follow it without a gap. */
  readonly first_consumed_sequence: bigint | null;
  readonly created_at: Instant;
  readonly hold_expires_at: Instant | null;
  readonly settled_at: Instant | null;
  readonly canceled_at: Instant | null;
  readonly status: ChargeStatus;
  readonly settlement_mode: SettlementMode;
  readonly capture: Capture;
  readonly rate_card_key: string | null;
  readonly rate_card_version: number | null;
  readonly invoice_id: InvoiceId | null;
  readonly invoice_line_id: InvoiceLineId | null;
  readonly currency: CurrencyCode;
  readonly amount: Amount;
  readonly estimated_amount: Amount;
  readonly quantity: Amount | null;
  readonly invoiced_amount: Amount;
  readonly corrected_invoiced: Amount;
  /** The allocations, in the order taken: three arrays of one length. */
  readonly draw_credit_grant_ids: readonly GrantId[];
  readonly draw_amounts: readonly Amount[];
  readonly draw_returned: readonly Amount[];
  readonly feature_key: string | null;
  readonly request_id: string | null;
  readonly fingerprint: Buffer | null;
  readonly description: string;
  readonly metadata: Metadata;
}

export const charges = new EntitySchema<ChargeRow>({
  name: "charge",
  columns: {
    tenant_id: column.uuid,
    customer_id: column.keyOf("charge", column.uuid),
    charge_id: column.keyOf("charge", column.uuid),
    number: column.bigint,
    first_consumed_sequence: column.optional(column.bigint),
    created_at: column.time,
    hold_expires_at: column.optional(column.time),
    settled_at: column.optional(column.time),
    canceled_at: column.optional(column.time),
    status: column.chargeStatus,
    settlement_mode: column.settlementMode,
    capture: column.capture,
    rate_card_key: column.optional(column.text),
    rate_card_version: column.optional(column.integer),
    invoice_id: column.optional(column.uuid),
    invoice_line_id: column.optional(column.uuid),
    currency: column.text,
    amount: column.money,
    estimated_amount: column.money,
    quantity: column.optional(column.money),
    invoiced_amount: column.money,
    corrected_invoiced: column.money,
    draw_credit_grant_ids: column.uuids,
    draw_amounts: column.amounts,
    draw_returned: column.amounts,
    feature_key: column.optional(column.text),
    request_id: column.optional(column.text),
    fingerprint: column.optional(column.bytes),
    description: column.text,
    metadata: column.json,
  },
  checks: [
    { name: "charge_amount_in_range", expression: "amount >= 0 AND amount < 1e24" },
    {
      name: "charge_corrected_within_invoiced",
      expression: "corrected_invoiced BETWEEN 0 AND invoiced_amount AND invoiced_amount < 1e24",
    },
    {
      name: "charge_draws_aligned",
      expression: `cardinality(draw_credit_grant_ids) = cardinality(draw_amounts)
        AND cardinality(draw_amounts) = cardinality(draw_returned)`,
    },
    {
      name: "charge_request_has_fingerprint",
      expression: "(request_id IS NULL) = (fingerprint IS NULL)",
    },
    {
      name: "charge_open_times_out",
      expression: "status <> 'OPEN' OR hold_expires_at IS NOT NULL",
    },
  ],
  indices: [
    {
      name: "charge_hold_timeout",
      columns: ["customer_id", "hold_expires_at", "number"],
      where: "(status = 'OPEN'::charge_status)",
    },
    {
      name: "charge_open",
      columns: ["customer_id", "charge_id"],
      where: "(status = 'OPEN'::charge_status)",
    },
    {
      name: "charge_request",
      columns: ["customer_id", "request_id"],
      unique: true,
      where: "(request_id IS NOT NULL)",
    },
  ],
});
