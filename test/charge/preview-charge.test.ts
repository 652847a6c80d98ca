import { beforeEach, describe, expect, test } from "vitest";
import type { RateCard } from "../../src/book/nouns.ts";
import { type CreateCharge, createCharge } from "../../src/charge/create-charge.ts";
import type { ChargeBasis } from "../../src/charge/plan-charge.ts";
import { type ChargePreview, previewCharge } from "../../src/charge/preview-charge.ts";
import { Refusal } from "../../src/errors.ts";
import { type CreateCreditGrant, createCreditGrant } from "../../src/grant/create-credit-grant.ts";
import { amountFromDigits, formatAmount } from "../../src/money/amount.ts";
import { parseInstant } from "../../src/money/time.ts";
import { BookKeeper, START } from "../core/book-keeper.ts";
import { PLAIN_GRANT } from "../core/plain-grant.ts";

const SOON = parseInstant("2026-02-01T00:00:00Z");
const LATER = parseInstant("2026-03-01T00:00:00Z");

let keeper: BookKeeper;

beforeEach(() => {
  keeper = new BookKeeper();
});

function grant(amount: string, words: Partial<CreateCreditGrant> = {}): void {
  const command = { ...PLAIN_GRANT, amount: amountFromDigits(amount), ...words };
  keeper.run((book) => createCreditGrant(book, command));
}

const byAmount = (amount: string, words: Partial<ChargeBasis & { by: "amount" }> = {}) =>
  commandOf({
    by: "amount",
    amount: amountFromDigits(amount),
    currency: "USD",
    settlementMode: "CREDIT_THEN_INVOICE",
    featureKey: null,
    ...words,
  });

const byRateCard = (rateCardKey: string, quantity: string) =>
  commandOf({ by: "rate_card", rateCardKey, quantity: amountFromDigits(quantity) });

function commandOf(basis: ChargeBasis): CreateCharge {
  return { basis, capture: "AUTOMATIC", holdExpiresAt: null, description: "", metadata: {} };
}

function preview(command: CreateCharge): ChargePreview {
  const transfers = keeper.kept.transfers.length;
  const found = keeper.run((book) => previewCharge(book, command));
  expect(keeper.kept.transfers.length, "a preview posts nothing").toBe(transfers);
  return found;
}

/** The figures of a preview as text: amount, draws, invoiced, shortfall, refusal. */
function shown(found: ChargePreview): string {
  const { amount, currency, draws, creditsApplied, invoicedAmount, shortfall, refusal } = found;
  return [
    amount === null ? "?" : `${formatAmount(amount)} ${currency}`,
    `draws ${draws.map((draw) => formatAmount(draw.amount)).join(" + ") || "nothing"}`,
    `applies ${formatAmount(creditsApplied)}`,
    `invoices ${formatAmount(invoicedAmount)}`,
    `lacks ${formatAmount(shortfall)}`,
    refusal?.reason ?? "fine",
  ].join(", ");
}

const CALLS: RateCard = {
  key: "calls",
  version: 1,
  name: "",
  featureKey: "api",
  currency: "USD",
  settlementMode: "CREDIT_ONLY",
  price: { model: "per_unit", unitAmount: amountFromDigits("0.5") },
  minimumAmount: null,
  maximumAmount: null,
  createdAt: START,
  archivedAt: null,
};

const CREDIT_ONLY = { settlementMode: "CREDIT_ONLY" } as const;

describe("D8 a preview answers what the charge would do", () => {
  beforeEach(() => {
    keeper.kept.rateCards.push(CALLS, { ...CALLS, key: "old", archivedAt: START });
    keeper.kept.currencies.set("TOKENS", {
      code: "TOKENS",
      name: "",
      exponent: 0,
      iso: false,
    });
    grant("4");
    grant("2", { features: ["api"], priority: 20 });
  });

  test.each<[what: string, command: CreateCharge, figures: string]>([
    ["covered", byAmount("3"), "3 USD, draws 3, applies 3, invoices 0, lacks 0, fine"],
    [
      "covered to the last unit",
      byAmount("4"),
      "4 USD, draws 4, applies 4, invoices 0, lacks 0, fine",
    ],
    ["partly covered", byAmount("7"), "7 USD, draws 4, applies 4, invoices 3, lacks 0, fine"],
    [
      "of a feature",
      byAmount("7", { featureKey: "api" }),
      "7 USD, draws 4 + 2, applies 6, invoices 1, lacks 0, fine",
    ],
    [
      "not covered, with credit only",
      byAmount("7", CREDIT_ONLY),
      "7 USD, draws 4, applies 4, invoices 0, lacks 3, INSUFFICIENT_CREDITS",
    ],
    [
      "in a currency without credit",
      byAmount("7", { currency: "EUR" }),
      "7 EUR, draws nothing, applies 0, invoices 7, lacks 0, fine",
    ],
    [
      "by rate card",
      byRateCard("calls", "9"),
      "4.5 USD, draws 4 + 0.5, applies 4.5, invoices 0, lacks 0, fine",
    ],
    [
      "of nothing",
      byRateCard("calls", "0"),
      "0 USD, draws nothing, applies 0, invoices 0, lacks 0, fine",
    ],
    [
      "that holds",
      { ...byAmount("7"), capture: "MANUAL" },
      "7 USD, draws 4, applies 4, invoices 3, lacks 0, fine",
    ],
    [
      "that would hold until now",
      { ...byAmount("7"), capture: "MANUAL", holdExpiresAt: START },
      "7 USD, draws nothing, applies 0, invoices 0, lacks 0, TIME_NOT_IN_FUTURE",
    ],
    [
      "that would hold too long",
      { ...byAmount("7"), capture: "MANUAL", holdExpiresAt: LATER },
      "7 USD, draws nothing, applies 0, invoices 0, lacks 0, INVALID_REQUEST",
    ],
    [
      "in an unknown currency",
      byAmount("7", { currency: "POINTS" }),
      "?, draws nothing, applies 0, invoices 0, lacks 0, CURRENCY_NOT_FOUND",
    ],
    [
      "in a unit that is no money",
      byAmount("7", { currency: "TOKENS" }),
      "?, draws nothing, applies 0, invoices 0, lacks 0, CURRENCY_NOT_INVOICEABLE",
    ],
    [
      "finer than its currency",
      byAmount("0.5", { currency: "TOKENS", ...CREDIT_ONLY }),
      "?, draws nothing, applies 0, invoices 0, lacks 0, AMOUNT_TOO_FINE",
    ],
    [
      "by an unknown rate card",
      byRateCard("cells", "1"),
      "?, draws nothing, applies 0, invoices 0, lacks 0, RATE_CARD_NOT_FOUND",
    ],
    [
      "by an archived rate card",
      byRateCard("old", "1"),
      "?, draws nothing, applies 0, invoices 0, lacks 0, RATE_CARD_ARCHIVED",
    ],
  ])("%s", (_what, command, figures) => {
    const found = preview(command);
    expect(shown(found)).toBe(figures);

    // And the charge does just that.
    const refused = found.refusal?.reason ?? null;
    expect(reasonOf(command)).toBe(refused);
    if (refused !== null) return;
    const [charge] = [...keeper.kept.charges.values()];
    const draws = found.draws.map(({ lot, amount }) => [lot.id, amount]);
    expect(charge?.allocations.map(({ grantId, amount }) => [grantId, amount])).toEqual(draws);
    expect(charge?.amount).toBe(found.amount);
    const invoiced = command.capture === "MANUAL" ? 0n : found.invoicedAmount;
    expect(charge?.invoicedAmount).toBe(invoiced);
  });
});

function reasonOf(command: CreateCharge): string | null {
  try {
    keeper.run((book) => createCharge(book, command));
    return null;
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.reason;
    throw thrown;
  }
}

describe("D8 a preview says why each grant is drawn in its place", () => {
  test("by the first thing in which it differs from the one before", () => {
    grant("1", { priority: 20 });
    grant("2");
    grant("3", { expiresAt: LATER });
    grant("4", { expiresAt: SOON });
    grant("5", { expiresAt: SOON });
    const { draws } = preview(byAmount("15"));

    expect(draws.map(({ amount, reason }) => `${formatAmount(amount)}: ${reason}`)).toEqual([
      "4: First in draw-down order: priority 10, expires at 2026-02-01T00:00:00.000000Z, " +
        "first movement 4.",
      "5: Same priority and expiry as the one before, and first movement 5 comes after 4.",
      "3: Same priority as the one before, and it expires at 2026-03-01T00:00:00.000000Z, " +
        "which is later.",
      "2: Same priority as the one before, and it never expires, which comes last.",
      "1: Priority 20 comes after priority 10.",
    ]);
  });
});
