/** Owns how requests about charges become commands. */
import { Capture, ChargeStatus, SettlementMode } from "../../../gen/drawdown/v1/charge_pb.ts";
import type {
  CancelChargeRequest,
  CorrectChargeRequest,
  CreateChargeRequest,
  ListChargesRequest,
  PreviewChargeRequest,
  SettleChargeRequest,
} from "../../../gen/drawdown/v1/charge_service_pb.ts";
import type { CancelCharge } from "../../charge/cancel-charge.ts";
import type { CorrectCharge } from "../../charge/correct-charge.ts";
import type { CreateCharge } from "../../charge/create-charge.ts";
import type { ChargeBasis } from "../../charge/plan-charge.ts";
import type { SettleCharge } from "../../charge/settle-charge.ts";
import type { ChargeFilter } from "../../queries/charges.ts";
import { fromProtoAmount, fromProtoOptionalAmount } from "./amount.ts";
import { fromProtoEnum } from "./enum.ts";
import { fromProtoId, fromProtoOptional } from "./id.ts";
import { fromProtoTimestamp } from "./timestamp.ts";

/** A preview asks for the same as the charge itself. */
type ChargeRequest = CreateChargeRequest | PreviewChargeRequest;

export function fromProtoCreateCharge(request: ChargeRequest): CreateCharge {
  return {
    basis: fromProtoBasis(request),
    capture: fromProtoEnum(Capture, request.capture, "AUTOMATIC"),
    holdExpiresAt: fromProtoTimestamp(request.holdExpiresAt, "hold_expires_at"),
    description: request.description,
    metadata: request.metadata,
  };
}

function fromProtoBasis(request: ChargeRequest): ChargeBasis {
  if (request.rateCardKey !== "") {
    const quantity = fromProtoAmount(request.quantity);
    return { by: "rate_card", rateCardKey: request.rateCardKey, quantity };
  }
  return {
    by: "amount",
    amount: fromProtoAmount(request.amount),
    currency: request.currency,
    settlementMode: fromProtoEnum(SettlementMode, request.settlementMode),
    featureKey: fromProtoOptional(request.featureKey),
  };
}

export function fromProtoSettleCharge(request: SettleChargeRequest): SettleCharge {
  return {
    chargeId: fromProtoId(request.chargeId),
    amount: fromProtoOptionalAmount(request.amount),
    quantity: fromProtoOptionalAmount(request.quantity),
  };
}

export function fromProtoCancelCharge(request: CancelChargeRequest): CancelCharge {
  return { chargeId: fromProtoId(request.chargeId) };
}

export function fromProtoCorrectCharge(request: CorrectChargeRequest): CorrectCharge {
  return {
    chargeId: fromProtoId(request.chargeId),
    amount: fromProtoOptionalAmount(request.amount),
    reason: request.reason,
  };
}

export function fromProtoChargeFilter(request: ListChargesRequest): ChargeFilter {
  return {
    statuses: request.statuses.map((status) => fromProtoEnum(ChargeStatus, status)),
    currency: fromProtoOptional(request.currency),
    featureKey: fromProtoOptional(request.featureKey),
  };
}
