/** Owns how requests about rate cards become commands. */
import { SettlementMode } from "../../../gen/drawdown/v1/charge_pb.ts";
import type { Price as PriceMessage, PriceTier } from "../../../gen/drawdown/v1/price_pb.ts";
import type { CreateRateCardRequest } from "../../../gen/drawdown/v1/rate_card_service_pb.ts";
import { assert } from "../../errors.ts";
import type { Price, Tier } from "../../pricing/price.ts";
import { validatePrice } from "../../pricing/price-check.ts";
import type { CreateRateCard } from "../../registry/create-rate-card.ts";
import { invalidRequest } from "../validation.ts";
import { fromProtoAmount, fromProtoOptionalAmount } from "./amount.ts";
import { fromProtoEnum } from "./enum.ts";

/**
 * Refuses what the declared rules cannot see: bounds are strings to them, so neither the order of
 * tiers nor that of the limits can be declared (D1).
 */
export function fromProtoCreateRateCard(request: CreateRateCardRequest): CreateRateCard {
  const price = fromProtoPrice(request.price);
  const minimumAmount = fromProtoOptionalAmount(request.minimumAmount);
  const maximumAmount = fromProtoOptionalAmount(request.maximumAmount);
  const violation = validatePrice(price, { minimum: minimumAmount, maximum: maximumAmount });
  if (violation !== undefined) {
    throw invalidRequest(`${violation.field}: ${violation.description}`, [violation]);
  }
  return {
    key: request.key,
    name: request.name,
    featureKey: request.featureKey,
    currency: request.currency,
    settlementMode: fromProtoEnum(SettlementMode, request.settlementMode),
    price,
    minimumAmount,
    maximumAmount,
  };
}

function fromProtoPrice(price: PriceMessage | undefined): Price {
  const model = price?.model;
  switch (model?.case) {
    case "flat":
      return { model: "flat", amount: fromProtoAmount(model.value.amount) };
    case "perUnit":
      return { model: "per_unit", unitAmount: fromProtoAmount(model.value.unitAmount) };
    case "package":
      return {
        model: "package",
        amount: fromProtoAmount(model.value.amount),
        packageSize: fromProtoAmount(model.value.packageSize),
      };
    case "graduated":
    case "volume":
      return { model: model.case, tiers: model.value.tiers.map(fromProtoTier) };
    default:
      assert(false, "validation lets no price through that has no model");
  }
}

function fromProtoTier({ upTo, unitAmount, flatAmount }: PriceTier): Tier {
  return {
    upTo: fromProtoOptionalAmount(upTo),
    unitAmount: fromProtoOptionalAmount(unitAmount) ?? 0n,
    flatAmount: fromProtoOptionalAmount(flatAmount) ?? 0n,
  };
}
