/**
 * Owns the price models and how a quantity becomes an amount (D1): exactly, with one rounding on
 * the final figure (M3).
 */

import { AssertionFailure, assert, refuse } from "../errors.ts";
import {
  AMOUNT_LIMIT,
  type Amount,
  formatAmount,
  type Product,
  productOf,
  roundProduct,
} from "../money/amount.ts";
import { type Currency, creditDecimals } from "../money/currency.ts";

/** The same amount for any quantity, 0 included. */
export interface FlatPrice {
  readonly model: "flat";
  readonly amount: Amount;
}

/** An amount for each unit. */
export interface PerUnitPrice {
  readonly model: "per_unit";
  readonly unitAmount: Amount;
}

/** An amount for each package; a begun package costs as much as a full one. */
export interface PackagePrice {
  readonly model: "package";
  readonly amount: Amount;
  readonly packageSize: Amount;
}

/**
 * Graduated: each part of the quantity at the price of the tier that it falls into.
 * Volume: the whole quantity at the price of the one tier that contains it.
 */
export interface TieredPrice {
  readonly model: "graduated" | "volume";
  readonly tiers: readonly Tier[];
}

/**
 * A tier reaches from the bound of the one before it, which it excludes, to its own, which it
 * includes. The first one begins at 0 and includes 0.
 */
export interface Tier {
  /** The highest quantity of the tier; null for the last one, which is open. */
  readonly upTo: Amount | null;
  readonly unitAmount: Amount;
  /** Added once when the quantity reaches into the tier: of the first tier always, even at 0. */
  readonly flatAmount: Amount;
}

export type Price = FlatPrice | PerUnitPrice | PackagePrice | TieredPrice;

/** The least and the most that a charge can come to, at quantity 0 too. */
export interface PriceLimits {
  readonly minimum: Amount | null;
  readonly maximum: Amount | null;
}

/**
 * What a quantity costs, rounded half away from zero to the decimals that the currency has for
 * credit. Refuses AMOUNT_OUT_OF_RANGE when that is an amount that the ledger cannot hold.
 */
export function ratePrice(
  price: Price,
  quantity: Amount,
  limits: PriceLimits,
  currency: Currency,
): Amount {
  assert(quantity >= 0n, "a quantity is not negative");
  const product = limitProduct(exactPrice(price, quantity), limits);
  const amount = roundProduct(product, creditDecimals(currency));
  if (amount < AMOUNT_LIMIT) return amount;
  const facts = { amount: formatAmount(amount), currency: currency.code };
  const message = "the price of the quantity must stay below 10^24";
  throw refuse("AMOUNT_OUT_OF_RANGE", message, facts, "quantity");
}

function limitProduct(product: Product, { minimum, maximum }: PriceLimits): Product {
  if (minimum !== null && product < productOf(minimum)) return productOf(minimum);
  if (maximum !== null && product > productOf(maximum)) return productOf(maximum);
  return product;
}

function exactPrice(price: Price, quantity: Amount): Product {
  switch (price.model) {
    case "flat":
      return productOf(price.amount);
    case "per_unit":
      return price.unitAmount * quantity;
    case "package":
      return productOf(price.amount) * packageCount(quantity, price.packageSize);
    case "graduated":
      return graduatedPrice(price.tiers, quantity);
    case "volume":
      return volumePrice(price.tiers, quantity);
  }
}

/** How many packages hold the quantity. */
function packageCount(quantity: Amount, packageSize: Amount): bigint {
  return (quantity + packageSize - 1n) / packageSize;
}

function graduatedPrice(tiers: readonly Tier[], quantity: Amount): Product {
  let product = 0n;
  let lowerBound = 0n;
  for (const { upTo, unitAmount, flatAmount } of tiers) {
    const reachesEnd = upTo === null || quantity <= upTo;
    const end = reachesEnd ? quantity : upTo;
    product += productOf(flatAmount) + unitAmount * (end - lowerBound);
    if (reachesEnd) return product;
    lowerBound = end;
  }
  throw new AssertionFailure("the last tier is open");
}

function volumePrice(tiers: readonly Tier[], quantity: Amount): Product {
  const tier = tiers.find(({ upTo }) => upTo === null || quantity <= upTo);
  assert(tier !== undefined, "the last tier is open");
  return productOf(tier.flatAmount) + tier.unitAmount * quantity;
}
