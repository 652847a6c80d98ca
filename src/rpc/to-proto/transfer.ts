/** Owns how a transfer and a ledger account become messages of the contract (L1, L4). */
import {
  Account as AccountMessage,
  TransferEvent,
  type Transfer as TransferMessage,
} from "../../../gen/drawdown/v1/transfer_pb.ts";
import type { Account } from "../../ledger/chart.ts";
import type { Transfer } from "../../ledger/transfer.ts";
import { formatAmount } from "../../money/amount.ts";
import { toProtoTimestamp } from "./timestamp.ts";

/** The accounts under their names on the wire. */
export const PROTO_ACCOUNTS = {
  customer_credit: AccountMessage.CUSTOMER_CREDIT,
  customer_held: AccountMessage.CUSTOMER_HELD,
  receivable_open: AccountMessage.RECEIVABLE_OPEN,
  receivable_authorized: AccountMessage.RECEIVABLE_AUTHORIZED,
  accrued: AccountMessage.ACCRUED,
  settlement: AccountMessage.SETTLEMENT,
  promotion: AccountMessage.PROMOTION,
  earnings: AccountMessage.EARNINGS,
  breakage: AccountMessage.BREAKAGE,
} as const satisfies Record<Account, AccountMessage>;

/** Makes the message as a literal, so that the compiler refuses a field that was forgotten. */
export function toProtoTransfer(transfer: Transfer): TransferMessage {
  return {
    $typeName: "drawdown.v1.Transfer",
    sequence: transfer.sequence,
    event: TransferEvent[transfer.event],
    debitAccount: PROTO_ACCOUNTS[transfer.debitAccount],
    creditAccount: PROTO_ACCOUNTS[transfer.creditAccount],
    amount: formatAmount(transfer.amount),
    currency: transfer.currency,
    creditGrantId: transfer.grantId,
    chargeId: transfer.chargeId ?? "",
    bookedAt: toProtoTimestamp(transfer.bookedAt),
    createdAt: toProtoTimestamp(transfer.createdAt),
    settledAfter: formatAmount(transfer.settledAfter),
    pendingAfter: formatAmount(transfer.pendingAfter),
    grantRemainingAfter: formatAmount(transfer.grantRemainingAfter),
    grantHeldAfter: formatAmount(transfer.grantHeldAfter),
  };
}
