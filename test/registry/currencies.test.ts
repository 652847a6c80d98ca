import { describe, expect, test } from "vitest";
import { createCurrency } from "../../src/registry/create-currency.ts";
import { NOW, outcomeOf, registryOf } from "./registry-of.ts";

describe("CreateCurrency", () => {
  test("registers a credit unit, which exists from then on", () => {
    const registry = registryOf({ codes: ["TOKENS"] });
    const currency = createCurrency(registry, { code: "TOKENS", name: "Tokens", exponent: 3 });

    expect(currency).toEqual({
      code: "TOKENS",
      name: "Tokens",
      exponent: 3,
      iso: false,
      createdAt: NOW,
    });
    expect(registry.newCurrencies).toEqual([currency]);
    expect(registry.findCurrency("TOKENS")).toBe(currency);
  });

  test.each([
    ["USD", "an ISO 4217 currency"],
    ["XAU", "a code of ISO 4217 without a minor unit"],
    ["XQQ", "a code that ISO 4217 keeps"],
    ["STORED", "a unit that the tenant has"],
    ["SAME", "a unit of the same batch"],
  ])("refuses %s: %s", (code) => {
    const registry = registryOf({ codes: [code, "SAME"] });
    const stored = { code: "STORED", name: "Stored", exponent: 0, iso: false };
    registry.currencies.set("STORED", stored);
    createCurrency(registry, { code: "SAME", name: "Same", exponent: 0 });

    const create = () => createCurrency(registry, { code, name: "", exponent: 0 });

    expect(outcomeOf(create)).toEqual(["CURRENCY_CODE_TAKEN", "code", { code }]);
    expect(registry.newCurrencies).toHaveLength(1);
  });
});
