/** Owns the tables of what falls due and in which order. */
import { describe, expect, test } from "vitest";
import { compareDue, type Due, type DueKind, nextDueOfLot } from "../../src/ledger/due.ts";
import type { Lot } from "../../src/ledger/lot.ts";
import { instant } from "../../src/money/time.ts";
import { lotOf } from "./lot-of.ts";

function due(at: bigint, kind: DueKind, number: bigint): Due {
  return { at: instant(at), kind, number };
}

describe("M6 the order of what is due", () => {
  test.each([
    ["the earlier moment", due(1n, "activation", 9n), due(2n, "hold_timeout", 1n), -1],
    ["hold timeouts before expiries", due(1n, "hold_timeout", 9n), due(1n, "expiry", 1n), -1],
    ["expiries before activations", due(1n, "expiry", 9n), due(1n, "activation", 1n), -1],
    ["of one kind the one created first", due(1n, "expiry", 9n), due(1n, "expiry", 10n), -1],
    ["nothing before itself", due(1n, "expiry", 9n), due(1n, "expiry", 9n), 0],
  ])("%s", (_name, left, right, sign) => {
    expect(Math.sign(compareDue(left, right))).toBe(sign);
    expect(Math.sign(compareDue(right, left))).toBe(sign === 0 ? 0 : -sign);
  });
});

describe("M6 G1 G2 what time does to a grant next", () => {
  const activation = due(1n, "activation", 7n);
  const expiry = due(9n, "expiry", 7n);
  const pending = { status: "PENDING", fundingMethod: "EXTERNAL" } as const;
  test.each<[string, Partial<Lot>, Due | null]>([
    ["an active grant expires", {}, expiry],
    ["one without an end does not", { expiresAt: null }, null],
    ["a fully held one expires", { held: 10n }, expiry],
    ["a pending promotional one becomes active", { status: "PENDING" }, activation],
    ["an exhausted one has nothing due", { status: "EXHAUSTED", remaining: 0n }, null],
    ["nor has an expired one", { status: "EXPIRED" }, null],
    ["nor a voided one", { status: "VOIDED" }, null],
    [
      "one that is paid for later becomes active by itself",
      { ...pending, availability: "ON_CREATION", settlementStatus: "PENDING" },
      activation,
    ],
    [
      "one that waits for its authorization waits",
      { ...pending, availability: "ON_AUTHORIZATION", settlementStatus: "PENDING" },
      null,
    ],
    [
      "one that was authorized becomes active",
      { ...pending, availability: "ON_AUTHORIZATION", settlementStatus: "AUTHORIZED" },
      activation,
    ],
    [
      "one that was settled directly becomes active too",
      { ...pending, availability: "ON_AUTHORIZATION", settlementStatus: "SETTLED" },
      activation,
    ],
    [
      "one that waits for its settlement waits",
      { ...pending, availability: "ON_SETTLEMENT", settlementStatus: "AUTHORIZED" },
      null,
    ],
    [
      "one that is paid for becomes active",
      { ...pending, availability: "ON_SETTLEMENT", settlementStatus: "SETTLED" },
      activation,
    ],
  ])("%s", (_name, change, expected) => {
    expect(nextDueOfLot(lotOf({ expiresAt: instant(9n), ...change }))).toEqual(expected);
  });
});
