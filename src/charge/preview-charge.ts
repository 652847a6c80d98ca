/**
 * Owns the answer to what a charge would do now, and why (D8). It decides with the same functions
 * as the charge itself, in the same order, and posts nothing.
 */
import type { Book } from "../book/book.ts";
import { Refusal } from "../errors.ts";
import type { DrawPlan } from "../ledger/draw-order.ts";
import type { Lot } from "../ledger/lot.ts";
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import { formatInstant } from "../money/time.ts";
import { type CreateCharge, checkHold, checkRest } from "./create-charge.ts";
import { checkPlan, planCharge, type RatedCharge, rateCharge } from "./plan-charge.ts";

/** What would be drawn from one grant, and why in this place. */
export interface PreviewedDraw {
  readonly lot: Lot;
  readonly amount: Amount;
  /** A sentence for people. */
  readonly reason: string;
}

/**
 * What a charge would do, as far as a refusal lets it be known. Where the amount is known and only
 * credit is in the way, it is the sum of what is applied, what is invoiced and the shortfall.
 */
export interface ChargePreview {
  readonly currency: CurrencyCode | null;
  readonly amount: Amount | null;
  readonly draws: readonly PreviewedDraw[];
  /** The sum of the draws. */
  readonly creditsApplied: Amount;
  readonly invoicedAmount: Amount;
  /** What the draws do not cover of a charge that is refused for it. */
  readonly shortfall: Amount;
  readonly refusal: Refusal | null;
}

export function previewCharge(book: Book, command: CreateCharge): ChargePreview {
  let rated: RatedCharge | null = null;
  let plan: DrawPlan | null = null;
  let refusal: Refusal | null = null;
  try {
    rated = rateCharge(book, command.basis);
    checkHold(book, command);
    plan = planCharge(book, rated);
    checkPlan(plan, rated);
    checkRest(book, command, rated, plan);
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    refusal = thrown;
  }
  const rest = rated === null || plan === null ? 0n : rated.amount - plan.covered;
  return {
    currency: rated?.currency.code ?? null,
    amount: rated?.amount ?? null,
    draws: plan === null ? [] : explainDraws(plan),
    creditsApplied: plan?.covered ?? 0n,
    invoicedAmount: refusal === null ? rest : 0n,
    shortfall: refusal === null ? 0n : rest,
    refusal,
  };
}

function explainDraws({ draws }: DrawPlan): readonly PreviewedDraw[] {
  return draws.map(({ lot, amount }, index) => {
    const before = draws[index - 1]?.lot;
    return { lot, amount, reason: before === undefined ? whyFirst(lot) : whyAfter(lot, before) };
  });
}

function whyFirst(lot: Lot): string {
  const place = `priority ${lot.priority}, ${expiryOf(lot)}, first movement ${lot.firstSequence}`;
  return `First in draw-down order: ${place}.`;
}

/** Names what decided between two neighbours: the first thing in which they differ (D2). */
function whyAfter(lot: Lot, before: Lot): string {
  if (lot.priority !== before.priority) {
    return `Priority ${lot.priority} comes after priority ${before.priority}.`;
  }
  if (lot.expiresAt !== before.expiresAt) {
    const later = lot.expiresAt === null ? "which comes last" : "which is later";
    return `Same priority as the one before, and it ${expiryOf(lot)}, ${later}.`;
  }
  const sequences = `${lot.firstSequence} comes after ${before.firstSequence}`;
  return `Same priority and expiry as the one before, and first movement ${sequences}.`;
}

function expiryOf({ expiresAt }: Lot): string {
  return expiresAt === null ? "never expires" : `expires at ${formatInstant(expiresAt)}`;
}
