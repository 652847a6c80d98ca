/** Owns what the model keeps of a customer: an array of transfers, of which all else is sums. */
import type { Charge } from "../../gen/drawdown/v1/charge_pb.ts";
import type { CreditGrant } from "../../gen/drawdown/v1/credit_grant_pb.ts";
import type { Customer } from "../../gen/drawdown/v1/customer_pb.ts";
import type { Invoice } from "../../gen/drawdown/v1/invoice_pb.ts";
import { type Transfer, TransferSchema } from "../../gen/drawdown/v1/transfer_pb.ts";
import { addDuration, LIMIT, least, most } from "./figures.ts";
import { make, type Plain } from "./plain.ts";

export type Grant = Plain<CreditGrant>;
/** What people read beside a movement. */
export type Words = Pick<Grant, "description" | "metadata">;

/** Resources in the order of their creation. */
export interface Book {
  readonly customer: Plain<Customer>;
  readonly transfers: Plain<Transfer>[];
  /** The words of adjustments and corrections, by sequence. */
  readonly words: Map<bigint, Words>;
  readonly grants: Grant[];
  readonly charges: Plain<Charge>[];
  readonly invoices: Plain<Invoice>[];
  /** When something was booked or created last: no later moment lies before it. */
  last: bigint;
  /** The moment of the command, and the one that its transfers are dated. */
  now: bigint;
  at: bigint;
}

/** What an account was credited less what it was debited. */
export function balance(transfers: readonly Plain<Transfer>[], account: string): bigint {
  const side = ({ creditAccount, debitAccount }: Plain<Transfer>) =>
    BigInt(creditAccount === account) - BigInt(debitAccount === account);
  return transfers.reduce((sum, transfer) => sum + side(transfer) * transfer.amount, 0n);
}

export const ofGrant = ({ transfers }: Book, { id }: Grant) =>
  transfers.filter(({ creditGrantId }) => creditGrantId === id);
export const freeOf = (book: Book, grant: Grant) => balance(ofGrant(book, grant), CREDIT);
export const settledOf = (transfers: readonly Plain<Transfer>[]) =>
  balance(transfers, CREDIT) + balance(transfers, HELD);
const [CREDIT, HELD] = ["CUSTOMER_CREDIT", "CUSTOMER_HELD"];

/** Writes a transfer: its event, and the accounts that it debits and credits. Of nothing none. */
export function post(
  book: Book,
  grant: Grant,
  amount: bigint,
  flow: `${string} ${string} ${string}`,
  { chargeId = "", words }: { readonly chargeId?: string; readonly words?: Words } = {},
): void {
  if (amount === 0n) return;
  const { currency, id: creditGrantId } = grant;
  const [event = "", debitAccount = "", creditAccount = ""] = flow.split(" ");
  const sequence = BigInt(book.transfers.length + 1);
  const fields = { sequence, event, debitAccount, creditAccount, amount, currency, creditGrantId };
  const dates = { bookedAt: book.at, createdAt: book.now };
  const transfer = make(TransferSchema, { ...fields, ...dates, chargeId });
  book.transfers.push(transfer);
  book.last = book.at;
  if (words !== undefined) book.words.set(sequence, words);
  const all = book.transfers.filter((each) => each.currency === currency);
  const own = ofGrant(book, grant);
  transfer.settledAfter = settledOf(all);
  transfer.pendingAfter = balance(all, CREDIT);
  transfer.grantRemainingAfter = settledOf(own);
  transfer.grantHeldAfter = balance(own, HELD);
}

export const isPaid = ({ purchase }: Grant) =>
  purchase === undefined || purchase.settlementStatus === "SETTLED";
export const isBy = (time: bigint | undefined, moment: bigint) =>
  time !== undefined && time <= moment;

/** Where credit goes that is taken out of a grant without use (L5). */
export function wayOut(grant: Grant): string {
  if (grant.purchase === undefined) return "PROMOTION";
  return isPaid(grant) ? "BREAKAGE" : "RECEIVABLE_OPEN";
}

/** Gives a grant the status that fits what is left of it; credit that is over ends (D6, D7). */
export function conclude(book: Book, grant: Grant, chargeId = ""): void {
  const isLeft = settledOf(ofGrant(book, grant)) > 0n;
  if (grant.status === "ACTIVE" && !isLeft) grant.status = "EXHAUSTED";
  const revived = isBy(grant.expiresAt, book.at) ? "EXPIRED" : "ACTIVE";
  if (grant.status === "EXHAUSTED" && isLeft) grant.status = revived;
  const way = grant.status === "EXPIRED" ? "BREAKAGE" : wayOut(grant);
  if (grant.status === "EXPIRED" || grant.status === "VOIDED")
    post(book, grant, freeOf(book, grant), `${grant.status} ${CREDIT} ${way}`, { chargeId });
}

/** Makes credit available; what is over by then ends at the same moment (G2, G3). */
export function fund(book: Book, grant: Grant, words?: Words): void {
  const { expiresAfter, purchase } = grant;
  if (expiresAfter !== "") grant.expiresAt = addDuration(book.at, expiresAfter);
  grant.effectiveAt = book.at;
  const source = purchase === undefined ? "PROMOTION" : "RECEIVABLE_OPEN";
  const event = words === undefined ? "FUNDED" : "ADJUSTED";
  post(book, grant, grant.amount, `${event} ${source} ${CREDIT}`, words && { words });
  grant.status = "EXHAUSTED";
  conclude(book, grant);
}

/** The steps of a payment that make credit available (G2). */
const STEPS: { readonly [availability: string]: readonly string[] } = {
  ON_CREATION: ["PENDING", "AUTHORIZED", "SETTLED"],
  ON_AUTHORIZATION: ["AUTHORIZED", "SETTLED"],
  ON_SETTLEMENT: ["SETTLED"],
};

/** Whether nothing but its time keeps credit from being available. */
export const isReady = ({ purchase: sold }: Grant) =>
  sold === undefined || STEPS[sold.availability]?.includes(sold.settlementStatus) === true;

export function release(book: Book, grant: Grant, amount: bigint, chargeId: string): void {
  post(book, grant, amount, `RELEASED ${HELD} ${CREDIT}`, { chargeId });
  conclude(book, grant, chargeId);
}

/** Gives up an open charge; what was taken last is released first (D5). */
export function cancel(book: Book, charge: Plain<Charge>): void {
  for (const { creditGrantId, amount } of charge.allocations.toReversed())
    for (const grant of book.grants.filter(({ id }) => id === creditGrantId))
      release(book, grant, amount, charge.id);
  Object.assign(charge, { status: "CANCELED", canceledAt: book.at, allocations: [] });
}

/** What falls due next; at one moment hold timeouts, then expiries, then activations (M6). */
export function nextDue(book: Book): { readonly at: bigint; run(): void } | undefined {
  const due = (at: bigint | undefined, run: () => void) => (at === undefined ? [] : [{ at, run }]);
  const open = book.charges.filter(({ status }) => status === "OPEN");
  const active = book.grants.filter(({ status }) => status === "ACTIVE");
  const ready = book.grants.filter((grant) => grant.status === "PENDING" && isReady(grant));
  const expire = (grant: Grant) => conclude(book, Object.assign(grant, { status: "EXPIRED" }));
  return [
    ...open.flatMap((charge) => due(charge.holdExpiresAt, () => cancel(book, charge))),
    ...active.flatMap((grant) => due(grant.expiresAt, () => expire(grant))),
    ...ready.flatMap((grant) => due(grant.effectiveAt, () => fund(book, grant))),
  ].sort((left, right) => Number(left.at - right.at))[0];
}

/** Books all that falls due until a moment, in time order, and then stands there (L3, M6). */
export function advance(book: Book, clock: bigint): void {
  book.now = most(clock, book.last);
  for (let due = nextDue(book); due !== undefined && due.at <= book.now; due = nextDue(book)) {
    book.at = due.at;
    due.run();
  }
  book.at = book.now;
}

/** Free credit that may pay, in draw-down order, as far as an amount needs it (D2). */
export function draw(
  book: Book,
  currency: string,
  required: bigint,
  mayPay: (grant: Grant) => boolean,
) {
  const first = (grant: Grant) =>
    ofGrant(book, grant).find(({ creditAccount }) => creditAccount === "CUSTOMER_CREDIT");
  const place = (grant: Grant) => [
    BigInt(grant.priority),
    grant.expiresAt ?? LIMIT,
    first(grant)?.sequence ?? 0n,
  ];
  const eligible = book.grants
    .filter((grant) => grant.currency === currency && grant.status === "ACTIVE" && mayPay(grant))
    .map((grant) => ({ grant, place: place(grant) }))
    .sort((left, right) =>
      Number(left.place.map((each, at) => each - (right.place[at] ?? 0n)).find(Boolean) ?? 0n),
    );
  let short = required;
  const draws = eligible.flatMap(({ grant, place: [, , firstSequence] }) => {
    const amount = least(short, freeOf(book, grant));
    short -= amount;
    return amount === 0n ? [] : [{ grant, amount, firstSequence }];
  });
  return { draws, short, facts: { required, available: required - short, currency } };
}
