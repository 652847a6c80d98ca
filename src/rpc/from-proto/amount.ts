/** Owns how decimals of the contract become amounts (M1). */
import { assert } from "../../errors.ts";
import { type Amount, parseAmount } from "../../money/amount.ts";

/** Reads an amount, a quantity or a cost per unit. Validation has seen how it is written. */
export function fromProtoAmount(text: string): Amount {
  const amount = parseAmount(text);
  assert(amount !== undefined, "validation lets only decimals through");
  return amount;
}

/** An amount that may be left out. Zero is an amount. */
export function fromProtoOptionalAmount(text: string): Amount | null {
  return text === "" ? null : fromProtoAmount(text);
}
