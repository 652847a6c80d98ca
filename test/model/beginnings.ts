/** Owns what is not random: what every run begins with, and what is read at its end. */
import type { JsonObject } from "@bufbuild/protobuf";
import fc from "fast-check";
import type { Command } from "./run.ts";

const PRICES: { readonly [key: string]: JsonObject } = {
  flat: { flat: { amount: "3" } },
  unit: { perUnit: { unitAmount: "0.333333333333" } },
  package: { package: { amount: "4.5", packageSize: "10" } },
  graduated: {
    graduated: {
      tiers: [
        { upTo: "1", unitAmount: "1", flatAmount: "0.5" },
        { upTo: "10", unitAmount: "0.1" },
        { unitAmount: "0.05", flatAmount: "1" },
      ],
    },
  },
  volume: {
    volume: { tiers: [{ upTo: "10", unitAmount: "0.5", flatAmount: "1" }, { unitAmount: "0.25" }] },
  },
};
const card = (key: string, more: JsonObject = {}): Command => ({
  rpc: "CreateRateCard",
  ask: {
    requestId: "@fresh",
    key,
    featureKey: "calls",
    currency: "USD",
    settlementMode: "SETTLEMENT_MODE_CREDIT_THEN_INVOICE",
    price: PRICES[key] ?? {},
    ...more,
  },
});

/** Moments just before a month's end, a leap day, and a year's end. */
export const BEGINNINGS = fc.constantFrom(
  1_801_439_999_999_990n, // 2027-01-31T23:59:59.999990Z
  1_835_308_800_000_001n, // 2028-02-28T00:00:00.000001Z
  1_861_919_999_999_999n, // 2028-12-31T23:59:59.999999Z
);

/** What every run begins with. */
export const FIRST: readonly Command[] = [
  ...["a", "b"].map((key) => ({ rpc: "CreateCustomer", ask: { requestId: "@fresh", key } })),
  {
    rpc: "CreateCurrency",
    ask: { requestId: "@fresh", code: "TOKENS", name: "Tokens", exponent: 0 },
  },
  { rpc: "CreateCurrency", ask: { requestId: "@fresh", code: "PTS", exponent: 2 } },
  card("flat"),
  card("unit", { minimumAmount: "1", maximumAmount: "20" }),
  card("package", {
    currency: "TOKENS",
    settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY",
    price: { package: { amount: "4", packageSize: "10" } },
  }),
  card("graduated", { featureKey: "" }),
  card("volume"),
];

/** What every run ends with: everything that can be read of the customers. */
export const LAST: readonly Command[] = [0, 1].flatMap((at) =>
  [
    ["ListTransfers", {}],
    ["ListMovements", { pageSize: 1000 }],
    ["ListCreditGrants", { pageSize: 1000 }],
    ["ListCharges", { pageSize: 1000 }],
    ["ListInvoices", { pageSize: 1000 }],
    ["GetBalance", {}],
    ["Audit", {}],
  ].map(([rpc, ask]) => ({
    rpc: rpc as string,
    ask: { customerId: `@customer ${at}`, ...(ask as JsonObject) },
  })),
);
