/** Owns what can be done in a scenario: each line that is not indented is one command. */
import { expect } from "vitest";
import type { Charge } from "../../src/book/nouns.ts";
import { cancelCharge } from "../../src/charge/cancel-charge.ts";
import { correctCharge } from "../../src/charge/correct-charge.ts";
import { type CreateCharge, createCharge } from "../../src/charge/create-charge.ts";
import type { ChargeBasis } from "../../src/charge/plan-charge.ts";
import { type ChargePreview, previewCharge } from "../../src/charge/preview-charge.ts";
import { settleCharge } from "../../src/charge/settle-charge.ts";
import { AssertionFailure, Refusal } from "../../src/errors.ts";
import { adjustCredits } from "../../src/grant/adjust-credits.ts";
import { type CreateCreditGrant, createCreditGrant } from "../../src/grant/create-credit-grant.ts";
import {
  SETTLEMENT_STEPS,
  updateExternalSettlement,
} from "../../src/grant/update-external-settlement.ts";
import { voidCreditGrant } from "../../src/grant/void-credit-grant.ts";
import {
  authorizeInvoicePayment,
  failInvoicePayment,
  issueInvoice,
  settleInvoicePayment,
  voidInvoice,
} from "../../src/invoice/verbs.ts";
import type { Availability, FundingMethod, SettlementStatus } from "../../src/ledger/lot.ts";
import type { Customer } from "./customer.ts";
import { amountOf, momentOf, Words } from "./words.ts";

type Command = (customer: Customer, words: Words) => void;

const FUNDING = {
  promotional: "PROMOTIONAL",
  invoice: "INVOICE",
  external: "EXTERNAL",
} as const satisfies Record<string, FundingMethod>;

const AVAILABILITY = {
  on_creation: "ON_CREATION",
  on_authorization: "ON_AUTHORIZATION",
  on_settlement: "ON_SETTLEMENT",
} as const satisfies Record<string, Availability>;

const MODES = {
  credit_only: "CREDIT_ONLY",
  credit_then_invoice: "CREDIT_THEN_INVOICE",
} as const;

const INVOICE_VERBS = {
  authorize: authorizeInvoicePayment,
  settle: settleInvoicePayment,
  fail: failInvoicePayment,
  void: voidInvoice,
} as const;

/** Every command, by its first words. */
const COMMANDS: Readonly<Record<string, Command>> = {
  unit: registerUnit,
  card: addRateCard,
  "archive card": archiveRateCard,
  clock: (customer, words) => {
    setClock(customer, words);
    customer.keeper.bookDue();
  },
  later: setClock,
  grant,
  "void grant": (customer, words) => {
    const grantId = customer.grantId(words.take("a grant"));
    customer.run((book) => voidCreditGrant(book, { grantId, reason: "by hand" }));
  },
  external,
  adjust,
  charge,
  "settle charge": settle,
  "cancel charge": (customer, words) => {
    const chargeId = customer.chargeId(words.take("a charge"));
    customer.run((book) => cancelCharge(book, { chargeId }));
  },
  "correct charge": (customer, words) => {
    const chargeId = customer.chargeId(words.take("a charge"));
    const amount = words.isEmpty ? null : amountOf(words.take("an amount"));
    customer.run((book) => correctCharge(book, { chargeId, amount, reason: "a mistake" }));
  },
  "issue invoice": (customer, words) => {
    const invoiceId = customer.invoiceId(words.take("an invoice"));
    const name = words.takeOption("as");
    if (name !== undefined) customer.nameInvoice(name, invoiceId);
    customer.run((book) => issueInvoice(book, { invoiceId }));
  },
  ...Object.fromEntries(
    Object.entries(INVOICE_VERBS).map(([word, verb]) => {
      const command: Command = (customer, words) => {
        const invoiceId = customer.invoiceId(words.take("an invoice"));
        customer.run((book) => verb(book, { invoiceId }));
      };
      return [`${word} invoice`, command];
    }),
  ),
};

export function runCommand(customer: Customer, line: string): void {
  const words = new Words(line);
  const first = words.take("a command");
  let command = COMMANDS[first];
  const two = `${first} ${words.peek()}`;
  if (COMMANDS[two] !== undefined) {
    command = COMMANDS[two];
    words.take("a noun");
  }
  if (command === undefined) throw new AssertionFailure(`"${line.trim()}" is no command`);
  command(customer, words);
  words.end();
}

function setClock({ keeper }: Customer, words: Words): void {
  keeper.clock = momentOf(words.take("a moment"));
}

/** `unit TOKENS 0`: the tenant's own unit and its exponent. */
function registerUnit({ kept }: Customer, words: Words): void {
  const code = words.take("a code");
  const exponent = Number(words.take("an exponent"));
  kept.currencies.set(code, { code, name: code, exponent, iso: false });
}

/** `card api 0.5 USD credit_only feature calls`: the next version, priced per unit. */
function addRateCard({ kept, keeper }: Customer, words: Words): void {
  const key = words.take("a key");
  const unitAmount = amountOf(words.take("a unit amount"));
  const currency = words.take("a currency");
  const settlementMode = modeOf(words);
  const featureKey = words.takeOption("feature") ?? "anything";
  const minimum = words.takeOption("minimum");
  const maximum = words.takeOption("maximum");
  kept.rateCards.push({
    key,
    version: kept.rateCards.filter((card) => card.key === key).length + 1,
    name: key,
    featureKey,
    currency,
    settlementMode,
    price: { model: "per_unit", unitAmount },
    minimumAmount: minimum === undefined ? null : amountOf(minimum),
    maximumAmount: maximum === undefined ? null : amountOf(maximum),
    createdAt: keeper.now,
    archivedAt: null,
  });
}

function archiveRateCard({ kept, keeper }: Customer, words: Words): void {
  const key = words.take("a key");
  const index = kept.rateCards.findLastIndex((card) => card.key === key);
  const newest = kept.rateCards[index];
  if (newest === undefined) throw new AssertionFailure(`the scenario has no rate card ${key}`);
  kept.rateCards[index] = { ...newest, archivedAt: keeper.now };
}

/** `grant A 100 USD invoice at 0.35 USD on_settlement priority 5 from d1 until d30`. */
function grant(customer: Customer, words: Words): void {
  const name = words.take("a name");
  const amount = amountOf(words.take("an amount"));
  const currency = words.take("a currency");
  const funding = words.takeOneOf(["promotional", "invoice", "external"]) ?? "promotional";
  const cost = words.takeOption("at");
  const paidIn = cost === undefined ? undefined : words.take("a currency to pay in");
  const available = words.takeOneOf(["on_creation", "on_authorization", "on_settlement"]);
  const { priority, from, until, lasting, features } = words.takeOptions([
    "priority",
    "from",
    "until",
    "lasting",
    "features",
  ]);
  const purchase: CreateCreditGrant["purchase"] =
    funding === "promotional"
      ? null
      : {
          currency: paidIn ?? "USD",
          perUnitCost: amountOf(cost ?? "1"),
          availability: AVAILABILITY[available ?? "on_settlement"],
        };
  const command: CreateCreditGrant = {
    name,
    description: `credit ${name}`,
    fundingMethod: FUNDING[funding],
    currency,
    amount,
    priority: Number(priority ?? "10"),
    effectiveAt: from === undefined ? null : momentOf(from),
    expiresAt: until === undefined ? null : momentOf(until),
    expiresAfter: lasting ?? null,
    features: features?.split(",") ?? [],
    purchase,
    metadata: {},
  };
  const { lot } = customer.run((book) => createCreditGrant(book, command));
  customer.nameGrant(name, lot.id);
}

function external(customer: Customer, words: Words): void {
  const grantId = customer.grantId(words.take("a grant"));
  const states = Object.keys(SETTLEMENT_STEPS) as SettlementStatus[];
  const status = words.takeOneOf(states);
  if (status === undefined) throw new AssertionFailure(`"${words.line}" lacks a status`);
  customer.run((book) => updateExternalSettlement(book, { grantId, status }));
}

/** `adjust +50 USD as A` gives, `adjust -20 USD` and `adjust -20 USD of A` take. */
function adjust(customer: Customer, words: Words): void {
  const amount = amountOf(words.take("an amount"));
  const currency = words.take("a currency");
  const name = words.takeOption("as");
  const of = words.takeOption("of");
  const grantId = of === undefined ? null : customer.grantId(of);
  const command = { currency, amount, reason: "goodwill", grantId, metadata: { ticket: "7" } };
  const result = customer.run((book) => adjustCredits(book, command));
  if (name !== undefined && result.grant !== null) customer.nameGrant(name, result.grant.lot.id);
}

/** `charge C 40 USD credit_only feature calls hold until d3`, or `charge C 80 of api hold`. */
function charge(customer: Customer, words: Words): void {
  const name = words.take("a name");
  const basis = basisOf(words);
  const manual = words.takeOneOf(["hold"]) !== undefined;
  const until = words.takeOption("until");
  const command: CreateCharge = {
    basis,
    capture: manual ? "MANUAL" : "AUTOMATIC",
    holdExpiresAt: until === undefined ? null : momentOf(until),
    description: `charge ${name}`,
    metadata: {},
  };
  words.end();
  const preview = customer.run((book) => previewCharge(book, command));
  try {
    const created = customer.run((book) => createCharge(book, command));
    expectPreviewed(preview, created);
    customer.nameCharge(name, created.id);
  } catch (error) {
    if (error instanceof Refusal) expect(preview.refusal, "the preview foretold it").toEqual(error);
    throw error;
  }
}

/** What a preview says is what creating the charge then does (D8). */
function expectPreviewed(preview: ChargePreview, created: Charge): void {
  const claim = "the charge did as the preview said";
  const draws = preview.draws.map(({ lot, amount }) => ({ grantId: lot.id, amount, returned: 0n }));
  expect(created.allocations, claim).toEqual(draws);
  expect(preview.refusal, claim).toBeNull();
  expect(preview.shortfall, claim).toBe(0n);
  expect(preview.amount, claim).toBe(created.amount);
  const isHold = created.status === "OPEN";
  const invoiced = isHold ? created.amount - preview.creditsApplied : created.invoicedAmount;
  expect(preview.invoicedAmount, claim).toBe(invoiced);
}

function basisOf(words: Words): ChargeBasis {
  const figure = amountOf(words.take("an amount or a quantity"));
  const rateCardKey = words.takeOption("of");
  if (rateCardKey !== undefined) return { by: "rate_card", rateCardKey, quantity: figure };
  const currency = words.take("a currency");
  const settlementMode = modeOf(words);
  const featureKey = words.takeOption("feature") ?? null;
  return { by: "amount", amount: figure, currency, settlementMode, featureKey };
}

function modeOf(words: Words) {
  return MODES[words.takeOneOf(["credit_only", "credit_then_invoice"]) ?? "credit_only"];
}

/** `settle charge C`, `settle charge C 50` or `settle charge C quantity 80`. */
function settle(customer: Customer, words: Words): void {
  const chargeId = customer.chargeId(words.take("a charge"));
  const quantity = words.takeOption("quantity");
  const amount = words.isEmpty ? undefined : words.take("an amount");
  const command = {
    chargeId,
    amount: amount === undefined ? null : amountOf(amount),
    quantity: quantity === undefined ? null : amountOf(quantity),
  };
  customer.run((book) => settleCharge(book, command));
}
