/** Owns the transfer, the one immutable row of the journal, and how a customer sees it (L1, H1). */
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import { type Account, settledSign, type TransferEvent } from "./chart.ts";
import type { ChargeId, GrantId } from "./ids.ts";

export interface Transfer {
  /** The customer's gap-free sequence (L3). */
  readonly sequence: bigint;
  readonly event: TransferEvent;
  readonly debitAccount: Account;
  readonly creditAccount: Account;
  /** Positive. */
  readonly amount: Amount;
  readonly currency: CurrencyCode;
  /** Every transfer belongs to one credit grant. */
  readonly grantId: GrantId;
  readonly chargeId: ChargeId | null;
  readonly bookedAt: Instant;
  readonly createdAt: Instant;
  /** The customer's balances in this currency after the transfer (L6). */
  readonly settledAfter: Amount;
  readonly pendingAfter: Amount;
  /** The grant's state after the transfer (L6). */
  readonly grantRemainingAfter: Amount;
  readonly grantHeldAfter: Amount;
}

/** The signed amount by which a transfer moves the customer's settled balance. */
export function signedAmount(
  transfer: Pick<Transfer, "debitAccount" | "creditAccount" | "amount">,
): Amount {
  const { debitAccount: debit, creditAccount: credit } = transfer;
  return settledSign({ debit, credit }) * transfer.amount;
}
