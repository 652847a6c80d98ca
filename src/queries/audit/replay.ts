/**
 * Owns the replay of one customer's journal: it adds up the transfers anew and compares every row
 * with what it should carry (L3, L5, L6). Pure, and lean: a replay may see ten million rows.
 */
import type { ChargeId, GrantId } from "../../ledger/ids.ts";
import { type Amount, formatAmount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import type { Check, Findings, Subject } from "./finding.ts";
import {
  ACCOUNT_NAMES,
  CUSTOMER_CREDIT,
  CUSTOMER_HELD,
  findFlow,
  IS_DEBIT_ACCOUNT,
  MAY_BE_NEGATIVE,
  type NumberedFlow,
} from "./flows.ts";
import { copyOf, type JournalRow } from "./journal-text.ts";
import { accountCalledFor, emptyLot, moveLot, type ReplayedLot } from "./replayed-lot.ts";

/** A customer's accounts in one currency, by number. */
export interface ReplayedCurrency {
  readonly currency: CurrencyCode;
  readonly accounts: Amount[];
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
  /** Whether all that ever happened is that credit became available and was consumed. */
  onlyConsumed = true;
  readonly #findings: Findings;
  /** A figure that stays wrong from row to row is one finding: the chain check and its subject. */
  readonly #broken = new Set<string>();
  #current: ReplayedCurrency | undefined;
  /** Charge and grant of the transfer before, if it gave credit back that may end at once (D6). */
  #returned = "";

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
    const bookedBefore = this.lastBookedAt;
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
      this.#checkRow(row, flow, lot);
      this.#move(accounts, flow, amount, { currency, sequence });
      const forCharge = chargeId !== null;
      const fellDue = row.createdAfter > 0;
      moveLot(lot, flow, { amount, sequence, bookedAt, bookedBefore, fellDue, forCharge });
      if (chargeId !== null) this.#moveHold(flow, chargeId, grantId, { amount, sequence });
      if (flow.event === "CONSUMED") this.consumedDigest += digest;
      else {
        this.onlyConsumed &&= flow.event === "FUNDED";
        if (flow.event === "CORRECTED") this.returnedDigest += digest * amount;
      }
    }
    this.#checkChains(row, accounts, lot);
  }

  /** What a row says that its event, its lot and the row before it determine (L3, L5, D6). */
  #checkRow(row: JournalRow, flow: NumberedFlow, lot: ReplayedLot): void {
    const { sequence, grantId, chargeId, createdAfter, amount } = row;
    const { event, namesCharge } = flow;
    const mayFallDue = flow.mayFallDue && (event !== "VOIDED" || chargeId !== null);
    if (createdAfter !== 0 && !(createdAfter > 0 && mayFallDue)) {
      const found = createdAfter > 0 ? "created later" : "created before";
      this.#report("created_at", "created as it is booked", found, { grantId }, sequence);
    }
    const asked = accountCalledFor(lot, flow);
    if (asked >= 0 && asked !== (flow.gains && !flow.loses ? flow.debit : flow.credit)) {
      const expected = `${ACCOUNT_NAMES[asked]}`;
      this.#report("transfer_account", expected, row.flow, { grantId }, sequence);
    }
    if (!this.#namesItsCharge(row, flow, lot)) {
      const expected = namesCharge === "never" ? "no charge" : "the charge that it is for";
      this.#report("transfer_charge", expected, chargeId ?? "none", { grantId }, sequence);
    }
    this.#returned = flow.givesBack ? `${chargeId} ${grantId}` : "";
    if (!flow.isPayment) return;
    lot.payment ??= amount;
    if (lot.payment === amount) return;
    const expected = formatAmount(lot.payment);
    this.#report("payment_amount", expected, formatAmount(amount), { grantId }, sequence);
  }

  #namesItsCharge(
    { chargeId, grantId }: JournalRow,
    { namesCharge }: NumberedFlow,
    lot: ReplayedLot,
  ): boolean {
    if (namesCharge !== "after_return") return (namesCharge === "always") === (chargeId !== null);
    if (chargeId === null) return lot.endedAt === null;
    return this.#returned === `${chargeId} ${grantId}`;
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
