/** Owns the lot that tests begin with: active, promotional, of 10 units, all of it remaining. */
import type { GrantId } from "../../src/ledger/ids.ts";
import type { Lot } from "../../src/ledger/lot.ts";
import { instant } from "../../src/money/time.ts";

export function lotOf(change: Partial<Lot>): Lot {
  return {
    id: "A" as GrantId,
    number: 7n,
    currency: "USD",
    amount: 10n,
    fundingMethod: "PROMOTIONAL",
    availability: null,
    features: [],
    priority: 10,
    expiresAfter: null,
    status: "ACTIVE",
    settlementStatus: null,
    effectiveAt: instant(1n),
    expiresAt: null,
    remaining: 10n,
    held: 0n,
    accrued: 0n,
    adjustedUnpaid: 0n,
    firstSequence: 1n,
    voidedAt: null,
    voidReason: null,
    ...change,
  };
}
