import { Decimal } from "decimal.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AMOUNT_LIMIT,
  AMOUNT_SCALE,
  amountFromDigits,
  fitsScale,
  formatAmount,
  parseAmount,
  productOf,
  roundAmount,
  roundProduct,
} from "../../src/money/amount.ts";

/** decimal.js is the oracle: another implementation, with room for any product of two amounts. */
const Oracle = Decimal.clone({ precision: 120, rounding: Decimal.ROUND_HALF_UP });

const anyAmount = fc.bigInt({ min: 1n - AMOUNT_LIMIT, max: AMOUNT_LIMIT - 1n });
const smallAmount = fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n });
const amounts = fc.oneof(anyAmount, smallAmount);
const decimalsOfCurrency = fc.integer({ min: 0, max: AMOUNT_SCALE });

describe("M1 exact decimals", () => {
  test.each([
    ["0", 0n],
    ["0.000000000001", 1n],
    ["-0.000000000001", -1n],
    ["1", 10n ** 12n],
    ["-1", -(10n ** 12n)],
    ["12.5", 12_500_000_000_000n],
    ["0.10", 100_000_000_000n],
    ["9007199254740993", 9_007_199_254_740_993n * 10n ** 12n],
    ["999999999999999.999999999999", 999_999_999_999_999_999_999_999_999n],
    ["1000000000000000.000000000001", 1_000_000_000_000_000_000_000_000_001n],
    ["999999999999999999999999.999999999999", AMOUNT_LIMIT - 1n],
    ["-999999999999999999999999.999999999999", 1n - AMOUNT_LIMIT],
    ["0.0", 0n],
    ["-0", 0n],
    ["-0.000", 0n],
  ])("%s is read exactly", (text, amount) => {
    expect(parseAmount(text)).toBe(amount);
  });

  test.each([
    ["", "nothing"],
    ["-", "a sign alone"],
    ["+1", "a plus sign"],
    ["--1", "two signs"],
    ["01", "a leading zero"],
    ["00.5", "two leading zeros"],
    [".5", "no whole part"],
    ["1.", "no decimals after the point"],
    ["1.1.1", "two points"],
    ["1e3", "an exponent"],
    ["1,000", "a separator"],
    [" 1", "a space before"],
    ["1\n", "a line end after"],
    ["0x10", "hexadecimal"],
    ["NaN", "not a number"],
    ["Infinity", "infinity"],
    ["١", "another script's digit"],
    ["0.0000000000001", "13 decimals"],
    ["1000000000000000000000000", "25 digits before the point"],
  ])("%j is no amount: %s", (text) => {
    expect(parseAmount(text)).toBeUndefined();
  });

  test.each([
    ["0.000000000000", "0"],
    ["-0.000000000000", "0"],
    ["0.000000000001", "0.000000000001"],
    ["0.100000000000", "0.1"],
    ["-0.500000000000", "-0.5"],
    ["1.000000000000", "1"],
    ["10.000000000000", "10"],
    ["-100.000000000000", "-100"],
    ["1200.340000000000", "1200.34"],
    ["999999999999999.999999999999", "999999999999999.999999999999"],
    ["1234567890123456.500000000000", "1234567890123456.5"],
    ["123456789012345678901234.123456789012", "123456789012345678901234.123456789012"],
  ])("PostgreSQL's %s is printed canonically as %s", (stored, canonical) => {
    expect(formatAmount(amountFromDigits(stored))).toBe(canonical);
  });

  test("printing and reading give the same amount back, and the oracle prints the same", () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        const text = formatAmount(amount);
        expect(parseAmount(text)).toBe(amount);
        expect(text).toBe(new Oracle(amount.toString()).div("1e12").toFixed());
      }),
    );
  });

  test("any spelling with trailing zeros reads as the same amount", () => {
    fc.assert(
      fc.property(amounts, decimalsOfCurrency, (amount, decimals) => {
        const text = new Oracle(amount.toString()).div("1e12").toFixed(AMOUNT_SCALE);
        expect(amountFromDigits(text)).toBe(amount);
        const rounded = roundAmount(amount, decimals);
        const short = new Oracle(rounded.toString()).div("1e12").toFixed(decimals);
        expect(amountFromDigits(short)).toBe(rounded);
      }),
    );
  });
});

describe("M2 what a currency can represent", () => {
  test.each([
    ["0", 0, true],
    ["1", 0, true],
    ["0.5", 0, false],
    ["-0.5", 0, false],
    ["0.000000000001", 0, false],
    ["0.12", 2, true],
    ["0.123", 2, false],
    ["0.1230", 3, true],
    ["-7.001", 3, true],
    ["-7.0001", 3, false],
    ["0.00000000001", 11, true],
    ["0.000000000001", 11, false],
    ["0.000000000001", 12, true],
  ])("%s with %i decimals: %s", (text, decimals, fits) => {
    expect(fitsScale(amountFromDigits(text), decimals)).toBe(fits);
  });
});

describe("M3 rounding half away from zero", () => {
  test.each([
    // amount, decimals, rounded
    ["0.499999999999", 0, "0"],
    ["0.5", 0, "1"],
    ["0.500000000001", 0, "1"],
    ["-0.499999999999", 0, "0"],
    ["-0.5", 0, "-1"],
    ["-0.500000000001", 0, "-1"],
    ["1.5", 0, "2"],
    ["2.5", 0, "3"],
    ["-2.5", 0, "-3"],
    ["1.004999999999", 2, "1"],
    ["1.005", 2, "1.01"],
    ["-1.005", 2, "-1.01"],
    ["1.0005", 3, "1.001"],
    ["9.999999999995", 11, "10"],
    ["9.999999999994", 11, "9.99999999999"],
    ["0.000000000001", 12, "0.000000000001"],
    ["7", 2, "7"],
  ])("%s to %i decimals is %s", (text, decimals, rounded) => {
    expect(formatAmount(roundAmount(amountFromDigits(text), decimals))).toBe(rounded);
  });

  test("an amount is rounded as decimal.js rounds it", () => {
    fc.assert(
      fc.property(amounts, decimalsOfCurrency, (amount, decimals) => {
        const expected = new Oracle(amount.toString()).div("1e12").toDecimalPlaces(decimals);
        const rounded = new Oracle(roundAmount(amount, decimals).toString()).div("1e12");
        expect(rounded.eq(expected)).toBe(true);
      }),
    );
  });

  test("a product of two amounts is rounded once, as decimal.js rounds it", () => {
    fc.assert(
      fc.property(amounts, amounts, decimalsOfCurrency, (left, right, decimals) => {
        const exact = new Oracle(left.toString()).mul(right.toString()).div("1e24");
        const rounded = new Oracle(roundProduct(left * right, decimals).toString()).div("1e12");
        expect(rounded.eq(exact.toDecimalPlaces(decimals))).toBe(true);
      }),
    );
  });

  test("half of the last unit is seen even when only the 24th decimal tells", () => {
    const half = 5n * 10n ** 11n;
    expect(roundProduct(half, 12)).toBe(1n);
    expect(roundProduct(half - 1n, 12)).toBe(0n);
    expect(roundProduct(-half, 12)).toBe(-1n);
    expect(roundProduct(1n - half, 12)).toBe(0n);
  });

  test("an amount taken as a product comes back unchanged", () => {
    expect(roundProduct(productOf(-123n), 12)).toBe(-123n);
  });

  test.each([-1, 13, 1.5])("a scale of %d decimals is a bug", (decimals) => {
    expect(() => roundAmount(1n, decimals)).toThrow("a currency has 0 to 12 decimals");
  });
});
