/**
 * Owns the replay of one customer's journal: it adds up the transfers anew and compares every row
 * with what it should carry (L3, L5, L6). Pure, and lean: a replay may see ten million rows.
 */
import { assert } from "../../errors.ts";
import type { ChargeId, GrantId } from "../../ledger/ids.ts";
import { type Amount, formatAmount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import type { Check, Findings, Subject } from "./finding.ts";
import {
  ACCOUNT_NAMES,
  ACCRUED,
  CUSTOMER_CREDIT,
  CUSTOMER_HELD,
  findFlow,
  IS_DEBIT_ACCOUNT,
  MAY_BE_NEGATIVE,
  type NumberedFlow,
  RECEIVABLE_OPEN,
} from "./flows.ts";
import { copyOf, type JournalRow } from "./journal-text.ts";

/** A customer's accounts in one currency, by number. */
export interface ReplayedCurrency {
  readonly currency: CurrencyCode;
  readonly accounts: Amount[];
}

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
  /** Authorizations less those booked back or settled. */
  authorizations: number;
  settlements: number;
}

type ChainCheck = "settled_after" | "pending_after" | "grant_remaining_after" | "grant_held_after";

export class CustomerReplay {
  readonly currencies = new Map<CurrencyCode, ReplayedCurrency>();
  readonly lots = new Map<GrantId, ReplayedLot>();
  /** What is held, by charge and grant; what is nothing any more is not kept. */
  readonly holds = new Map<ChargeId, Map<GrantId, Amount>>();
  consumedDigest = 0n;
  returnedDigest = 0n;
  sequence = 0;
  transfers = 0;
  lastBookedAt = "";
  readonly #findings: Findings;
  /** A figure that stays wrong from row to row is one finding: the chain check and its subject. */
  readonly #broken = new Set<string>();
  #current: ReplayedCurrency | undefined;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  apply(row: JournalRow): void {
    const { sequence, grantId, chargeId, currency, amount, bookedAt, digest } = row;
    if (sequence !== this.sequence + 1) {
      this.#report("sequence_gap", String(this.sequence + 1), String(sequence), {}, sequence);
    }
    this.sequence = sequence;
    this.transfers += 1;
    if (bookedAt < this.lastBookedAt) {
      this.#report("booked_at_order", `from ${this.lastBookedAt}`, bookedAt, {}, sequence);
    }
    this.lastBookedAt = bookedAt;
    const accounts = this.#accountsOf(currency);
    const lot = this.#lotOf(grantId, currency);
    if (lot.currency !== currency) {
      this.#report("grant_currency", lot.currency, currency, { grantId }, sequence);
    }
    const flow = findFlow(row.flow);
    if (flow === undefined) {
      this.#report("illegal_flow", "a legal flow", row.flow, { grantId }, sequence);
    } else {
      this.#move(accounts, flow, amount, { currency, sequence });
      this.#moveLot(lot, flow, amount, sequence);
      if (chargeId !== null) this.#moveHold(flow, chargeId, grantId, { amount, sequence });
      if (flow.event === "CONSUMED") this.consumedDigest += digest;
      if (flow.event === "CORRECTED") this.returnedDigest += digest * amount;
    }
    this.#checkChains(row, accounts, lot);
  }

  #move(
    accounts: Amount[],
    { debit, credit }: NumberedFlow,
    amount: Amount,
    at: { readonly currency: CurrencyCode; readonly sequence: number },
  ): void {
    const debited = (accounts[debit] ?? 0n) + (IS_DEBIT_ACCOUNT[debit] ? amount : -amount);
    const credited = (accounts[credit] ?? 0n) + (IS_DEBIT_ACCOUNT[credit] ? -amount : amount);
    accounts[debit] = debited;
    accounts[credit] = credited;
    if (debited < 0n && !MAY_BE_NEGATIVE[debit]) this.#reportSign(debit, debited, at);
    if (credited < 0n && !MAY_BE_NEGATIVE[credit]) this.#reportSign(credit, credited, at);
  }

  #reportSign(
    account: number,
    balance: Amount,
    { currency, sequence }: { readonly currency: CurrencyCode; readonly sequence: number },
  ): void {
    const found = `${ACCOUNT_NAMES[account]} at ${formatAmount(balance)}`;
    this.#report("account_sign", "zero or more", found, { currency }, sequence);
  }

  #moveLot(lot: ReplayedLot, flow: NumberedFlow, amount: Amount, sequence: number): void {
    const { event, debit, credit } = flow;
    const gains = credit <= CUSTOMER_HELD;
    const loses = debit <= CUSTOMER_HELD;
    if (gains && !loses) lot.remaining += amount;
    if (loses && !gains) lot.remaining -= amount;
    if (credit === CUSTOMER_HELD) lot.held += amount;
    if (debit === CUSTOMER_HELD) lot.held -= amount;
    if (credit === ACCRUED) lot.accrued += amount;
    if (debit === ACCRUED) lot.accrued -= amount;
    switch (event) {
      case "FUNDED":
        fund(lot, amount, sequence);
        break;
      case "ADJUSTED":
        if (gains) fund(lot, amount, sequence);
        else if (credit === RECEIVABLE_OPEN) lot.adjustedUnpaid += amount;
        break;
      case "FORFEITED":
        // What an adjustment had taken, or else a paid grant that was never available (L5).
        if (lot.adjustedUnpaid > 0n) lot.adjustedUnpaid -= amount;
        break;
      case "PAYMENT_AUTHORIZED":
        lot.authorizations += 1;
        break;
      case "AUTHORIZATION_REVERSED":
        lot.authorizations -= 1;
        break;
      case "PAYMENT_SETTLED":
        lot.authorizations -= 1;
        lot.settlements += 1;
        break;
    }
  }

  #moveHold(
    { debit, credit }: NumberedFlow,
    chargeId: ChargeId,
    grantId: GrantId,
    { amount, sequence }: { readonly amount: Amount; readonly sequence: number },
  ): void {
    if (debit !== CUSTOMER_HELD && credit !== CUSTOMER_HELD) return;
    let holds = this.holds.get(chargeId);
    if (holds === undefined) {
      holds = new Map();
      this.holds.set(copyOf(chargeId), holds);
    }
    const held = (holds.get(grantId) ?? 0n) + (credit === CUSTOMER_HELD ? amount : -amount);
    if (held < 0n) {
      const subject = { grantId, chargeId };
      this.#report("hold_missing", "zero or more", formatAmount(held), subject, sequence);
    }
    if (held === 0n) holds.delete(grantId);
    else holds.set(copyOf(grantId), held);
    if (holds.size === 0) this.holds.delete(chargeId);
  }

  #checkChains(row: JournalRow, accounts: Amount[], lot: ReplayedLot): void {
    const pending = accounts[CUSTOMER_CREDIT] ?? 0n;
    const settled = pending + (accounts[CUSTOMER_HELD] ?? 0n);
    this.#checkChain("settled_after", settled, row.settledAfter, row);
    this.#checkChain("pending_after", pending, row.pendingAfter, row);
    this.#checkChain("grant_remaining_after", lot.remaining, row.grantRemainingAfter, row);
    this.#checkChain("grant_held_after", lot.held, row.grantHeldAfter, row);
  }

  #checkChain(check: ChainCheck, expected: Amount, found: Amount, row: JournalRow): void {
    if (expected === found && this.#broken.size === 0) return;
    const { currency, grantId, sequence } = row;
    const ofGrant = check === "grant_remaining_after" || check === "grant_held_after";
    const key = `${check} ${ofGrant ? grantId : currency}`;
    if (expected === found) {
      this.#broken.delete(key);
      return;
    }
    if (this.#broken.has(key)) return;
    this.#broken.add(key);
    const subject = ofGrant ? { grantId } : { currency };
    this.#report(check, formatAmount(expected), formatAmount(found), subject, sequence);
  }

  #accountsOf(currency: CurrencyCode): Amount[] {
    if (this.#current?.currency === currency) return this.#current.accounts;
    let found = this.currencies.get(currency);
    if (found === undefined) {
      found = { currency: copyOf(currency), accounts: ACCOUNT_NAMES.map(() => 0n) };
      this.currencies.set(found.currency, found);
    }
    this.#current = found;
    return found.accounts;
  }

  #lotOf(grantId: GrantId, currency: CurrencyCode): ReplayedLot {
    let lot = this.lots.get(grantId);
    if (lot === undefined) {
      lot = emptyLot(currency);
      this.lots.set(copyOf(grantId), lot);
    }
    return lot;
  }

  #report(check: Check, expected: string, found: string, subject: Subject, sequence: number): void {
    this.#findings.add(check, expected, found, { ...subject, sequence: BigInt(sequence) });
  }
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
    authorizations: 0,
    settlements: 0,
  };
}

function fund(lot: ReplayedLot, amount: Amount, sequence: number): void {
  assert(amount > 0n, "the database keeps no transfer of nothing");
  lot.funded += amount;
  lot.fundings += 1;
  lot.firstSequence ??= BigInt(sequence);
}
