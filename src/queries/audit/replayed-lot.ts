/**
 * Owns the replay of one grant's transfers: what is left of its credit, what of its payment was
 * booked, and when it began and ended (L5). Pure, and lean.
 */
import { assert } from "../../errors.ts";
import type { Amount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import {
  ACCRUED,
  BREAKAGE,
  CUSTOMER_HELD,
  EARNINGS,
  type NumberedFlow,
  PROMOTION,
  RECEIVABLE_OPEN,
} from "./flows.ts";
import { copyOf } from "./journal-text.ts";

export interface ReplayedLot {
  readonly currency: CurrencyCode;
  remaining: Amount;
  held: Amount;
  accrued: Amount;
  adjustedUnpaid: Amount;
  /** The sum of what made its credit available, and by how many transfers. */
  funded: Amount;
  fundings: number;
  firstSequence: bigint | null;
  /** The account that its credit came from, by number; −1 until then. */
  fundedFrom: number;
  fundedAt: string | null;
  /** What of its payment was booked when its credit became available. */
  paidWhenFunded: "nothing" | "authorization" | "settlement";
  /** Whether the command that booked a payment fact made its credit available. */
  fundedByPayment: boolean;
  /** Authorizations less those booked back or settled. */
  authorizations: number;
  settlements: number;
  /** The amount of its payment facts, and the moment of the last one. */
  payment: Amount | null;
  paymentAt: string | null;
  /** What was paid in vain: the credit was voided before it was available. */
  forfeited: Amount;
  /** The movement that ended it, if it had one: not those of what a charge gave back later. */
  ending: "EXPIRED" | "VOIDED" | null;
  endedAt: string | null;
  /** When the customer's transfer before that one was booked. */
  bookedBeforeEnd: string;
}

/** What of a transfer moves its lot, beside the flow. */
export interface LotMove {
  readonly amount: Amount;
  readonly sequence: number;
  readonly bookedAt: string;
  readonly bookedBefore: string;
  readonly fellDue: boolean;
  readonly forCharge: boolean;
}

/** A lot to which nothing has happened. */
export function emptyLot(currency: CurrencyCode): ReplayedLot {
  return {
    currency,
    remaining: 0n,
    held: 0n,
    accrued: 0n,
    adjustedUnpaid: 0n,
    funded: 0n,
    fundings: 0,
    firstSequence: null,
    fundedFrom: -1,
    fundedAt: null,
    paidWhenFunded: "nothing",
    fundedByPayment: false,
    authorizations: 0,
    settlements: 0,
    payment: null,
    paymentAt: null,
    forfeited: 0n,
    ending: null,
    endedAt: null,
    bookedBeforeEnd: "",
  };
}

/** Whether nobody has to pay for the credit any more. */
const isPaid = (lot: ReplayedLot) => lot.fundedFrom === PROMOTION || lot.settlements > 0;

const usedAccount = (lot: ReplayedLot) => (isPaid(lot) ? EARNINGS : ACCRUED);

function forfeitAccount(lot: ReplayedLot): number {
  if (lot.fundedFrom === PROMOTION) return PROMOTION;
  return lot.settlements > 0 ? BREAKAGE : RECEIVABLE_OPEN;
}

/** The other account that the payment of the lot calls for; −1 where there is no choice. */
export function accountCalledFor(lot: ReplayedLot, { event, gains, loses }: NumberedFlow): number {
  switch (event) {
    case "CONSUMED":
    case "CORRECTED":
      return usedAccount(lot);
    case "VOIDED":
      return forfeitAccount(lot);
    case "ADJUSTED":
      return loses && !gains ? forfeitAccount(lot) : -1;
    default:
      return -1;
  }
}

export function moveLot(lot: ReplayedLot, flow: NumberedFlow, move: LotMove): void {
  const { event, debit, credit, gains, loses } = flow;
  const { amount } = move;
  if (gains && !loses) lot.remaining += amount;
  if (loses && !gains) lot.remaining -= amount;
  if (credit === CUSTOMER_HELD) lot.held += amount;
  if (debit === CUSTOMER_HELD) lot.held -= amount;
  if (credit === ACCRUED) lot.accrued += amount;
  if (debit === ACCRUED) lot.accrued -= amount;
  switch (event) {
    case "FUNDED":
      fund(lot, debit, move);
      break;
    case "ADJUSTED":
      if (gains) fund(lot, debit, move);
      else if (credit === RECEIVABLE_OPEN) lot.adjustedUnpaid += amount;
      break;
    case "FORFEITED":
      // What an adjustment had taken, or else a paid grant that was never available (L5).
      if (lot.adjustedUnpaid > 0n) lot.adjustedUnpaid -= amount;
      else lot.forfeited += amount;
      break;
    case "PAYMENT_AUTHORIZED":
      lot.authorizations += 1;
      lot.paymentAt = copyOf(move.bookedAt);
      break;
    case "AUTHORIZATION_REVERSED":
      lot.authorizations -= 1;
      break;
    case "PAYMENT_SETTLED":
      lot.authorizations -= 1;
      lot.settlements += 1;
      lot.paymentAt = copyOf(move.bookedAt);
      break;
    case "EXPIRED":
    case "VOIDED":
      if (!move.forCharge) end(lot, event, move);
      break;
  }
}

function fund(lot: ReplayedLot, from: number, { amount, sequence, ...move }: LotMove): void {
  assert(amount > 0n, "the database keeps no transfer of nothing");
  lot.funded += amount;
  lot.fundings += 1;
  lot.firstSequence ??= BigInt(sequence);
  lot.fundedFrom = from;
  lot.fundedAt ??= copyOf(move.bookedAt);
  if (lot.settlements > 0) lot.paidWhenFunded = "settlement";
  else if (lot.authorizations > 0) lot.paidWhenFunded = "authorization";
  lot.fundedByPayment = !move.fellDue && lot.paymentAt === move.bookedAt;
}

function end(lot: ReplayedLot, event: "EXPIRED" | "VOIDED", move: LotMove): void {
  lot.ending = event;
  lot.endedAt = copyOf(move.bookedAt);
  lot.bookedBeforeEnd = copyOf(move.bookedBefore);
}
