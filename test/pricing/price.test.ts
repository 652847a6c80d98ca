import { Decimal } from "decimal.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Refusal } from "../../src/errors.ts";
import {
  AMOUNT_LIMIT,
  type Amount,
  amountFromDigits,
  formatAmount,
} from "../../src/money/amount.ts";
import type { Currency } from "../../src/money/currency.ts";
import { type Price, type PriceLimits, ratePrice, type Tier } from "../../src/pricing/price.ts";

const UNLIMITED: PriceLimits = { minimum: null, maximum: null };
const LARGEST = "999999999999999999999999.999999999999";

function tier(upTo: string | null, unitAmount: string, flatAmount = "0"): Tier {
  return {
    upTo: upTo === null ? null : amountFromDigits(upTo),
    unitAmount: amountFromDigits(unitAmount),
    flatAmount: amountFromDigits(flatAmount),
  };
}

function perUnit(unitAmount: string): Price {
  return { model: "per_unit", unitAmount: amountFromDigits(unitAmount) };
}

function packages(amount: string, packageSize: string): Price {
  const [price, size] = [amountFromDigits(amount), amountFromDigits(packageSize)];
  return { model: "package", amount: price, packageSize: size };
}

function limits(minimum: string | null, maximum: string | null): PriceLimits {
  return {
    minimum: minimum === null ? null : amountFromDigits(minimum),
    maximum: maximum === null ? null : amountFromDigits(maximum),
  };
}

const unitTiers = [tier("100", "1"), tier("200", "0.5"), tier(null, "0.1")];
const flatTiers = [tier("5", "0", "100"), tier("10", "1", "50"), tier(null, "2", "25")];

const PRICES = {
  flat: { model: "flat", amount: amountFromDigits("9.99") },
  "per unit": perUnit("0.0035"),
  package: packages("10", "20"),
  "package of a fraction": packages("3", "0.25"),
  graduated: { model: "graduated", tiers: unitTiers },
  "graduated with flat amounts": { model: "graduated", tiers: flatTiers },
  "graduated with one tier": { model: "graduated", tiers: [tier(null, "3", "1")] },
  volume: { model: "volume", tiers: unitTiers },
  "volume with flat amounts": { model: "volume", tiers: flatTiers },
} satisfies Record<string, Price>;

/** A custom unit, because its exponent is the decimals of its credit. */
function unitWith(exponent: number): Currency {
  return { code: "TOKENS", name: "Tokens", exponent, iso: false };
}

function rate(price: Price, quantity: string, within = UNLIMITED, decimals = 12): string {
  return formatAmount(ratePrice(price, amountFromDigits(quantity), within, unitWith(decimals)));
}

describe("D1 price models", () => {
  test.each([
    ["flat", "0", "9.99"],
    ["flat", "1", "9.99"],
    ["flat", "1000000", "9.99"],

    ["per unit", "0", "0"],
    ["per unit", "1", "0.0035"],
    ["per unit", "1234", "4.319"],
    ["per unit", "0.5", "0.00175"],

    ["package", "0", "0"],
    ["package", "0.000000000001", "10"],
    ["package", "19.999999999999", "10"],
    ["package", "20", "10"],
    ["package", "20.000000000001", "20"],
    ["package", "98", "50"],
    ["package", "100", "50"],
    ["package of a fraction", "0.25", "3"],
    ["package of a fraction", "0.26", "6"],
    ["package of a fraction", "1", "12"],

    ["graduated", "0", "0"],
    ["graduated", "0.5", "0.5"],
    ["graduated", "100", "100"],
    ["graduated", "100.000000000002", "100.000000000001"],
    ["graduated", "101", "100.5"],
    ["graduated", "200", "150"],
    ["graduated", "201", "150.1"],
    ["graduated", "1200", "250"],
    // A tier's flat amount is added once when the quantity reaches into it; the first begins at 0.
    ["graduated with flat amounts", "0", "100"],
    ["graduated with flat amounts", "5", "100"],
    ["graduated with flat amounts", "5.000000000001", "150.000000000001"],
    ["graduated with flat amounts", "7", "152"],
    ["graduated with flat amounts", "10", "155"],
    ["graduated with flat amounts", "10.5", "181"],
    ["graduated with flat amounts", "22", "204"],
    ["graduated with one tier", "0", "1"],
    ["graduated with one tier", "7", "22"],

    ["volume", "0", "0"],
    ["volume", "100", "100"],
    ["volume", "100.000000000002", "50.000000000001"],
    ["volume", "200", "100"],
    ["volume", "201", "20.1"],
    ["volume with flat amounts", "0", "100"],
    ["volume with flat amounts", "5", "100"],
    ["volume with flat amounts", "5.000000000001", "55.000000000001"],
    ["volume with flat amounts", "10", "60"],
    ["volume with flat amounts", "22", "69"],
  ] as const)("%s: a quantity of %s costs %s", (name, quantity, amount) => {
    expect(rate(PRICES[name], quantity)).toBe(amount);
  });

  test.each(["graduated", "volume"] as const)("%s without an open tier is a bug", (model) => {
    expect(() => rate({ model, tiers: [tier("5", "1")] }, "6")).toThrow("the last tier is open");
  });

  test("a negative quantity is a bug", () => {
    expect(() => rate(PRICES.flat, "-1")).toThrow("a quantity is not negative");
  });
});

describe("D1 minimum and maximum", () => {
  test.each([
    // quantity, minimum, maximum, amount at 1 a unit
    ["0", "5", null, "5"],
    ["4.999999999999", "5", null, "5"],
    ["5", "5", null, "5"],
    ["5.000000000001", "5", null, "5.000000000001"],
    ["0", null, "10", "0"],
    ["9.999999999999", null, "10", "9.999999999999"],
    ["10", null, "10", "10"],
    ["10.000000000001", null, "10", "10"],
    ["1000", null, "10", "10"],
    ["1000", null, "0", "0"],
    ["3", "5", "10", "5"],
    ["7", "5", "10", "7"],
    ["11", "5", "10", "10"],
    ["7", "5", "5", "5"],
    ["0", "0", "0", "0"],
  ])("a quantity of %s from %s to %s costs %s", (quantity, minimum, maximum, amount) => {
    expect(rate(perUnit("1"), quantity, limits(minimum, maximum))).toBe(amount);
  });

  test("the minimum applies to every model", () => {
    const amounts = Object.values(PRICES).map((price) => rate(price, "1", limits("1000", null)));
    expect(new Set(amounts)).toEqual(new Set(["1000"]));
  });

  test("the maximum applies to a flat price too", () => {
    expect(rate(PRICES.flat, "1", limits(null, "5"))).toBe("5");
  });
});

describe("M3 a rated charge is rounded once, half away from zero", () => {
  test.each([
    // unit amount, quantity, decimals, amount
    ["0.000000000001", "0.5", 12, "0.000000000001"],
    ["0.000000000001", "0.499999999999", 12, "0"],
    ["0.5", "1", 0, "1"],
    ["0.499999999999", "1", 0, "0"],
    ["1.5", "1", 0, "2"],
    ["2.5", "1", 0, "3"],
    ["0.125", "0.1", 3, "0.013"],
    ["0.124", "0.1", 3, "0.012"],
    ["0.333333333333", "3", 2, "1"],
  ])("%s a unit for %s units with %i decimals is %s", (unit, quantity, decimals, amount) => {
    expect(rate(perUnit(unit), quantity, UNLIMITED, decimals)).toBe(amount);
  });

  test("credit in money has twelve decimals, whatever its minor unit", () => {
    const yen: Currency = { code: "JPY", name: "Yen", exponent: 0, iso: true };
    const rated = ratePrice(perUnit("0.5"), amountFromDigits("0.25"), UNLIMITED, yen);
    expect(formatAmount(rated)).toBe("0.125");
  });

  test("tiers are summed exactly and rounded together, not each by itself", () => {
    const tiers = [tier("1", "0.4"), tier("2", "0.4"), tier(null, "0.4")];
    expect(rate({ model: "graduated", tiers }, "3", UNLIMITED, 0)).toBe("1");
  });
});

describe("M1 a price that no amount can hold", () => {
  test.each([
    [perUnit("1000000000000"), "1000000000000", "1000000000000000000000000"],
    [perUnit("2"), LARGEST, "1999999999999999999999999.999999999998"],
    [perUnit(LARGEST), "1.000000000001", "1000000000000999999999999.999999999999"],
    [packages("1", "0.000000000001"), LARGEST, "999999999999999999999999999999999999"],
  ])("%# is refused with the amount that it would be", (price, quantity, amount) => {
    const refused = refusalOf(() => rate(price, quantity));
    expect(refused.reason).toBe("AMOUNT_OUT_OF_RANGE");
    expect(refused.facts).toEqual({ amount, currency: "TOKENS" });
    expect(refused.fieldViolations.map(({ field }) => field)).toEqual(["quantity"]);
  });

  test("the limit is asked of the rounded amount", () => {
    expect(rate(perUnit("1"), LARGEST)).toBe(LARGEST);
    expect(refusalOf(() => rate(perUnit("1"), LARGEST, UNLIMITED, 0)).facts).toEqual({
      amount: "1000000000000000000000000",
      currency: "TOKENS",
    });
  });

  test("a maximum keeps it in range", () => {
    expect(rate(perUnit(LARGEST), LARGEST, limits(null, "10"))).toBe("10");
  });
});

function refusalOf(action: () => unknown): Refusal {
  try {
    action();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** The same rules in decimal.js, rounding apart from the code under test. */
const Oracle = Decimal.clone({ precision: 120, rounding: Decimal.ROUND_HALF_UP });

function decimalOf(amount: Amount): Decimal {
  return new Oracle(amount.toString()).div("1e12");
}

function oraclePrice(price: Price, quantity: Decimal): Decimal {
  if (price.model === "flat") return decimalOf(price.amount);
  if (price.model === "per_unit") return decimalOf(price.unitAmount).mul(quantity);
  if (price.model === "package") {
    return decimalOf(price.amount).mul(quantity.div(decimalOf(price.packageSize)).ceil());
  }
  const steps = price.tiers.map((each, index) => ({
    from: decimalOf(price.tiers[index - 1]?.upTo ?? 0n),
    to: each.upTo === null ? new Oracle("Infinity") : decimalOf(each.upTo),
    unit: decimalOf(each.unitAmount),
    flat: decimalOf(each.flatAmount),
    first: index === 0,
  }));
  const entered = steps.filter(({ from, first }) => first || quantity.gt(from));
  if (price.model === "volume") {
    const { unit, flat } = entered.at(-1) ?? expect.fail("no tier");
    return unit.mul(quantity).add(flat);
  }
  return entered.reduce((sum, { from, to, unit, flat }) => {
    return sum.add(flat).add(Oracle.min(quantity, to).sub(from).mul(unit));
  }, new Oracle(0));
}

const amount = fc.oneof(
  fc.bigInt({ min: 0n, max: 10n ** 15n }),
  fc.bigInt({ min: 0n, max: 10n ** 23n }),
);
const positive = amount.map((each) => each + 1n);
const tiers = fc
  .tuple(
    fc.uniqueArray(positive, { maxLength: 6 }),
    fc.array(fc.tuple(amount, amount), { minLength: 7, maxLength: 7 }),
  )
  .map(([bounds, amounts]) => {
    const ascending = bounds.sort((left, right) => (left < right ? -1 : 1));
    return [...ascending, null].map((upTo, index): Tier => {
      const [unitAmount, flatAmount] = amounts[index] ?? expect.fail("too few amounts");
      return { upTo, unitAmount, flatAmount };
    });
  });
const anyPrice: fc.Arbitrary<Price> = fc.oneof(
  amount.map((each): Price => ({ model: "flat", amount: each })),
  amount.map((unitAmount): Price => ({ model: "per_unit", unitAmount })),
  fc
    .tuple(amount, positive)
    .map(([each, packageSize]): Price => ({ model: "package", amount: each, packageSize })),
  tiers.map((each): Price => ({ model: "graduated", tiers: each })),
  tiers.map((each): Price => ({ model: "volume", tiers: each })),
);

describe("D1 any price of any quantity", () => {
  test("costs what decimal.js makes of it", () => {
    fc.assert(
      fc.property(anyPrice, amount, fc.nat(12), (price, quantity, decimals) => {
        const expected = oraclePrice(price, decimalOf(quantity)).toDecimalPlaces(decimals);
        fc.pre(expected.lt(decimalOf(AMOUNT_LIMIT)));
        const rated = ratePrice(price, quantity, UNLIMITED, unitWith(decimals));
        expect(formatAmount(rated)).toBe(expected.toFixed());
      }),
      { numRuns: 1000 },
    );
  });

  test("costs the bound of the tiers too what decimal.js makes of it", () => {
    fc.assert(
      fc.property(tiers, fc.constantFrom("graduated", "volume"), fc.nat(), (each, model, pick) => {
        const bound = each[pick % each.length]?.upTo ?? 0n;
        for (const quantity of [bound, bound + 1n, bound === 0n ? bound : bound - 1n]) {
          const expected = oraclePrice({ model, tiers: each }, decimalOf(quantity));
          if (expected.gte(decimalOf(AMOUNT_LIMIT - 1n))) continue;
          const rated = ratePrice({ model, tiers: each }, quantity, UNLIMITED, unitWith(12));
          expect(formatAmount(rated)).toBe(expected.toDecimalPlaces(12).toFixed());
        }
      }),
    );
  });
});
