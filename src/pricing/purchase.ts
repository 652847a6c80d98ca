/** Owns what credit costs when it is sold: credit and money are different amounts (G4). */

import { type Amount, roundProduct } from "../money/amount.ts";

/**
 * The money for so much credit, rounded once, half away from zero, to the minor unit of the
 * currency that is paid in (M3). It can come to zero or reach 10²⁴; the verb refuses both.
 */
export function purchaseAmount(
  creditAmount: Amount,
  perUnitCost: Amount,
  minorUnitDecimals: number,
): Amount {
  return roundProduct(creditAmount * perUnitCost, minorUnitDecimals);
}
