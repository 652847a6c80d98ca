/**
 * Owns what must hold of a customer's books after every command: the caches equal the replay of the
 * transfers (L6), and the rows of grants, charges and invoices agree with them.
 */
import { type Charge, correctedAmount } from "../../src/book/nouns.ts";
import {
  ACCOUNTS,
  type Account,
  EITHER_SIGN,
  isLegalFlow,
  isMovement,
} from "../../src/ledger/chart.ts";
import { compareDue, nextDueOfLot } from "../../src/ledger/due.ts";
import type { GrantId } from "../../src/ledger/ids.ts";
import type { Lot } from "../../src/ledger/lot.ts";
import { signedAmount, type Transfer } from "../../src/ledger/transfer.ts";
import { AMOUNT_LIMIT, type Amount } from "../../src/money/amount.ts";
import type { Instant } from "../../src/money/time.ts";
import type { Kept } from "./book-keeper.ts";
import { checkInvoices } from "./check-invoices.ts";
import { dueOfCharge } from "./load-book.ts";
import { same } from "./same.ts";

export type Accounts = Record<Account, Amount>;

const NAMES = Object.keys(ACCOUNTS) as Account[];

/** What stands in every account, each on its own side, by summing the transfers. */
export function accountsOf(transfers: readonly Transfer[]): Accounts {
  const sums = Object.fromEntries(NAMES.map((account) => [account, 0n])) as Accounts;
  for (const { debitAccount: debit, creditAccount: credit, amount } of transfers) {
    sums[debit] += ACCOUNTS[debit] === "debit" ? amount : -amount;
    sums[credit] += ACCOUNTS[credit] === "credit" ? amount : -amount;
  }
  return sums;
}

export function checkBooks(kept: Kept, now: Instant): void {
  checkJournal(kept.transfers);
  checkRunningBalances(kept);
  checkCurrencies(kept);
  for (const lot of kept.lots.values()) checkLot(lot, kept, now);
  for (const charge of kept.charges.values()) checkCharge(charge, kept.transfers, now);
  checkInvoices(kept);
  checkNextDue(kept);
}

/** L1, L3, L5: gap-free, never back in time, positive, legal. */
function checkJournal(transfers: readonly Transfer[]): void {
  let last: Transfer | undefined;
  for (const transfer of transfers) {
    const { event, debitAccount, creditAccount, sequence, bookedAt, createdAt } = transfer;
    const name = `transfer ${sequence}`;
    same(sequence, (last?.sequence ?? 0n) + 1n, "the sequence has no gap");
    same(transfer.amount > 0n, true, `${name} has a positive amount`);
    same(isLegalFlow(event, debitAccount, creditAccount), true, `${name} is legal`);
    same(bookedAt <= createdAt, true, `${name} is not booked in the future`);
    if (last !== undefined) {
      same(last.bookedAt <= bookedAt, true, `${name} does not go back in time`);
    }
    last = transfer;
  }
}

interface Running {
  credit: Amount;
  held: Amount;
}

/** L6: every row carries the balances after it, of the customer and of the grant. */
function checkRunningBalances({ transfers }: Kept): void {
  const running = new Map<string, Running>();
  const move = (key: string, transfer: Transfer): Running => {
    const sums = running.get(key) ?? { credit: 0n, held: 0n };
    running.set(key, sums);
    const { debitAccount: debit, creditAccount: credit, amount } = transfer;
    if (credit === "customer_credit") sums.credit += amount;
    if (debit === "customer_credit") sums.credit -= amount;
    if (credit === "customer_held") sums.held += amount;
    if (debit === "customer_held") sums.held -= amount;
    return sums;
  };
  for (const transfer of transfers) {
    const customer = move(transfer.currency, transfer);
    const grant = move(transfer.grantId, transfer);
    const name = `after transfer ${transfer.sequence}`;
    same(transfer.settledAfter, customer.credit + customer.held, `settled ${name}`);
    same(transfer.pendingAfter, customer.credit, `pending ${name}`);
    same(transfer.grantRemainingAfter, grant.credit + grant.held, `remaining ${name}`);
    same(transfer.grantHeldAfter, grant.held, `held ${name}`);
  }
}

/** L5, L6, M1: per currency, the kept balances, and no account below zero that may not be. */
function checkCurrencies({ transfers, balances, lots }: Kept): void {
  const used = new Set(transfers.map(({ currency }) => currency));
  for (const code of used) same(balances.has(code), true, `${code} has a balance`);
  for (const balance of balances.values()) {
    const { currency } = balance;
    const accounts = accountsOf(transfers.filter((transfer) => transfer.currency === currency));
    const issuedLots = [...lots.values()].filter((lot) => lot.currency === currency);
    const issued = issuedLots.reduce((sum, lot) => sum + lot.amount, 0n);
    const replayed = { currency, credit: accounts.customer_credit, held: accounts.customer_held };
    same(balance, { ...replayed, issued }, `the balance of ${currency}`);
    same(issued > 0n && issued < AMOUNT_LIMIT, true, `what was issued of ${currency}`);
    for (const name of NAMES) {
      if (EITHER_SIGN.has(name)) continue;
      same(accounts[name] >= 0n, true, `${name} of ${currency} is not below zero`);
    }
  }
}

function checkLot(lot: Lot, kept: Kept, now: Instant): void {
  const transfers = kept.transfers.filter(({ grantId }) => grantId === lot.id);
  const accounts = accountsOf(transfers);
  const name = `grant ${lot.id} (${lot.status})`;
  const remaining = accounts.customer_credit + accounts.customer_held;
  same(lot.remaining, remaining, `${name} remaining`);
  same(lot.held, accounts.customer_held, `${name} held`);
  same(lot.accrued, accounts.accrued, `${name} accrued`);
  for (const transfer of transfers)
    same(transfer.currency, lot.currency, `${name} keeps to its currency`);

  const movements = transfers.filter(({ event }) => isMovement(event));
  same(lot.firstSequence, movements[0]?.sequence ?? null, `${name} first movement`);
  const given = movements.filter(({ event, debitAccount }) => isGift(event, debitAccount));
  const available = lot.firstSequence !== null;
  same(given.map(signedAmount), available ? [lot.amount] : [], `${name} is funded once`);
  if (available) same(lot.effectiveAt === given[0]?.bookedAt, true, `${name} effective`);
  checkLotStatus(lot, name, now);
  checkLotPayment(lot, accounts, name);
}

function isGift(event: string, debit: Account): boolean {
  return event === "FUNDED" || (event === "ADJUSTED" && debit === "promotion");
}

function checkLotStatus(lot: Lot, name: string, now: Instant): void {
  const { status } = lot;
  same(status === "VOIDED", lot.voidedAt !== null, `${name} voided_at`);
  if (status === "PENDING") same(lot.firstSequence, null, `${name} was not funded`);
  if (status === "ACTIVE") {
    same(lot.remaining > 0n, true, `${name} has credit`);
    same(lot.expiresAt === null || lot.expiresAt > now, true, `${name} is valid`);
  }
  if (status === "EXHAUSTED") same(lot.remaining, 0n, `${name} has nothing`);
  if (status === "EXPIRED" || status === "VOIDED") {
    same(lot.remaining, lot.held, `${name} keeps what is held only`);
  }
}

/** L5: what the payment facts of a grant leave in its accounts. */
function checkLotPayment(lot: Lot, accounts: Accounts, name: string): void {
  const { receivable_open, receivable_authorized, settlement, promotion } = accounts;
  const payment = { receivable_authorized, settlement };
  const status = lot.settlementStatus;
  const authorized = status === "AUTHORIZED" ? lot.amount : 0n;
  const settled = status === "SETTLED" ? lot.amount : 0n;
  const claim = `${name} payment ${status}`;
  same(payment, { receivable_authorized: authorized, settlement: settled }, claim);
  if (status === null) {
    same(receivable_open, 0n, `${name} is owed nothing`);
    same(lot.accrued, 0n, `${name} accrues nothing`);
    return;
  }
  same(promotion, 0n, `${name} is no promotion`);
  if (status !== "SETTLED") {
    same(accounts.earnings, 0n, `${name} earned nothing unpaid`);
    return;
  }
  const ahead = lot.status === "PENDING" ? -lot.amount : 0n;
  same(receivable_open, ahead, `${name} is paid for`);
  same(lot.accrued, 0n, `${name} accrued is recognized`);
}

/** Charges are their allocations and what was invoiced (D3, D5, D7). */
function checkCharge(charge: Charge, journal: readonly Transfer[], now: Instant): void {
  const transfers = journal.filter(({ chargeId }) => chargeId === charge.id);
  const name = `charge ${charge.id} (${charge.status})`;
  const { allocations, amount, invoicedAmount } = charge;
  const allocated = allocations.reduce((sum, allocation) => sum + allocation.amount, 0n);
  const grants = allocations.map(({ grantId }) => grantId);
  same(new Set(grants).size, grants.length, `${name} draws each grant once`);
  const sumOf = (grantId: GrantId, events: Record<string, bigint>) =>
    transfers
      .filter((transfer) => transfer.grantId === grantId)
      .reduce((sum, { event, amount: part }) => sum + (events[event] ?? 0n) * part, 0n);

  const consumed = transfers.filter(({ event }) => event === "CONSUMED");
  if (charge.status !== "SETTLED") same(consumed, [], `${name} consumed nothing`);
  const heldBy = (transfer: Transfer) =>
    (transfer.creditAccount === "customer_held" ? transfer.amount : 0n) -
    (transfer.debitAccount === "customer_held" ? transfer.amount : 0n);
  const held = transfers.reduce((sum, transfer) => sum + heldBy(transfer), 0n);
  same(held, charge.status === "OPEN" ? allocated : 0n, `${name} held`);
  switch (charge.status) {
    case "OPEN":
      same(allocated <= amount, true, `${name} holds no more than the estimate`);
      same(amount, charge.estimatedAmount, `${name} amount`);
      same(charge.holdExpiresAt !== null && charge.holdExpiresAt > now, true, `${name} is open`);
      for (const { grantId, amount: part } of allocations) {
        same(sumOf(grantId, { HELD: 1n, RELEASED: -1n }), part, `${name} holds`);
      }
      return;
    case "CANCELED":
      same(allocations, [], `${name} holds nothing`);
      same(charge.canceledAt !== null, true, `${name} canceled_at`);
      return;
    case "SETTLED":
      same(allocated + invoicedAmount, amount, `${name} = credits + invoiced`);
      same(charge.settledAt !== null, true, `${name} settled_at`);
      same(correctedAmount(charge) <= amount, true, `${name} corrections`);
      same(
        consumed.map(({ grantId }) => grantId),
        grants,
        `${name} consumed in order`,
      );
      for (const { grantId, amount: part, returned } of allocations) {
        same(sumOf(grantId, { CONSUMED: 1n }), part, `${name} consumed`);
        same(sumOf(grantId, { CORRECTED: 1n }), returned, `${name} returned`);
      }
      for (const [index, { sequence }] of consumed.entries()) {
        const first = charge.firstConsumedSequence ?? 0n;
        same(sequence, first + BigInt(index), `${name} consumed without a gap`);
      }
  }
}

/** M6: the next due moment is never kept too late. */
function checkNextDue({ lots, charges, nextDueAt }: Kept): void {
  const ofLots = [...lots.values()].map(nextDueOfLot);
  const ofCharges = [...charges.values()].map(dueOfCharge);
  const first = [...ofLots, ...ofCharges].filter((due) => due !== null).sort(compareDue)[0];
  if (first === undefined) return;
  same(nextDueAt !== null && nextDueAt <= first.at, true, "next due is not too late");
}
