/** Owns how a version of a rate card becomes a message of the contract. */
import { SettlementMode } from "../../../gen/drawdown/v1/charge_pb.ts";
import type { Price as PriceMessage, PriceTier } from "../../../gen/drawdown/v1/price_pb.ts";
import type { RateCard as RateCardMessage } from "../../../gen/drawdown/v1/rate_card_pb.ts";
import type { RateCard } from "../../book/nouns.ts";
import { type Amount, formatAmount } from "../../money/amount.ts";
import type { Price, Tier } from "../../pricing/price.ts";
import { toProtoTimestamp } from "./timestamp.ts";

/** Makes the message as a literal, so that the compiler refuses a field that was forgotten. */
export function toProtoRateCard(card: RateCard): RateCardMessage {
  return {
    $typeName: "drawdown.v1.RateCard",
    key: card.key,
    version: card.version,
    name: card.name,
    featureKey: card.featureKey,
    currency: card.currency,
    settlementMode: SettlementMode[card.settlementMode],
    price: { $typeName: "drawdown.v1.Price", model: toProtoModel(card.price) },
    minimumAmount: optionalAmount(card.minimumAmount),
    maximumAmount: optionalAmount(card.maximumAmount),
    createdAt: toProtoTimestamp(card.createdAt),
    archivedAt: toProtoTimestamp(card.archivedAt),
  };
}

function toProtoModel(price: Price): PriceMessage["model"] {
  switch (price.model) {
    case "flat": {
      const amount = formatAmount(price.amount);
      return { case: "flat", value: { $typeName: "drawdown.v1.FlatPrice", amount } };
    }
    case "per_unit": {
      const unitAmount = formatAmount(price.unitAmount);
      return { case: "perUnit", value: { $typeName: "drawdown.v1.PerUnitPrice", unitAmount } };
    }
    case "package": {
      const amount = formatAmount(price.amount);
      const packageSize = formatAmount(price.packageSize);
      const $typeName = "drawdown.v1.PackagePrice";
      return { case: "package", value: { $typeName, amount, packageSize } };
    }
    case "graduated":
    case "volume":
      return toProtoTiered(price.model, price.tiers.map(toProtoTier));
  }
}

function toProtoTiered(model: "graduated" | "volume", tiers: PriceTier[]): PriceMessage["model"] {
  return model === "graduated"
    ? { case: model, value: { $typeName: "drawdown.v1.GraduatedPrice", tiers } }
    : { case: model, value: { $typeName: "drawdown.v1.VolumePrice", tiers } };
}

function toProtoTier({ upTo, unitAmount, flatAmount }: Tier): PriceTier {
  return {
    $typeName: "drawdown.v1.PriceTier",
    upTo: optionalAmount(upTo),
    unitAmount: formatAmount(unitAmount),
    flatAmount: formatAmount(flatAmount),
  };
}

const optionalAmount = (amount: Amount | null) => (amount === null ? "" : formatAmount(amount));
