/**
 * Owns currencies: the ISO 4217 ones, and how finely each currency counts credit (M2, M3). The
 * credit units that a tenant registers are rows of its registry; their grammar is set here.
 */

import { assert } from "../errors.ts";
import { AMOUNT_SCALE } from "./amount.ts";
import { ISO_4217 } from "./iso-4217.ts";

/** An ISO 4217 code such as `USD`, or the code of a tenant's own credit unit such as `TOKENS`. */
export type CurrencyCode = string;

export interface Currency {
  readonly code: CurrencyCode;
  readonly name: string;
  /** Decimals of the minor unit of an ISO currency, of the credit itself of a custom unit. */
  readonly exponent: number;
  /** Whether it is money that an invoice can be made out in, and not a tenant's own unit. */
  readonly iso: boolean;
}

/** All ISO currencies in the order of their codes. */
export const ISO_CURRENCIES: readonly Currency[] = ISO_4217.map(([code, exponent, name]) => ({
  code,
  name,
  exponent,
  iso: true,
}));

const ISO_CURRENCY_BY_CODE: ReadonlyMap<CurrencyCode, Currency> = new Map(
  ISO_CURRENCIES.map((currency) => [currency.code, currency]),
);

export function isoCurrency(code: CurrencyCode): Currency | undefined {
  return ISO_CURRENCY_BY_CODE.get(code);
}

/** How many decimals an amount of credit can have: 12 in money, the exponent in a custom unit. */
export function creditDecimals(currency: Currency): number {
  return currency.iso ? AMOUNT_SCALE : currency.exponent;
}

/** How many decimals a sum to be paid has: JPY 0, USD 2, KWD 3. A custom unit is never paid. */
export function minorUnitDecimals(currency: Currency): number {
  assert(currency.iso, "only an ISO 4217 currency has a minor unit");
  return currency.exponent;
}

const CUSTOM_CODE_PATTERN = /^[A-Z][A-Z0-9_]{2,31}$/;

/** ISO 4217 keeps these for what belongs to no country: metals, unions' money, tests, none. */
const ISO_CODE_OF_NO_COUNTRY_PATTERN = /^X[A-Z]{2}$/;

/**
 * Whether a tenant may give its own credit unit this code: 3 to 32 capital letters, digits and
 * underscores, a letter first, and no code of ISO 4217, with a minor unit or without one.
 */
export function isCustomCode(code: CurrencyCode): boolean {
  if (ISO_CURRENCY_BY_CODE.has(code) || ISO_CODE_OF_NO_COUNTRY_PATTERN.test(code)) return false;
  return CUSTOM_CODE_PATTERN.test(code);
}
