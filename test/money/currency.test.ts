import { describe, expect, test } from "vitest";
import {
  type Currency,
  creditDecimals,
  ISO_CURRENCIES,
  isCustomCode,
  isoCurrency,
  minorUnitDecimals,
} from "../../src/money/currency.ts";

const TOKENS: Currency = { code: "TOKENS", name: "Tokens", exponent: 3, iso: false };

function getIso(code: string): Currency {
  const currency = isoCurrency(code);
  if (currency === undefined) throw new Error(`${code} is not in the table`);
  return currency;
}

describe("M3 ISO 4217 currencies and their minor units", () => {
  test.each([
    ["USD", 2, "US Dollar"],
    ["EUR", 2, "Euro"],
    ["GBP", 2, "Pound Sterling"],
    ["CHF", 2, "Swiss Franc"],
    ["JPY", 0, "Yen"],
    ["KRW", 0, "Won"],
    ["KWD", 3, "Kuwaiti Dinar"],
    ["TND", 3, "Tunisian Dinar"],
    ["CLF", 4, "Unidad de Fomento"],
    ["XOF", 0, "CFA Franc BCEAO"],
  ])("%s has %i decimals: %s", (code, exponent, name) => {
    expect(isoCurrency(code)).toEqual({ code, name, exponent, iso: true });
  });

  test("all but these have two decimals", () => {
    const others = ISO_CURRENCIES.filter(({ exponent }) => exponent !== 2);
    const byExponent = Object.groupBy(others, ({ exponent }) => exponent);
    const codes = Object.entries(byExponent).map(([exponent, currencies = []]) => [
      exponent,
      currencies.map(({ code }) => code).join(" "),
    ]);
    expect(codes).toEqual([
      ["0", "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
      ["3", "BHD IQD JOD KWD LYD OMR TND"],
      ["4", "CLF UYW"],
    ]);
  });

  test("the table has 165 codes of three capital letters, in order, none twice", () => {
    const codes = ISO_CURRENCIES.map(({ code }) => code);
    expect(codes).toHaveLength(165);
    expect(codes).toEqual([...new Set(codes)].sort());
    expect(codes.filter((code) => !/^[A-Z]{3}$/.test(code))).toEqual([]);
  });

  test("every currency has a name that a person can read", () => {
    const names = ISO_CURRENCIES.map(({ name }) => name);
    expect(names.filter((name) => name.trim() !== name || name.length < 3)).toEqual([]);
  });

  test.each(["XAU", "XTS", "XDR", "TOKENS", "usd", "US", "USDT", "", "toString", "DEM"])(
    "%j is no ISO currency with a minor unit",
    (code) => {
      expect(isoCurrency(code)).toBeUndefined();
    },
  );

  test("a custom unit has no minor unit to be paid in", () => {
    expect(minorUnitDecimals(getIso("JPY"))).toBe(0);
    expect(minorUnitDecimals(getIso("KWD"))).toBe(3);
    expect(() => minorUnitDecimals(TOKENS)).toThrow("only an ISO 4217 currency");
  });
});

describe("M2 how finely credit is counted", () => {
  test.each([
    ["USD", getIso("USD"), 12],
    ["JPY", getIso("JPY"), 12],
    ["CLF", getIso("CLF"), 12],
    ["a custom unit of exponent 0", { ...TOKENS, exponent: 0 }, 0],
    ["a custom unit of exponent 3", TOKENS, 3],
    ["a custom unit of exponent 12", { ...TOKENS, exponent: 12 }, 12],
  ])("credit in %s", (_, currency, decimals) => {
    expect(creditDecimals(currency)).toBe(decimals);
  });
});

describe("M2 codes of custom units", () => {
  test.each([
    ["TOKENS", true],
    ["GPU_HOURS", true],
    ["T0K", true],
    ["TOK", true],
    ["A__", true],
    ["USDT", true],
    ["A".repeat(32), true],
    ["A".repeat(33), false],
    ["AB", false],
    ["", false],
    ["tokens", false],
    ["Tokens", false],
    ["1TOKEN", false],
    ["_TOKEN", false],
    ["TOKEN-S", false],
    ["TOKEN S", false],
    ["TOKENS\n", false],
    ["ÄPFEL", false],
    // Codes of ISO 4217, with a minor unit and without one.
    ["USD", false],
    ["JPY", false],
    ["XAU", false],
    ["XTS", false],
  ])("%j may be registered: %s", (code, allowed) => {
    expect(isCustomCode(code)).toBe(allowed);
  });

  test("no ISO currency can be registered", () => {
    expect(ISO_CURRENCIES.filter(({ code }) => isCustomCode(code))).toEqual([]);
  });
});
