/** Owns the table of legal flows as the rules spell it, compared with the one in the code. */
import { describe, expect, test } from "vitest";
import {
  ACCOUNTS,
  type Account,
  EITHER_SIGN,
  FLOWS,
  isLegalFlow,
  isMovement,
  MOVEMENT_TYPES,
  settledSign,
  TRANSFER_EVENTS,
} from "../../src/ledger/chart.ts";

/** Event, debit → credit, and how the settled balance moves: every flow there is. */
const RULES = `
  FUNDED                 promotion             customer_credit       +1
  FUNDED                 receivable_open       customer_credit       +1
  PAYMENT_AUTHORIZED     receivable_authorized receivable_open        0
  AUTHORIZATION_REVERSED receivable_open       receivable_authorized  0
  PAYMENT_SETTLED        settlement            receivable_authorized  0
  HELD                   customer_credit       customer_held          0
  RELEASED               customer_held         customer_credit        0
  CONSUMED               customer_credit       earnings              -1
  CONSUMED               customer_credit       accrued               -1
  CONSUMED               customer_held         earnings              -1
  CONSUMED               customer_held         accrued               -1
  RECOGNIZED             accrued               earnings               0
  EXPIRED                customer_credit       breakage              -1
  VOIDED                 customer_credit       promotion             -1
  VOIDED                 customer_credit       receivable_open       -1
  VOIDED                 customer_credit       breakage              -1
  FORFEITED              receivable_open       breakage               0
  CORRECTED              earnings              customer_credit       +1
  CORRECTED              accrued               customer_credit       +1
  ADJUSTED               promotion             customer_credit       +1
  ADJUSTED               customer_credit       promotion             -1
  ADJUSTED               customer_credit       receivable_open       -1
  ADJUSTED               customer_credit       breakage              -1
`
  .trim()
  .split("\n")
  .map((line) => line.trim().split(/\s+/));

const NAMES = Object.keys(ACCOUNTS) as Account[];

describe("L5 the legal flows of value", () => {
  test("every event allows the flows of its rule and no other, over all pairs of accounts", () => {
    const legal = new Set(RULES.map(([event, debit, credit]) => `${event} ${debit} ${credit}`));
    for (const event of TRANSFER_EVENTS) {
      for (const debit of NAMES) {
        for (const credit of NAMES) {
          const flow = `${event} ${debit} ${credit}`;
          expect(isLegalFlow(event, debit, credit), flow).toBe(legal.has(flow));
        }
      }
    }
    expect(Object.values(FLOWS).flat()).toHaveLength(RULES.length);
  });

  test("only receivable_open and promotion may have either sign", () => {
    expect([...EITHER_SIGN].sort()).toEqual(["promotion", "receivable_open"]);
  });
});

describe("L4 the accounts", () => {
  test("each stands on its own side", () => {
    expect(ACCOUNTS).toEqual({
      customer_credit: "credit",
      customer_held: "credit",
      receivable_open: "debit",
      receivable_authorized: "debit",
      accrued: "credit",
      settlement: "debit",
      promotion: "debit",
      earnings: "credit",
      breakage: "credit",
    });
  });
});

describe("H1 movements", () => {
  test("a transfer is a movement exactly where it changes the settled balance", () => {
    for (const event of TRANSFER_EVENTS) {
      for (const flow of FLOWS[event]) {
        expect(isMovement(event), `${event} ${flow.debit}`).toBe(settledSign(flow) !== 0n);
      }
    }
    expect(TRANSFER_EVENTS.filter(isMovement)).toEqual([...MOVEMENT_TYPES]);
  });

  test.each(RULES)("%s %s → %s moves the settled balance by %s", (_event, debit, credit, sign) => {
    const flow = { debit: debit as Account, credit: credit as Account };
    expect(settledSign(flow)).toBe(BigInt(Number(sign)));
  });
});
