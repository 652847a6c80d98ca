import { describe, expect, test } from "vitest";
import type { RateCard } from "../../src/book/nouns.ts";
import { amountFromDigits as amount } from "../../src/money/amount.ts";
import { parseInstant } from "../../src/money/time.ts";
import type { Price } from "../../src/pricing/price.ts";
import { archiveRateCard } from "../../src/registry/archive-rate-card.ts";
import { type CreateRateCard, createRateCard } from "../../src/registry/create-rate-card.ts";
import type { Registry } from "../../src/registry/registry.ts";
import { NOW, outcomeOf, registryOf } from "./registry-of.ts";

const EARLIER = parseInstant("2026-01-01T00:00:00Z");
const PER_UNIT: Price = { model: "per_unit", unitAmount: amount("0.000000000001") };

const COMMAND: CreateRateCard = {
  key: "api",
  name: "API calls",
  featureKey: "api.calls",
  currency: "USD",
  settlementMode: "CREDIT_THEN_INVOICE",
  price: PER_UNIT,
  minimumAmount: null,
  maximumAmount: null,
};

const STORED: RateCard = { ...COMMAND, version: 7, createdAt: EARLIER, archivedAt: null };

/** A registry that knows TOKENS, which has two decimals, and the cards that are stored. */
function registryWith(...stored: readonly RateCard[]): Registry {
  const registry = registryOf({ cards: ["api"], codes: ["USD", "EUR", "TOKENS", "NOSUCH"] });
  registry.currencies.set("TOKENS", { code: "TOKENS", name: "", exponent: 2, iso: false });
  for (const card of stored) registry.rateCards.set(card.key, card);
  registry.rateCardCount = BigInt(stored.length * 9);
  return registry;
}

describe("D1 CreateRateCard", () => {
  test("an unknown key makes the first version", () => {
    const registry = registryWith();
    const card = createRateCard(registry, COMMAND);

    expect(card).toEqual({ ...COMMAND, version: 1, createdAt: NOW, archivedAt: null });
    expect([...registry.newRateCards]).toEqual([[card, 1n]]);
    expect(registry.findNewestRateCard("api")).toBe(card);
  });

  test("a known key makes the next version, also within one batch", () => {
    const registry = registryWith(STORED);
    const next = createRateCard(registry, { ...COMMAND, name: "renamed" });
    const afterNext = createRateCard(registry, COMMAND);

    expect([next.version, next.name, afterNext.version]).toEqual([8, "renamed", 9]);
    expect([...registry.newRateCards.values()]).toEqual([10n, 11n]);
    expect(registry.findNewestRateCard("api")).toBe(afterNext);
  });

  const half = amount("0.5");
  const thousandth = amount("0.001");
  const flat = (value: bigint): Price => ({ model: "flat", amount: value });
  const tooFine = (field: string) => [
    "AMOUNT_TOO_FINE",
    field,
    { currency: "TOKENS", decimals: "2" },
  ];

  test.each<[what: string, change: Partial<CreateRateCard>, outcome: unknown]>([
    ["the same again", {}, "ok"],
    ["another feature", { featureKey: "sms" }, ["INVALID_REQUEST", "feature_key", {}]],
    ["no feature", { featureKey: "" }, ["INVALID_REQUEST", "feature_key", {}]],
    ["another currency", { currency: "EUR" }, ["INVALID_REQUEST", "currency", {}]],
    ["another mode", { settlementMode: "CREDIT_ONLY" }, "ok"],
    ["another price", { price: flat(1n), minimumAmount: half }, "ok"],
  ])("a later version with %s", (_, change, outcome) => {
    expect(
      outcomeOf(() => createRateCard(registryWith(STORED), { ...COMMAND, ...change })),
    ).toEqual(outcome);
  });

  test.each<[what: string, change: Partial<CreateRateCard>, outcome: unknown]>([
    ["no feature", { featureKey: "" }, "ok"],
    [
      "a currency that nobody registered",
      { currency: "NOSUCH" },
      ["CURRENCY_NOT_FOUND", undefined, { currency: "NOSUCH" }],
    ],
    [
      "an invoice in tokens",
      { currency: "TOKENS", price: flat(thousandth) },
      ["CURRENCY_NOT_INVOICEABLE", "currency", { currency: "TOKENS" }],
    ],
    ["twelve decimals in money", { price: flat(1n), minimumAmount: 1n, maximumAmount: 1n }, "ok"],
  ])("a first version with %s", (_, change, outcome) => {
    expect(outcomeOf(() => createRateCard(registryWith(), { ...COMMAND, ...change }))).toEqual(
      outcome,
    );
  });

  test.each<[what: string, change: Partial<CreateRateCard>, outcome: unknown]>([
    ["a unit price", {}, "ok"],
    ["a flat price that fits", { price: flat(half) }, "ok"],
    ["a flat price", { price: flat(thousandth) }, tooFine("price.flat.amount")],
    ["a minimum", { minimumAmount: thousandth }, tooFine("minimum_amount")],
    ["a maximum", { maximumAmount: thousandth }, tooFine("maximum_amount")],
    [
      "a tier's flat amount",
      {
        price: {
          model: "volume",
          tiers: [{ upTo: null, unitAmount: thousandth, flatAmount: thousandth }],
        },
      },
      tooFine("price.volume.tiers[0].flat_amount"),
    ],
  ])("M2 in tokens of two decimals: %s", (_, change, outcome) => {
    const command: CreateRateCard = {
      ...COMMAND,
      currency: "TOKENS",
      settlementMode: "CREDIT_ONLY",
      ...change,
    };
    const registry = registryWith();

    expect(outcomeOf(() => createRateCard(registry, command))).toEqual(outcome);
    expect(registry.newRateCards.size).toBe(outcome === "ok" ? 1 : 0);
  });
});

describe("D1 ArchiveRateCard", () => {
  test("archives the newest version, once", () => {
    const registry = registryWith(STORED);
    const archived = archiveRateCard(registry, { key: "api" });

    expect(archived).toEqual({ ...STORED, archivedAt: NOW });
    expect(registry.findNewestRateCard("api")).toBe(archived);
    expect([...registry.archivedRateCards]).toEqual([archived]);
    expect(archiveRateCard(registry, { key: "api" })).toBe(archived);
    expect(registry.archivedRateCards.size).toBe(1);
  });

  test("repeating it keeps the moment of the first time", () => {
    const registry = registryWith({ ...STORED, archivedAt: EARLIER });

    expect(archiveRateCard(registry, { key: "api" }).archivedAt).toBe(EARLIER);
    expect(registry.archivedRateCards.size).toBe(0);
  });

  test("a version of the same batch is stored as archived, under its own number", () => {
    const registry = registryWith();
    const card = createRateCard(registry, COMMAND);
    const archived = archiveRateCard(registry, { key: "api" });

    expect([...registry.newRateCards]).toEqual([[{ ...card, archivedAt: NOW }, 1n]]);
    expect(archived.version).toBe(1);
    expect(registry.archivedRateCards.size).toBe(0);
  });

  test("a later version is not archived", () => {
    const registry = registryWith(STORED);
    archiveRateCard(registry, { key: "api" });
    const later = createRateCard(registry, COMMAND);

    expect([later.version, later.archivedAt]).toEqual([8, null]);
    expect([...registry.archivedRateCards].map(({ version }) => version)).toEqual([7]);
    expect([...registry.newRateCards.keys()]).toEqual([later]);
  });

  test("an unknown key is refused", () => {
    expect(outcomeOf(() => archiveRateCard(registryWith(), { key: "api" }))).toEqual([
      "RATE_CARD_NOT_FOUND",
      undefined,
      { rate_card_key: "api" },
    ]);
  });
});
