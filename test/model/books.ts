/** Owns what the model keeps of a customer: an array of transfers, of which all else is sums. */
import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type Charge, ChargeStatus } from "../../gen/drawdown/v1/charge_pb.ts";
import {
  type CreditGrant,
  CreditGrantStatus,
  SettlementStatus,
} from "../../gen/drawdown/v1/credit_grant_pb.ts";
import type { Customer } from "../../gen/drawdown/v1/customer_pb.ts";
import type { Invoice } from "../../gen/drawdown/v1/invoice_pb.ts";
import {
  Account,
  type Transfer,
  TransferEvent,
  TransferSchema,
} from "../../gen/drawdown/v1/transfer_pb.ts";
import { addDuration, decimal, momentOf, most, show, timestampOf } from "./figures.ts";

/** What people read beside a movement. */
export type Words = Pick<Charge, "description" | "metadata">;
/** An event with the accounts that it debits and credits (L5). */
type Flow = readonly [keyof typeof TransferEvent, keyof typeof Account, keyof typeof Account];

/** Resources in the order of their creation, in the contract's own shapes. */
export interface Book {
  readonly customer: Customer;
  readonly transfers: Transfer[];
  /** The words of adjustments and corrections, by sequence. */
  readonly words: Map<bigint, Words>;
  readonly grants: CreditGrant[];
  readonly charges: Charge[];
  readonly invoices: Invoice[];
  /** The moment of the command, and the one that its transfers are dated. */
  now: bigint;
  at: bigint;
}

/** What an account was credited less what it was debited. */
export function balance(transfers: readonly Transfer[], account: keyof typeof Account): bigint {
  const signs = transfers.map(({ debitAccount, creditAccount, amount }) => {
    const sign =
      Number(creditAccount === Account[account]) - Number(debitAccount === Account[account]);
    return sign === 0 ? 0n : BigInt(sign) * decimal(amount);
  });
  return signs.reduce((sum, each) => sum + each, 0n);
}

export const isOf = (grant: CreditGrant) => (each: Transfer) => each.creditGrantId === grant.id;
export const freeOf = ({ transfers }: Book, grant: CreditGrant) =>
  balance(transfers.filter(isOf(grant)), "CUSTOMER_CREDIT");
export const heldOf = ({ transfers }: Book, grant: CreditGrant) =>
  balance(transfers.filter(isOf(grant)), "CUSTOMER_HELD");
export const settledOf = (transfers: readonly Transfer[]) =>
  balance(transfers, "CUSTOMER_CREDIT") + balance(transfers, "CUSTOMER_HELD");

/** Writes a transfer; of nothing none. */
export function post(
  book: Book,
  grant: CreditGrant,
  amount: bigint,
  [event, debit, credit]: Flow,
  {
    charge,
    words,
  }: { readonly charge?: Charge | undefined; readonly words?: Words | undefined } = {},
): void {
  if (amount === 0n) return;
  const { transfers } = book;
  const transfer = create(TransferSchema, {
    sequence: BigInt(transfers.length + 1),
    event: TransferEvent[event],
    debitAccount: Account[debit],
    creditAccount: Account[credit],
    amount: show(amount),
    currency: grant.currency,
    creditGrantId: grant.id,
    chargeId: charge?.id ?? "",
    bookedAt: timestampOf(book.at),
    createdAt: timestampOf(book.now),
  });
  transfers.push(transfer);
  if (words !== undefined) book.words.set(transfer.sequence, words);
  const ofCurrency = transfers.filter(({ currency }) => currency === grant.currency);
  transfer.settledAfter = show(settledOf(ofCurrency));
  transfer.pendingAfter = show(balance(ofCurrency, "CUSTOMER_CREDIT"));
  transfer.grantRemainingAfter = show(freeOf(book, grant) + heldOf(book, grant));
  transfer.grantHeldAfter = show(heldOf(book, grant));
}

export const isPaid = ({ purchase }: CreditGrant) =>
  purchase === undefined || purchase.settlementStatus === SettlementStatus.SETTLED;

/** Where credit goes that is taken out of a grant without use (L5). */
export function wayOut(grant: CreditGrant): keyof typeof Account {
  if (grant.purchase === undefined) return "PROMOTION";
  return isPaid(grant) ? "BREAKAGE" : "RECEIVABLE_OPEN";
}

export const isBy = (time: Timestamp | undefined, moment: bigint) =>
  time !== undefined && momentOf(time) <= moment;

/** Gives a grant the status that fits what is left of it; credit that is over ends (D6, D7). */
export function conclude(book: Book, grant: CreditGrant, charge?: Charge): void {
  const { ACTIVE, EXHAUSTED, EXPIRED, VOIDED } = CreditGrantStatus;
  const isLeft = freeOf(book, grant) + heldOf(book, grant) > 0n;
  if (grant.status === ACTIVE && !isLeft) grant.status = EXHAUSTED;
  const revived = isBy(grant.expiresAt, book.at) ? EXPIRED : ACTIVE;
  if (grant.status === EXHAUSTED && isLeft) grant.status = revived;
  const over = (event: "EXPIRED" | "VOIDED", credit: keyof typeof Account) =>
    post(book, grant, freeOf(book, grant), [event, "CUSTOMER_CREDIT", credit], { charge });
  if (grant.status === EXPIRED) over("EXPIRED", "BREAKAGE");
  if (grant.status === VOIDED) over("VOIDED", wayOut(grant));
}

/** Makes credit available; what is over by then ends at the same moment (G2, G3). */
export function fund(book: Book, grant: CreditGrant, words?: Words): void {
  const { expiresAfter, purchase } = grant;
  if (expiresAfter !== "") grant.expiresAt = timestampOf(addDuration(book.at, expiresAfter));
  grant.effectiveAt = timestampOf(book.at);
  const event = words === undefined ? "FUNDED" : "ADJUSTED";
  const source = purchase === undefined ? "PROMOTION" : "RECEIVABLE_OPEN";
  post(book, grant, decimal(grant.amount), [event, source, "CUSTOMER_CREDIT"], { words });
  grant.status = CreditGrantStatus.EXHAUSTED;
  conclude(book, grant);
}

/** Whether nothing but its time keeps credit from being available (G2). */
export const isReady = ({ purchase }: CreditGrant) =>
  purchase === undefined ||
  (purchase.settlementStatus !== SettlementStatus.FAILED &&
    purchase.settlementStatus >= purchase.availability);

export function release(book: Book, charge: Charge, grantId: string, amount: bigint): void {
  const grant = book.grants.find(({ id }) => id === grantId);
  if (grant === undefined) return;
  post(book, grant, amount, ["RELEASED", "CUSTOMER_HELD", "CUSTOMER_CREDIT"], { charge });
  conclude(book, grant, charge);
}

/** Gives up an open charge; what was taken last is released first (D5). */
export function cancel(book: Book, charge: Charge): void {
  for (const { creditGrantId, amount } of charge.allocations.toReversed()) {
    release(book, charge, creditGrantId, decimal(amount));
  }
  const { CANCELED: status } = ChargeStatus;
  Object.assign(charge, { status, canceledAt: timestampOf(book.at), allocations: [] });
}

/** What falls due next; at one moment hold timeouts, then expiries, then activations (M6). */
export function nextDue(book: Book): { readonly at: bigint; run(): void } | undefined {
  const due = (time: Timestamp | undefined, run: () => void) =>
    time === undefined ? [] : [{ at: momentOf(time), run }];
  const { ACTIVE, EXPIRED, PENDING } = CreditGrantStatus;
  const open = book.charges.filter(({ status }) => status === ChargeStatus.OPEN);
  const active = book.grants.filter(({ status }) => status === ACTIVE);
  const ready = book.grants.filter((grant) => grant.status === PENDING && isReady(grant));
  const expire = (grant: CreditGrant) => {
    grant.status = EXPIRED;
    conclude(book, grant);
  };
  const events = [
    ...open.flatMap((charge) => due(charge.holdExpiresAt, () => cancel(book, charge))),
    ...active.flatMap((grant) => due(grant.expiresAt, () => expire(grant))),
    ...ready.flatMap((grant) => due(grant.effectiveAt, () => fund(book, grant))),
  ];
  return events.sort((left, right) => Number(left.at - right.at))[0];
}

/** Books all that falls due until a moment, in time order, and then stands there (L3, M6). */
export function advance(book: Book, clock: bigint): void {
  const { bookedAt } = book.transfers.at(-1) ?? {};
  book.now = bookedAt === undefined ? clock : most(clock, momentOf(bookedAt));
  for (let due = nextDue(book); due !== undefined && due.at <= book.now; due = nextDue(book)) {
    book.at = due.at;
    due.run();
  }
  book.at = book.now;
}
