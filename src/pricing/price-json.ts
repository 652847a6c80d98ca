/**
 * Owns how a price is kept as JSON beside a rate card or a charge: canonical decimal strings, never
 * numbers, under the names that the contract has.
 */

import { amountFromDigits, formatAmount } from "../money/amount.ts";
import type { Price, Tier } from "./price.ts";

export type PriceJson =
  | { readonly model: "flat"; readonly amount: string }
  | { readonly model: "per_unit"; readonly unit_amount: string }
  | { readonly model: "package"; readonly amount: string; readonly package_size: string }
  | { readonly model: "graduated" | "volume"; readonly tiers: readonly TierJson[] };

export interface TierJson {
  /** Null for the open tier. */
  readonly up_to: string | null;
  readonly unit_amount: string;
  readonly flat_amount: string;
}

export function priceToJson(price: Price): PriceJson {
  switch (price.model) {
    case "flat":
      return { model: price.model, amount: formatAmount(price.amount) };
    case "per_unit":
      return { model: price.model, unit_amount: formatAmount(price.unitAmount) };
    case "package":
      return {
        model: price.model,
        amount: formatAmount(price.amount),
        package_size: formatAmount(price.packageSize),
      };
    case "graduated":
    case "volume":
      return { model: price.model, tiers: price.tiers.map(tierToJson) };
  }
}

function tierToJson({ upTo, unitAmount, flatAmount }: Tier): TierJson {
  return {
    up_to: upTo === null ? null : formatAmount(upTo),
    unit_amount: formatAmount(unitAmount),
    flat_amount: formatAmount(flatAmount),
  };
}

/** Reads back what `priceToJson` made. It is not a check of foreign input. */
export function priceFromJson(json: PriceJson): Price {
  switch (json.model) {
    case "flat":
      return { model: json.model, amount: amountFromDigits(json.amount) };
    case "per_unit":
      return { model: json.model, unitAmount: amountFromDigits(json.unit_amount) };
    case "package":
      return {
        model: json.model,
        amount: amountFromDigits(json.amount),
        packageSize: amountFromDigits(json.package_size),
      };
    case "graduated":
    case "volume":
      return { model: json.model, tiers: json.tiers.map(tierFromJson) };
  }
}

function tierFromJson(json: TierJson): Tier {
  return {
    upTo: json.up_to === null ? null : amountFromDigits(json.up_to),
    unitAmount: amountFromDigits(json.unit_amount),
    flatAmount: amountFromDigits(json.flat_amount),
  };
}
