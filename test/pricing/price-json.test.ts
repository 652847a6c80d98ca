import { describe, expect, test } from "vitest";
import { amountFromDigits } from "../../src/money/amount.ts";
import type { Price } from "../../src/pricing/price.ts";
import { type PriceJson, priceFromJson, priceToJson } from "../../src/pricing/price-json.ts";

const a = amountFromDigits;

const tiers = [
  { upTo: a("100"), unitAmount: a("0.000000000001"), flatAmount: a("0") },
  { upTo: null, unitAmount: a("999999999999999999999999.999999999999"), flatAmount: a("5.50") },
];
const tiersJson = [
  { up_to: "100", unit_amount: "0.000000000001", flat_amount: "0" },
  { up_to: null, unit_amount: "999999999999999999999999.999999999999", flat_amount: "5.5" },
];

describe("D1 the applied price is stored with the charge", () => {
  test.each<[Price, PriceJson]>([
    [
      { model: "flat", amount: a("9.90") },
      { model: "flat", amount: "9.9" },
    ],
    [
      { model: "per_unit", unitAmount: a("0.0035") },
      { model: "per_unit", unit_amount: "0.0035" },
    ],
    [
      { model: "package", amount: a("10"), packageSize: a("0.25") },
      { model: "package", amount: "10", package_size: "0.25" },
    ],
    [
      { model: "graduated", tiers },
      { model: "graduated", tiers: tiersJson },
    ],
    [
      { model: "volume", tiers },
      { model: "volume", tiers: tiersJson },
    ],
  ])("price %# is kept as canonical strings and comes back exactly", (price, json) => {
    expect(priceToJson(price)).toEqual(json);
    expect(priceFromJson(JSON.parse(JSON.stringify(json)))).toEqual(price);
  });
});
