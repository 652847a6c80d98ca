/** Owns the creation of a rate card, or with a known key of its next version (D1). */
import { checkInvoiceable, checkScale, getCurrency } from "../book/guards.ts";
import type { RateCard, SettlementMode } from "../book/nouns.ts";
import { refuse } from "../errors.ts";
import type { Amount } from "../money/amount.ts";
import { type CurrencyCode, creditDecimals } from "../money/currency.ts";
import type { Price } from "../pricing/price.ts";
import { findTooFine } from "../pricing/price-check.ts";
import type { Registry } from "./registry.ts";

/** A price that `validatePrice` has seen, and what it is the price of. */
export interface CreateRateCard {
  readonly key: string;
  readonly name: string;
  /** Empty for use that only unrestricted credit pays for. */
  readonly featureKey: string;
  readonly currency: CurrencyCode;
  readonly settlementMode: SettlementMode;
  readonly price: Price;
  readonly minimumAmount: Amount | null;
  readonly maximumAmount: Amount | null;
}

export function createRateCard(registry: Registry, command: CreateRateCard): RateCard {
  const newest = registry.findNewestRateCard(command.key);
  if (newest !== undefined) checkSame(newest, command);
  const currency = getCurrency(registry, command.currency);
  if (command.settlementMode === "CREDIT_THEN_INVOICE") checkInvoiceable(currency, "currency");
  const limits = { minimum: command.minimumAmount, maximum: command.maximumAmount };
  const tooFine = findTooFine(command.price, limits, creditDecimals(currency));
  if (tooFine !== undefined) checkScale(currency, tooFine.amount, tooFine.field);

  const version = (newest?.version ?? 0) + 1;
  const card = { ...command, version, createdAt: registry.now, archivedAt: null };
  registry.addRateCard(card);
  return card;
}

/** What all versions of a rate card have in common. */
const SAME_IN_ALL_VERSIONS = [
  { field: "feature_key", value: ({ featureKey }: Shared) => featureKey },
  { field: "currency", value: ({ currency }: Shared) => currency },
] as const;

type Shared = Pick<RateCard, "featureKey" | "currency">;

function checkSame(newest: RateCard, command: Shared): void {
  for (const { field, value } of SAME_IN_ALL_VERSIONS) {
    if (value(newest) === value(command)) continue;
    const message = `${field} must be that of the earlier versions of ${newest.key}`;
    throw refuse("INVALID_REQUEST", message, {}, field);
  }
}
