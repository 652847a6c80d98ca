/** Owns what a scenario can say of the books: each indented line is one statement. */
import { expect } from "vitest";
import { correctedAmount, creditsApplied, creditsHeld } from "../../src/book/nouns.ts";
import { AssertionFailure } from "../../src/errors.ts";
import { formatAmount, roundAmount } from "../../src/money/amount.ts";
import { isoCurrency } from "../../src/money/currency.ts";
import { accountsOf } from "../core/check-books.ts";
import type { Customer } from "./customer.ts";
import { canonicalAmount, canonicalMoment, momentText, Words } from "./words.ts";

type Facts = Readonly<Record<string, string>>;
type Statement = (customer: Customer, words: Words) => void;

const STATEMENTS: Readonly<Record<string, Statement>> = {
  balance: (customer, words) => {
    const currency = words.take("a currency");
    expectFacts(balanceFacts(customer, currency), words);
  },
  accounts: (customer, words) => {
    const currency = words.take("a currency");
    const transfers = customer.kept.transfers.filter((row) => row.currency === currency);
    const sums = Object.entries(accountsOf(transfers)).filter(([, amount]) => amount !== 0n);
    const standing = Object.fromEntries(sums.map(([name, sum]) => [name, formatAmount(sum)]));
    const pairs = [...words.takePairs()].map(([name, text]) => [name, canonicalAmount(text)]);
    expect(standing, words.line).toEqual(Object.fromEntries(pairs));
  },
  grant: (customer, words) => expectFacts(grantFacts(customer, words.take("a grant")), words),
  charge: (customer, words) => expectFacts(chargeFacts(customer, words.take("a charge")), words),
  invoice: (customer, words) => {
    expectFacts(invoiceFacts(customer, words.take("an invoice")), words);
  },
  draft: (customer, words) => {
    const currency = words.take("a currency");
    words.take("none");
    expect(customer.findDraft(currency), words.line).toBeUndefined();
  },
};

export function checkStatement(customer: Customer, line: string): void {
  const words = new Words(line);
  const statement = STATEMENTS[words.take("a statement")];
  if (statement === undefined) throw new AssertionFailure(`"${words.line}" is no statement`);
  statement(customer, words);
}

/** `status` may stand first without its name; every fact that is named must be so. */
function expectFacts(facts: Facts, words: Words): void {
  const standing: string[] = [];
  const said: string[] = [];
  const compare = (name: string, text: string) => {
    const fact = facts[name];
    if (fact === undefined) throw new AssertionFailure(`"${words.line}": what is ${name}?`);
    standing.push(`${name} ${fact}`);
    said.push(`${name} ${canonicalFact(text)}`);
  };
  if ("status" in facts) compare("status", words.take("a status"));
  for (const [name, text] of words.takePairs()) compare(name, text);
  expect(standing, words.line).toEqual(said);
}

function canonicalFact(text: string): string {
  if (/^-?\d+(\.\d+)?$/.test(text)) return canonicalAmount(text);
  return /^d\d/.test(text) ? canonicalMoment(text) : text;
}

function balanceFacts({ kept, keeper }: Customer, currency: string): Facts {
  const { now } = keeper;
  const balance = kept.balances.get(currency) ?? { credit: 0n, held: 0n };
  const upcoming = [...kept.lots.values()]
    .filter((lot) => lot.currency === currency && lot.status === "PENDING")
    .filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
    .reduce((sum, lot) => sum + lot.amount, 0n);
  return {
    settled: formatAmount(balance.credit + balance.held),
    held: formatAmount(balance.held),
    pending: formatAmount(balance.credit),
    upcoming: formatAmount(upcoming),
  };
}

function grantFacts(customer: Customer, name: string): Facts {
  const lot = customer.getLot(name);
  return {
    status: lot.status,
    remaining: formatAmount(lot.remaining),
    held: formatAmount(lot.held),
    payment: lot.settlementStatus ?? "none",
    effective: momentText(lot.effectiveAt),
    expires: momentText(lot.expiresAt),
    voided: momentText(lot.voidedAt),
    priority: String(lot.priority),
    features: lot.features.length === 0 ? "any" : lot.features.join(","),
  };
}

function chargeFacts(customer: Customer, name: string): Facts {
  const charge = customer.getCharge(name);
  const listed = (pick: "amount" | "returned") =>
    charge.allocations
      .map((row) => `${customer.grantName(row.grantId)}:${formatAmount(row[pick])}`)
      .join(",") || "nothing";
  return {
    status: charge.status,
    amount: formatAmount(charge.amount),
    estimate: formatAmount(charge.estimatedAmount),
    held: formatAmount(creditsHeld(charge)),
    applied: formatAmount(creditsApplied(charge)),
    invoiced: formatAmount(charge.invoicedAmount),
    corrected: formatAmount(correctedAmount(charge)),
    quantity: charge.quantity === null ? "none" : formatAmount(charge.quantity),
    version: String(charge.rateCardVersion),
    hold_expires: momentText(charge.holdExpiresAt),
    canceled: momentText(charge.canceledAt),
    settled: momentText(charge.settledAt),
    draws: listed("amount"),
    returned: listed("returned"),
  };
}

function invoiceFacts(customer: Customer, name: string): Facts {
  const invoice = customer.getInvoice(name);
  const lines = [...customer.kept.lines.values()].filter((row) => row.invoiceId === invoice.id);
  const described = lines.map(({ chargeId, grantId, amount }) => {
    const sold = grantId === null ? "?" : customer.grantName(grantId);
    return `${chargeId === null ? sold : customer.chargeName(chargeId)}:${formatAmount(amount)}`;
  });
  const exponent = isoCurrency(invoice.currency)?.exponent ?? 0;
  return {
    status: invoice.status,
    currency: invoice.currency,
    kind: invoice.kind,
    subtotal: formatAmount(invoice.subtotal),
    total: formatAmount(roundAmount(invoice.subtotal, exponent)),
    number: invoice.issueNumber === null ? "none" : String(invoice.issueNumber),
    issued: momentText(invoice.issuedAt),
    paid: momentText(invoice.paidAt),
    voided: momentText(invoice.voidedAt),
    lines: described.join(",") || "none",
  };
}
