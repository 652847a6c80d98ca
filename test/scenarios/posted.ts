/** Owns what a scenario says was booked: movements, or all transfers with their accounts. */
import { expect } from "vitest";
import { isMovement, MOVEMENT_TYPES } from "../../src/ledger/chart.ts";
import { signedAmount, type Transfer } from "../../src/ledger/transfer.ts";
import { type Amount, formatAmount } from "../../src/money/amount.ts";
import type { Instant } from "../../src/money/time.ts";
import type { Customer } from "./customer.ts";
import { amountOf, canonicalAmount, canonicalMoment, momentText, Words } from "./words.ts";

const MOVEMENTS: ReadonlySet<string> = new Set(MOVEMENT_TYPES);

/** Whether a statement is a movement, which must stand in the journal exactly as it is said. */
export function isMovementLine(line: string): boolean {
  return MOVEMENTS.has(new Words(line).peek());
}

/** The movements of these transfers must be exactly these lines, in this order (H1). */
export function checkMovements(
  customer: Customer,
  transfers: readonly Transfer[],
  lines: readonly string[],
): void {
  const { now } = customer.keeper;
  const movements = transfers.filter(({ event }) => isMovement(event));
  const booked = movements.map((transfer) => {
    const { settledAfter, bookedAt, createdAt } = transfer;
    expect(createdAt, "created_at is now").toBe(now);
    const amount = signedAmount(transfer);
    const before = formatAmount(settledAfter - amount);
    const change = `${signedText(amount)} ${before} -> ${formatAmount(settledAfter)}`;
    return `${namesOf(customer, transfer)} ${change}${dateText(bookedAt, now)}`;
  });
  expect(booked).toEqual(lines.map((line) => canonicalLine(line, now)));
}

/** The transfers must be exactly these lines, in this order (L5). */
export function checkTransfers(
  customer: Customer,
  transfers: readonly Transfer[],
  lines: readonly string[],
): void {
  const { now } = customer.keeper;
  const booked = transfers.map((transfer) => {
    const { amount, debitAccount, creditAccount, bookedAt } = transfer;
    const flow = `${formatAmount(amount)} ${debitAccount} -> ${creditAccount}`;
    return `transfer ${namesOf(customer, transfer)} ${flow}${dateText(bookedAt, now)}`;
  });
  expect(booked).toEqual(lines.map((line) => canonicalLine(line, now)));
}

function namesOf(customer: Customer, { event, grantId, chargeId }: Transfer): string {
  const names = [event, customer.grantName(grantId)];
  if (chargeId !== null) names.push(customer.chargeName(chargeId));
  return names.join(" ");
}

function dateText(bookedAt: Instant, now: Instant): string {
  return bookedAt === now ? "" : ` @${momentText(bookedAt)}`;
}

function signedText(amount: Amount): string {
  return amount < 0n ? formatAmount(amount) : `+${formatAmount(amount)}`;
}

/** The line as the books would spell it: amounts canonical, no date where it is now. */
function canonicalLine(line: string, now: Instant): string {
  const words = new Words(line);
  const canonical: string[] = [];
  while (!words.isEmpty) {
    const word = words.take("a word");
    if (/^[+-]\d/.test(word)) canonical.push(signedText(amountOf(word)));
    else if (/^\d/.test(word)) canonical.push(canonicalAmount(word));
    else if (!word.startsWith("@")) canonical.push(word);
    else if (canonicalMoment(word.slice(1)) !== momentText(now)) {
      canonical.push(`@${canonicalMoment(word.slice(1))}`);
    }
  }
  return canonical.join(" ");
}
