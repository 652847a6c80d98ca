/** Owns how a charge becomes a message of the contract. */
import {
  type Allocation as AllocationMessage,
  Capture,
  type Charge as ChargeMessage,
  ChargeStatus,
  SettlementMode,
} from "../../../gen/drawdown/v1/charge_pb.ts";
import {
  type Allocation,
  type Charge,
  correctedAmount,
  creditsApplied,
  creditsHeld,
} from "../../book/nouns.ts";
import type { CustomerId } from "../../ledger/ids.ts";
import { formatAmount } from "../../money/amount.ts";
import { toProtoTimestamp } from "./timestamp.ts";

/** Makes the message as a literal, so that the compiler refuses a field that was forgotten. */
export function toProtoCharge(customerId: CustomerId, charge: Charge): ChargeMessage {
  return {
    $typeName: "drawdown.v1.Charge",
    id: charge.id,
    customerId,
    currency: charge.currency,
    featureKey: charge.featureKey ?? "",
    settlementMode: SettlementMode[charge.settlementMode],
    status: ChargeStatus[charge.status],
    amount: formatAmount(charge.amount),
    estimatedAmount: formatAmount(charge.estimatedAmount),
    creditsHeld: formatAmount(creditsHeld(charge)),
    creditsApplied: formatAmount(creditsApplied(charge)),
    invoicedAmount: formatAmount(charge.invoicedAmount),
    correctedAmount: formatAmount(correctedAmount(charge)),
    allocations: charge.allocations.map(toProtoAllocation),
    rateCardKey: charge.rateCardKey ?? "",
    rateCardVersion: charge.rateCardVersion ?? 0,
    quantity: charge.quantity === null ? "" : formatAmount(charge.quantity),
    invoiceId: charge.invoiceId ?? "",
    capture: Capture[charge.capture],
    holdExpiresAt: toProtoTimestamp(charge.holdExpiresAt),
    createdAt: toProtoTimestamp(charge.createdAt),
    settledAt: toProtoTimestamp(charge.settledAt),
    canceledAt: toProtoTimestamp(charge.canceledAt),
    description: charge.description,
    metadata: charge.metadata,
  };
}

function toProtoAllocation(allocation: Allocation): AllocationMessage {
  return {
    $typeName: "drawdown.v1.Allocation",
    creditGrantId: allocation.grantId,
    amount: formatAmount(allocation.amount),
    returned: formatAmount(allocation.returned),
  };
}
