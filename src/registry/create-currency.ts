/** Owns the registration of a credit unit of the tenant's own. It never changes afterwards. */
import { refuse } from "../errors.ts";
import { type CurrencyCode, isCustomCode } from "../money/currency.ts";
import type { RegisteredCurrency, Registry } from "./registry.ts";

export interface CreateCurrency {
  readonly code: CurrencyCode;
  readonly name: string;
  /** How many decimals an amount of it may have, 0 to 12. */
  readonly exponent: number;
}

export function createCurrency(registry: Registry, command: CreateCurrency): RegisteredCurrency {
  const { code, name, exponent } = command;
  if (!isCustomCode(code) || registry.findCurrency(code) !== undefined) {
    const whose = isCustomCode(code) ? "registered already" : "kept for ISO 4217";
    throw refuse("CURRENCY_CODE_TAKEN", `the code ${code} is ${whose}`, { code }, "code");
  }

  const currency = { code, name, exponent, iso: false, createdAt: registry.now };
  registry.addCurrency(currency);
  return currency;
}
