/** Owns what falls due, when, and in which order at one instant (M6). */
import type { Instant } from "../money/time.ts";
import { isFunded, type Lot } from "./lot.ts";

/** At one instant hold timeouts come first, then expiries, then activations (M6). */
export const DUE_KINDS = ["hold_timeout", "expiry", "activation"] as const;

export type DueKind = (typeof DUE_KINDS)[number];

export interface Due {
  readonly at: Instant;
  readonly kind: DueKind;
  /** The creation sequence of the grant or charge. */
  readonly number: bigint;
}

export function compareDue(left: Due, right: Due): number {
  if (left.at !== right.at) return left.at < right.at ? -1 : 1;
  if (left.kind !== right.kind) return DUE_KINDS.indexOf(left.kind) - DUE_KINDS.indexOf(right.kind);
  if (left.number === right.number) return 0;
  return left.number < right.number ? -1 : 1;
}

/** What time will do to a lot next. A grant that waits for payment, or has ended, has nothing. */
export function nextDueOfLot(
  lot: Pick<
    Lot,
    "number" | "status" | "availability" | "settlementStatus" | "effectiveAt" | "expiresAt"
  >,
): Due | null {
  const { number } = lot;
  if (lot.status === "PENDING" && isFunded(lot)) {
    return { at: lot.effectiveAt, kind: "activation", number };
  }
  if (lot.status === "ACTIVE" && lot.expiresAt !== null) {
    return { at: lot.expiresAt, kind: "expiry", number };
  }
  return null;
}
