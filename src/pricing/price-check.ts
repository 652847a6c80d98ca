/**
 * Owns what a price must satisfy beyond the form of its fields: tiers in order, limits that leave
 * room, and which of its amounts the currency must be able to represent (D1, M2).
 */

import type { FieldViolation } from "../errors.ts";
import { type Amount, fitsScale } from "../money/amount.ts";
import type { Price, PriceLimits, Tier } from "./price.ts";

/** The first thing that is wrong with a price, with its path in the request; else undefined. */
export function validatePrice(price: Price, limits: PriceLimits): FieldViolation | undefined {
  return violationOfModel(price) ?? violationOfLimits(limits);
}

function violationOfModel(price: Price): FieldViolation | undefined {
  switch (price.model) {
    case "flat":
    case "per_unit":
      return undefined;
    case "package":
      if (price.packageSize > 0n) return undefined;
      return { field: "price.package.package_size", description: "must be above zero" };
    case "graduated":
    case "volume":
      return violationOfTiers(`price.${price.model}.tiers`, price.tiers);
  }
}

function violationOfTiers(path: string, tiers: readonly Tier[]): FieldViolation | undefined {
  if (tiers.length === 0) return { field: path, description: "must hold at least one tier" };
  let lowerBound = 0n;
  for (const [index, { upTo }] of tiers.entries()) {
    const field = `${path}[${index}].up_to`;
    const isLast = index === tiers.length - 1;
    if (upTo === null) {
      return isLast ? undefined : { field, description: "only the last tier may be open" };
    }
    if (isLast) return { field, description: "must be empty, because the last tier is open" };
    if (upTo <= lowerBound) {
      const than = index === 0 ? "zero" : "that of the tier before it";
      return { field, description: `must be above ${than}` };
    }
    lowerBound = upTo;
  }
  return undefined;
}

function violationOfLimits({ minimum, maximum }: PriceLimits): FieldViolation | undefined {
  if (minimum === null || maximum === null || minimum <= maximum) return undefined;
  return { field: "maximum_amount", description: "must not be less than minimum_amount" };
}

/** An amount of a price, with its path in the request. */
export interface PriceField {
  readonly field: string;
  readonly amount: Amount;
}

/**
 * The first amount of a price that has more decimals than its currency, which M2 refuses; else
 * undefined. Flat amounts and limits are asked; unit and package prices and tier bounds may have 12
 * decimals in any currency (D1).
 */
export function findTooFine(
  price: Price,
  limits: PriceLimits,
  decimals: number,
): PriceField | undefined {
  return flatFields(price, limits).find(({ amount }) => !fitsScale(amount, decimals));
}

function flatFields(price: Price, { minimum, maximum }: PriceLimits): readonly PriceField[] {
  const fields = modelFields(price);
  if (minimum !== null) fields.push({ field: "minimum_amount", amount: minimum });
  if (maximum !== null) fields.push({ field: "maximum_amount", amount: maximum });
  return fields;
}

function modelFields(price: Price): PriceField[] {
  switch (price.model) {
    case "flat":
      return [{ field: "price.flat.amount", amount: price.amount }];
    case "per_unit":
    case "package":
      return [];
    case "graduated":
    case "volume":
      return price.tiers.map(({ flatAmount }, index) => ({
        field: `price.${price.model}.tiers[${index}].flat_amount`,
        amount: flatAmount,
      }));
  }
}
