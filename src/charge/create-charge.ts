/** Owns the creation of a charge: it settles at once or holds credit first (D3, D4). */
import type { Book } from "../book/book.ts";
import { checkDraftRoom } from "../book/guards.ts";
import type { Allocation, Capture, Charge, Metadata } from "../book/nouns.ts";
import { refuse } from "../errors.ts";
import { addDraftLine } from "../invoice/draft.ts";
import type { DrawPlan } from "../ledger/draw-order.ts";
import type { ChargeId } from "../ledger/ids.ts";
import { consumeFromLot, holdFromLot } from "../ledger/postings.ts";
import { type Instant, instant, MICROSECONDS_PER_SECOND } from "../money/time.ts";
import {
  type ChargeBasis,
  checkPlan,
  planCharge,
  type RatedCharge,
  rateCharge,
} from "./plan-charge.ts";

const DAY_MICROSECONDS = 86_400n * MICROSECONDS_PER_SECOND;
/** How long an open charge holds its credit unless the caller says otherwise (D4). */
export const HOLD_DEFAULT_MICROSECONDS = 7n * DAY_MICROSECONDS;
export const HOLD_MAX_MICROSECONDS = 31n * DAY_MICROSECONDS;

export interface CreateCharge {
  readonly basis: ChargeBasis;
  readonly capture: Capture;
  /** Null: 7 days after creation. Only with manual capture. */
  readonly holdExpiresAt: Instant | null;
  readonly description: string;
  readonly metadata: Metadata;
}

export function createCharge(book: Book, command: CreateCharge): Charge {
  const rated = rateCharge(book, command.basis);
  checkHold(book, command);
  const plan = planCharge(book, rated);
  checkPlan(plan, rated);
  checkRest(book, command, rated, plan);

  const charge = newCharge(book, command, rated);
  book.addCharge(charge);
  if (command.capture === "MANUAL") holdAll(book, charge, plan);
  else consumeAll(book, charge, plan);
  return charge;
}

export function checkHold(book: Book, { holdExpiresAt }: CreateCharge): void {
  if (holdExpiresAt === null) return;
  const field = "hold_expires_at";
  if (holdExpiresAt <= book.now) {
    throw refuse("TIME_NOT_IN_FUTURE", `${field} must lie after now`, {}, field);
  }
  if (holdExpiresAt <= book.now + HOLD_MAX_MICROSECONDS) return;
  throw refuse("INVALID_REQUEST", `${field} may lie at most 31 days ahead`, {}, field);
}

/** Refuses what would be invoiced now and the draft cannot take. A hold invoices nothing yet. */
export function checkRest(
  book: Book,
  { basis, capture }: CreateCharge,
  { amount, currency }: RatedCharge,
  plan: DrawPlan,
): void {
  if (capture === "MANUAL") return;
  const field = basis.by === "amount" ? "amount" : "quantity";
  checkDraftRoom(book, currency.code, amount - plan.covered, field);
}

function newCharge(book: Book, command: CreateCharge, rated: RatedCharge): Charge {
  const manual = command.capture === "MANUAL";
  const holdUntil = command.holdExpiresAt ?? instant(book.now + HOLD_DEFAULT_MICROSECONDS);
  const { id, number } = book.nextIdentity<ChargeId>();
  return {
    id,
    number,
    currency: rated.currency.code,
    featureKey: rated.featureKey,
    settlementMode: rated.settlementMode,
    capture: command.capture,
    rateCardKey: rated.rateCard?.key ?? null,
    rateCardVersion: rated.rateCard?.version ?? null,
    estimatedAmount: rated.amount,
    holdExpiresAt: manual ? holdUntil : null,
    createdAt: book.now,
    description: command.description,
    metadata: command.metadata,
    status: manual ? "OPEN" : "SETTLED",
    amount: rated.amount,
    quantity: rated.quantity,
    allocations: [],
    invoicedAmount: 0n,
    correctedInvoiced: 0n,
    invoiceId: null,
    invoiceLineId: null,
    firstConsumedSequence: null,
    settledAt: manual ? null : book.now,
    canceledAt: null,
  };
}

function holdAll(book: Book, charge: Charge, plan: DrawPlan): void {
  for (const { lot, amount } of plan.draws) holdFromLot(book.journal, lot, amount, charge.id);
  charge.allocations = allocate(plan);
  book.expectDue(charge.holdExpiresAt);
}

function consumeAll(book: Book, charge: Charge, plan: DrawPlan): void {
  for (const { lot, amount } of plan.draws) {
    const from = "customer_credit";
    const { sequence } = consumeFromLot(book.journal, lot, amount, from, charge.id);
    charge.firstConsumedSequence ??= sequence;
  }
  charge.allocations = allocate(plan);
  invoiceRest(book, charge, charge.amount - plan.covered);
}

function allocate(plan: DrawPlan): readonly Allocation[] {
  return plan.draws.map(({ lot, amount }) => ({ grantId: lot.id, amount, returned: 0n }));
}

/** Puts what credit did not cover on the draft invoice (I3). */
export function invoiceRest(book: Book, charge: Charge, rest: bigint): void {
  if (rest === 0n) return;
  const line = addDraftLine(book, charge, rest);
  charge.invoicedAmount = rest;
  charge.invoiceId = line.invoiceId;
  charge.invoiceLineId = line.id;
}
