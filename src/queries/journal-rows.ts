/** Owns how a row of the journal becomes the noun. Columns and reader stand side by side. */
import type { TransferRow } from "../database/entities/transfer.ts";
import type { Transfer } from "../ledger/transfer.ts";
import type { MovedTransfer } from "./movement.ts";

/**
 * The columns of a transfer `t` that a movement shows. The moment of its creation is left out where
 * it is that of booking, as it mostly is: to spell and to read a time is what costs most of a row.
 */
export const MOVED_COLUMNS = `t.sequence, t.booked_at,
  nullif(t.created_at, t.booked_at) AS created_at, t.event,
  t.debit_account, t.credit_account, t.credit_grant_id, t.charge_id, t.currency, t.amount,
  t.settled_after`;

/** The columns of a transfer `t`. */
export const TRANSFER_COLUMNS = `${MOVED_COLUMNS}, t.pending_after, t.grant_remaining_after,
  t.grant_held_after`;

/** A transfer as it is read. */
export type JournalRow = Omit<TransferRow, "created_at"> & {
  readonly created_at: TransferRow["created_at"] | null;
};

export type MovedRow = Omit<
  JournalRow,
  "pending_after" | "grant_remaining_after" | "grant_held_after"
>;

export function movedTransferOf(row: MovedRow): MovedTransfer {
  return {
    sequence: row.sequence,
    event: row.event,
    debitAccount: row.debit_account,
    creditAccount: row.credit_account,
    amount: row.amount,
    currency: row.currency,
    grantId: row.credit_grant_id,
    chargeId: row.charge_id,
    bookedAt: row.booked_at,
    createdAt: row.created_at ?? row.booked_at,
    settledAfter: row.settled_after,
  };
}

export function transferOf(row: JournalRow): Transfer {
  return {
    ...movedTransferOf(row),
    pendingAfter: row.pending_after,
    grantRemainingAfter: row.grant_remaining_after,
    grantHeldAfter: row.grant_held_after,
  };
}
