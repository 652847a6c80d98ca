/**
 * Owns posting: the one place that makes a transfer. It takes the next sequence, moves the cached
 * balances of the customer and of the lot with it, and remembers the row to write (L1, L3, L6).
 */
import { assert } from "../errors.ts";
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import { bookingMoment, type Instant, laterOf } from "../money/time.ts";
import { type Account, isLegalFlow, settledSign, type TransferEvent } from "./chart.ts";
import type { ChargeId } from "./ids.ts";
import type { Lot } from "./lot.ts";
import type { Transfer } from "./transfer.ts";

/** A customer's cached balances in one currency. */
export interface Balance {
  readonly currency: CurrencyCode;
  /** customer_credit: what can be spent; the pending balance (B1). */
  credit: Amount;
  /** customer_held: what open charges keep. */
  held: Amount;
  /** The sum of all credit ever issued, pending grants included (M1). */
  issued: Amount;
}

export interface Posting {
  readonly event: TransferEvent;
  readonly debit: Account;
  readonly credit: Account;
  readonly amount: Amount;
  readonly lot: Lot;
  readonly chargeId: ChargeId | null;
}

export class Journal {
  /** The moment of this booking: the later of the database's clock and `lastBookedAt`. */
  readonly now: Instant;
  readonly balances: Map<CurrencyCode, Balance>;
  readonly posted: Transfer[] = [];
  /** The lots whose row must be written again. */
  readonly touched = new Set<Lot>();
  /** The balances whose row must be written again. */
  readonly touchedBalances = new Set<Balance>();
  /** The balances that have no row yet. */
  readonly newBalances = new Set<Balance>();
  sequence: bigint;
  /** The last moment at which anything was booked or created. */
  lastBookedAt: Instant | null;
  /** What a due event is dated: the moment it fell due. Null dates at `now`. */
  #dueAt: Instant | null = null;

  constructor(start: {
    readonly clock: Instant;
    readonly sequence: bigint;
    readonly lastBookedAt: Instant | null;
    readonly balances: Map<CurrencyCode, Balance>;
  }) {
    const { clock, lastBookedAt } = start;
    this.now = bookingMoment(clock, lastBookedAt);
    this.sequence = start.sequence;
    this.lastBookedAt = lastBookedAt;
    this.balances = start.balances;
  }

  /** The customer's balance in a currency, which begins at zero with its first use. */
  balance(currency: CurrencyCode): Balance {
    let balance = this.balances.get(currency);
    if (balance === undefined) {
      balance = { currency, credit: 0n, held: 0n, issued: 0n };
      this.balances.set(currency, balance);
      this.newBalances.add(balance);
    }
    return balance;
  }

  /** The date that a booking of this moment bears. */
  get bookingAt(): Instant {
    if (this.#dueAt === null) return this.now;
    return this.lastBookedAt === null ? this.#dueAt : laterOf(this.#dueAt, this.lastBookedAt);
  }

  /**
   * The date of what is created now. Nothing is created or booked before it from then on, even if
   * the clock goes back, so that ids, which begin with it, stand in creation order (L3, H4).
   */
  creationDate(): Instant {
    this.lastBookedAt = this.bookingAt;
    return this.lastBookedAt;
  }

  /** Marks a lot that changed without a transfer. */
  touch(lot: Lot): void {
    this.touched.add(lot);
  }

  /** Runs the booking of one due event, dated at the moment it fell due (L3). */
  dated(dueAt: Instant, book: () => void): void {
    assert(dueAt <= this.now, "a due event lies at or before now");
    this.#dueAt = dueAt;
    try {
      book();
    } finally {
      this.#dueAt = null;
    }
  }

  post({ event, debit, credit, amount, lot, chargeId }: Posting): Transfer {
    assert(amount > 0n, `a ${event} transfer has a positive amount`);
    assert(isLegalFlow(event, debit, credit), `${event} may move ${debit} to ${credit}`);
    const balance = this.balance(lot.currency);

    if (debit === "customer_credit") balance.credit -= amount;
    if (debit === "customer_held") balance.held -= amount;
    if (credit === "customer_credit") balance.credit += amount;
    if (credit === "customer_held") balance.held += amount;
    lot.remaining += settledSign({ debit, credit }) * amount;
    if (debit === "customer_held") lot.held -= amount;
    if (credit === "customer_held") lot.held += amount;
    if (debit === "accrued") lot.accrued -= amount;
    if (credit === "accrued") lot.accrued += amount;
    assert(balance.credit >= 0n && balance.held >= 0n, "no customer account goes below zero");
    assert(lot.held >= 0n && lot.remaining >= lot.held, "a lot holds no more than it has");
    assert(lot.accrued >= 0n, "accrued does not go below zero");

    this.sequence += 1n;
    const bookedAt = this.bookingAt;
    this.lastBookedAt = bookedAt;
    const transfer: Transfer = {
      sequence: this.sequence,
      event,
      debitAccount: debit,
      creditAccount: credit,
      amount,
      currency: lot.currency,
      grantId: lot.id,
      chargeId,
      bookedAt,
      createdAt: this.now,
      settledAfter: balance.credit + balance.held,
      pendingAfter: balance.credit,
      grantRemainingAfter: lot.remaining,
      grantHeldAfter: lot.held,
    };
    this.posted.push(transfer);
    this.touched.add(lot);
    this.touchedBalances.add(balance);
    return transfer;
  }
}
