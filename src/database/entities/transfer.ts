/** Owns the rows of the journal: transfers, and the notes of the movements that have their own. */
import { EntitySchema } from "typeorm";
import type { Metadata } from "../../book/nouns.ts";
import type { Account, TransferEvent } from "../../ledger/chart.ts";
import type { ChargeId, CustomerId, GrantId, TenantId } from "../../ledger/ids.ts";
import type { Amount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import type { Instant } from "../../money/time.ts";
import * as column from "./columns.ts";

export interface TransferRow {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
  /** The customer's gap-free sequence (L3). */
  readonly sequence: bigint;
  readonly booked_at: Instant;
  readonly created_at: Instant;
  readonly event: TransferEvent;
  readonly debit_account: Account;
  readonly credit_account: Account;
  readonly credit_grant_id: GrantId;
  readonly charge_id: ChargeId | null;
  readonly currency: CurrencyCode;
  readonly amount: Amount;
  /** The balances and the grant's state after the transfer (L6). */
  readonly settled_after: Amount;
  readonly pending_after: Amount;
  readonly grant_remaining_after: Amount;
  readonly grant_held_after: Amount;
}

export const transfers = new EntitySchema<TransferRow>({
  name: "transfer",
  columns: {
    tenant_id: column.uuid,
    customer_id: column.keyOf("transfer", column.uuid),
    sequence: column.keyOf("transfer", column.bigint),
    booked_at: column.time,
    created_at: column.time,
    event: column.transferEvent,
    debit_account: column.account,
    credit_account: column.account,
    credit_grant_id: column.uuid,
    charge_id: column.optional(column.uuid),
    currency: column.text,
    amount: column.money,
    settled_after: column.money,
    pending_after: column.money,
    grant_remaining_after: column.money,
    grant_held_after: column.money,
  },
  checks: [
    { name: "transfer_amount_positive", expression: "amount > 0 AND amount < 1e24" },
    { name: "transfer_between_two_accounts", expression: "debit_account <> credit_account" },
    {
      name: "transfer_balances_not_negative",
      expression: "pending_after BETWEEN 0 AND settled_after AND settled_after < 1e24",
    },
    {
      name: "transfer_grant_not_negative",
      expression:
        "grant_held_after BETWEEN 0 AND grant_remaining_after AND grant_remaining_after < 1e24",
    },
  ],
  indices: [
    { name: "transfer_by_currency", columns: ["customer_id", "currency", "sequence"] },
    { name: "transfer_by_grant", columns: ["customer_id", "credit_grant_id", "sequence"] },
    {
      name: "transfer_rare_movements",
      columns: ["customer_id", "event", "currency", "sequence"],
      where: "(event IN ('FUNDED', 'EXPIRED', 'VOIDED', 'CORRECTED', 'ADJUSTED'))",
    },
    {
      name: "transfer_ends_of_charge",
      columns: ["customer_id", "charge_id", "sequence"],
      where: "(charge_id IS NOT NULL AND event IN ('EXPIRED', 'VOIDED', 'CORRECTED'))",
    },
  ],
});

/** The description and metadata of ADJUSTED and CORRECTED movements (H2). */
export interface MovementNoteRow {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
  /** Of the first transfer of the command that the note belongs to. */
  readonly sequence: bigint;
  readonly description: string;
  readonly metadata: Metadata;
}

export const movementNotes = new EntitySchema<MovementNoteRow>({
  name: "movement_note",
  columns: {
    tenant_id: column.uuid,
    customer_id: column.keyOf("movement_note", column.uuid),
    sequence: column.keyOf("movement_note", column.bigint),
    description: column.text,
    metadata: column.json,
  },
});
