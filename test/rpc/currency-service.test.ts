import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CurrencyService } from "../../gen/drawdown/v1/currency_service_pb.ts";
import { ISO_CURRENCIES } from "../../src/money/currency.ts";
import {
  OTHER_TENANT,
  openRegisteredServices,
  type RegisteredServices,
  refusalOf,
  withId,
} from "./registered-services.ts";

const { createCurrency, listCurrencies } = CurrencyService.method;

let services: RegisteredServices;
let call: RegisteredServices["call"];

beforeAll(async () => {
  services = await openRegisteredServices();
  ({ call } = services);
});
afterAll(() => services.close());

describe("CurrencyService", () => {
  test("lists those of ISO 4217 and the tenant's own, by code", async () => {
    const request = withId({ code: "TOKENS", name: "Tokens", exponent: 2 });
    const { currency } = await call(createCurrency, request);
    expect(currency).toMatchObject({ code: "TOKENS", name: "Tokens", exponent: 2, custom: true });

    const { currencies } = await call(listCurrencies, {});
    const codes = currencies.map(({ code }) => code);
    expect(codes).toEqual([...ISO_CURRENCIES.map(({ code }) => code), "TOKENS"].sort());
    expect(currencies.find(({ code }) => code === "TOKENS")).toEqual(currency);
    expect(currencies.find(({ code }) => code === "JPY")).toEqual({
      $typeName: "drawdown.v1.Currency",
      code: "JPY",
      name: "Yen",
      exponent: 0,
      custom: false,
    });
    const elsewhere = await call(listCurrencies, {}, OTHER_TENANT);
    expect(elsewhere.currencies).toHaveLength(ISO_CURRENCIES.length);
  });

  test("a code is registered once", async () => {
    await call(createCurrency, withId({ code: "ONCE" }));
    for (const code of ["ONCE", "EUR"]) {
      expect(await refusalOf(call(createCurrency, withId({ code })))).toEqual([
        "CURRENCY_CODE_TAKEN",
        "code",
        { code },
      ]);
    }
  });
});
