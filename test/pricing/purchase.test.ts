import { describe, expect, test } from "vitest";
import { amountFromDigits, formatAmount } from "../../src/money/amount.ts";
import { purchaseAmount } from "../../src/pricing/purchase.ts";

function purchase(credit: string, perUnitCost: string, minorUnitDecimals: number): string {
  const amounts = [amountFromDigits(credit), amountFromDigits(perUnitCost)] as const;
  return formatAmount(purchaseAmount(...amounts, minorUnitDecimals));
}

describe("G4 credit and its price are different amounts", () => {
  test.each([
    ["1000", "0.35", 2, "350"],
    ["1000", "1", 2, "1000"],
    ["1000", "0", 2, "0"],
    ["0.000000000001", "999999999999999999999999", 2, "1000000000000"],
    ["12.5", "0.000000000001", 2, "0"],
  ])("%s credits at %s with %i decimals cost %s", (credit, cost, decimals, amount) => {
    expect(purchase(credit, cost, decimals)).toBe(amount);
  });
});

describe("M3 a purchase is rounded to the minor unit, half away from zero", () => {
  test.each([
    // USD, two decimals
    ["1", "0.004999999999", 2, "0"],
    ["1", "0.005", 2, "0.01"],
    ["1", "0.014999999999", 2, "0.01"],
    ["1", "0.015", 2, "0.02"],
    ["3", "0.335", 2, "1.01"],
    // JPY, none
    ["1", "0.499999999999", 0, "0"],
    ["1", "0.5", 0, "1"],
    ["3", "0.5", 0, "2"],
    // KWD, three
    ["1", "0.000499999999", 3, "0"],
    ["1", "0.0005", 3, "0.001"],
    // CLF, four
    ["1", "0.00005", 4, "0.0001"],
    // Only the digits beyond the twelfth tell that it lies below the half.
    ["0.999999999999", "0.005", 2, "0"],
    ["0.000000000001", "4999999999.999999999999", 2, "0"],
    ["0.000000000001", "5000000000", 2, "0.01"],
  ])("%s credits at %s with %i decimals cost %s", (credit, cost, decimals, amount) => {
    expect(purchase(credit, cost, decimals)).toBe(amount);
  });
});
