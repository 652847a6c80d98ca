/** Owns the order in which grants are drawn and the plan of a draw (D2). It posts nothing. */
import { type Amount, minAmount } from "../money/amount.ts";
import { freeOf, type Lot } from "./lot.ts";

/** A charge draws from at most this many grants. */
export const CHARGE_DRAWS_MAX = 1_000;

/** What decides a lot's place: only lots whose credit is available have one. */
export type DrawKey = Pick<Lot, "priority" | "expiresAt" | "firstSequence">;

/** Priority ascending, then expiry ascending with never last, then the first movement (D2). */
export function compareDrawOrder(left: DrawKey, right: DrawKey): number {
  if (left.priority !== right.priority) return left.priority - right.priority;
  if (left.expiresAt !== right.expiresAt) {
    if (left.expiresAt === null) return 1;
    if (right.expiresAt === null) return -1;
    return left.expiresAt < right.expiresAt ? -1 : 1;
  }
  const leftFirst = left.firstSequence ?? 0n;
  const rightFirst = right.firstSequence ?? 0n;
  if (leftFirst === rightFirst) return 0;
  return leftFirst < rightFirst ? -1 : 1;
}

export interface Draw {
  readonly lot: Lot;
  readonly amount: Amount;
}

export interface DrawPlan {
  readonly draws: readonly Draw[];
  /** What the draws come to. */
  readonly covered: Amount;
  /** Whether the amount was not covered only because the plan has as many draws as it may. */
  readonly cut: boolean;
}

/** Plans to draw `amount` from lots in draw-down order, passing over what has nothing free. */
export function planDraws(
  lots: Iterable<Lot>,
  amount: Amount,
  drawsMax: number = CHARGE_DRAWS_MAX,
): DrawPlan {
  const draws: Draw[] = [];
  let missing = amount;
  if (missing > 0n) {
    for (const lot of lots) {
      const free = freeOf(lot);
      if (free === 0n) continue;
      if (draws.length === drawsMax) return { draws, covered: amount - missing, cut: true };
      const take = minAmount(free, missing);
      draws.push({ lot, amount: take });
      missing -= take;
      if (missing === 0n) break;
    }
  }
  return { draws, covered: amount - missing, cut: false };
}
