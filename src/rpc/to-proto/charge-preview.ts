/** Owns how the preview of a charge becomes a message of the contract (D8). */
import type { Draw, PreviewChargeResponse } from "../../../gen/drawdown/v1/charge_service_pb.ts";
import type { ChargePreview, PreviewedDraw } from "../../charge/preview-charge.ts";
import { formatAmount } from "../../money/amount.ts";
import { toProtoRefusal } from "./refusal.ts";
import { toProtoTimestamp } from "./timestamp.ts";

export function toProtoChargePreview(preview: ChargePreview): PreviewChargeResponse {
  return {
    $typeName: "drawdown.v1.PreviewChargeResponse",
    draws: preview.draws.map(toProtoDraw),
    creditsApplied: formatAmount(preview.creditsApplied),
    invoicedAmount: formatAmount(preview.invoicedAmount),
    shortfall: formatAmount(preview.shortfall),
    refusal: preview.refusal === null ? undefined : toProtoRefusal(preview.refusal),
    currency: preview.currency ?? "",
    amount: preview.amount === null ? "" : formatAmount(preview.amount),
  };
}

function toProtoDraw({ lot, amount, reason }: PreviewedDraw): Draw {
  return {
    $typeName: "drawdown.v1.Draw",
    creditGrantId: lot.id,
    amount: formatAmount(amount),
    priority: lot.priority,
    expiresAt: toProtoTimestamp(lot.expiresAt),
    firstSequence: lot.firstSequence ?? 0n,
    reason,
  };
}
