import { describe, expect, test } from "vitest";
import { type Amount, amountFromDigits } from "../../src/money/amount.ts";
import type { Price, PriceLimits, Tier } from "../../src/pricing/price.ts";
import { findTooFine, validatePrice } from "../../src/pricing/price-check.ts";

const UNLIMITED: PriceLimits = { minimum: null, maximum: null };

/** Tiers with these bounds, `*` for an open one. */
function tiersTo(bounds: string): readonly Tier[] {
  const words = bounds === "" ? [] : bounds.split(" ");
  return words.map((word) => ({
    upTo: word === "*" ? null : amountFromDigits(word),
    unitAmount: 1n,
    flatAmount: 0n,
  }));
}

function limits(minimum: string, maximum: string): PriceLimits {
  const read = (text: string): Amount | null => (text === "" ? null : amountFromDigits(text));
  return { minimum: read(minimum), maximum: read(maximum) };
}

describe("D1 tiers are ascending inclusive bounds, the last one open", () => {
  test.each([["*"], ["10 *"], ["0.000000000001 *"], ["10 20 30 *"], ["10 10.000000000001 *"]])(
    "bounds %s are valid",
    (bounds) => {
      for (const model of ["graduated", "volume"] as const) {
        expect(validatePrice({ model, tiers: tiersTo(bounds) }, UNLIMITED)).toBeUndefined();
      }
    },
  );

  test.each([
    ["", "", "must hold at least one tier"],
    ["10", "[0].up_to", "must be empty, because the last tier is open"],
    ["10 20", "[1].up_to", "must be empty, because the last tier is open"],
    ["* *", "[0].up_to", "only the last tier may be open"],
    ["10 * 20 *", "[1].up_to", "only the last tier may be open"],
    ["0 *", "[0].up_to", "must be above zero"],
    ["10 10 *", "[1].up_to", "must be above that of the tier before it"],
    ["10 20 9.999999999999 *", "[2].up_to", "must be above that of the tier before it"],
  ])("bounds %j are wrong at %j: %s", (bounds, path, description) => {
    for (const model of ["graduated", "volume"] as const) {
      const violation = validatePrice({ model, tiers: tiersTo(bounds) }, UNLIMITED);
      expect(violation).toEqual({ field: `price.${model}.tiers${path}`, description });
    }
  });
});

describe("D1 packages and limits", () => {
  test("a package holds something", () => {
    expect(validatePrice({ model: "package", amount: 1n, packageSize: 0n }, UNLIMITED)).toEqual({
      field: "price.package.package_size",
      description: "must be above zero",
    });
    const smallest: Price = { model: "package", amount: 1n, packageSize: 1n };
    expect(validatePrice(smallest, UNLIMITED)).toBeUndefined();
  });

  test.each([
    ["", "", true],
    ["5", "", true],
    ["", "5", true],
    ["5", "5", true],
    ["5", "5.000000000001", true],
    ["5.000000000001", "5", false],
    ["0", "0", true],
  ])("minimum %j with maximum %j is valid: %s", (minimum, maximum, valid) => {
    const violation = {
      field: "maximum_amount",
      description: "must not be less than minimum_amount",
    };
    const price: Price = { model: "flat", amount: 1n };
    expect(validatePrice(price, limits(minimum, maximum))).toEqual(valid ? undefined : violation);
  });
});

describe("M2 flat amounts and limits fit the currency", () => {
  const half = amountFromDigits("0.5");
  const one = amountFromDigits("1");
  const halfFlat: Tier = { upTo: null, unitAmount: one, flatAmount: half };
  const halfUnit: Tier = { upTo: half, unitAmount: half, flatAmount: one };

  test.each<[string, Price, PriceLimits, string | undefined]>([
    ["a flat price", { model: "flat", amount: half }, UNLIMITED, "price.flat.amount"],
    ["a unit price", { model: "per_unit", unitAmount: half }, UNLIMITED, undefined],
    ["a package", { model: "package", amount: half, packageSize: half }, UNLIMITED, undefined],
    [
      "a tier's flat amount",
      { model: "graduated", tiers: [halfUnit, halfFlat] },
      UNLIMITED,
      "price.graduated.tiers[1].flat_amount",
    ],
    [
      "a tier's flat amount",
      { model: "volume", tiers: [halfFlat] },
      UNLIMITED,
      "price.volume.tiers[0].flat_amount",
    ],
    ["a tier's bound", { model: "volume", tiers: [halfUnit] }, UNLIMITED, undefined],
    ["a minimum", { model: "flat", amount: one }, limits("0.5", "1"), "minimum_amount"],
    ["a maximum", { model: "flat", amount: one }, limits("", "0.5"), "maximum_amount"],
  ])("one half of a unit without decimals as %s", (_, price, within, field) => {
    const expected = field === undefined ? undefined : { field, amount: half };
    expect(findTooFine(price, within, 0)).toEqual(expected);
    expect(findTooFine(price, within, 1)).toBeUndefined();
  });
});
