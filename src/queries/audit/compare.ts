/**
 * Owns comparing what is kept on rows with what the replay of the journal adds up to (L6): heads,
 * balances, grants and open charges. Pure.
 */

import type { ChargeRow } from "../../database/entities/charge.ts";
import type { BalanceRow, CustomerHeadRow } from "../../database/entities/customer.ts";
import type { GrantId } from "../../ledger/ids.ts";
import { type Amount, formatAmount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import { earlierOf, formatInstant, type Instant, laterOf, parseInstant } from "../../money/time.ts";
import type { Check, Findings, Subject } from "./finding.ts";
import { CUSTOMER_CREDIT, CUSTOMER_HELD } from "./flows.ts";
import { type AuditedGrant, compareGrant } from "./grants.ts";
import type { CustomerReplay } from "./replay.ts";
import { emptyLot } from "./replayed-lot.ts";

export type AuditedBalance = Pick<BalanceRow, "currency" | "credit" | "held" | "issued">;

export type AuditedHead = Pick<
  CustomerHeadRow,
  "sequence" | "next_due_at" | "object_count" | "invoice_count"
> & {
  /** As text, in the spelling of the journal's rows. */
  readonly last_booked_at: string | null;
};

export type OpenCharge = Pick<
  ChargeRow,
  "charge_id" | "currency" | "hold_expires_at" | "draw_credit_grant_ids" | "draw_amounts"
>;

/** Compares the rows of one customer; what the head must agree with is gathered on the way. */
export class Comparison {
  readonly #replay: CustomerReplay;
  readonly #findings: Findings;
  readonly #issued = new Map<CurrencyCode, Amount>();
  readonly #unmatched: Set<GrantId>;
  #numbers = 0n;
  #sumOfNumbers = 0n;
  #linesMissing = false;
  #dueAt: Instant | null = null;

  constructor(replay: CustomerReplay, findings: Findings) {
    this.#replay = replay;
    this.#findings = findings;
    this.#unmatched = new Set(replay.lots.keys());
  }

  /** Compares a grant, by the database's clock at the snapshot. */
  grant(row: AuditedGrant, clock: Instant): void {
    const grantId = row.credit_grant_id;
    const { currency } = row;
    const lot = this.#replay.lots.get(grantId) ?? emptyLot(currency);
    this.#unmatched.delete(grantId);
    this.#issued.set(currency, (this.#issued.get(currency) ?? 0n) + row.amount);
    this.number(row.number);
    this.#dueAt = earlierOf(this.#dueAt, row.due_at);

    const { lastBookedAt } = this.#replay;
    const now = lastBookedAt === "" ? clock : laterOf(clock, parseInstant(lastBookedAt));
    compareGrant(row, lot, { now, findings: this.#findings });
  }

  balance(row: AuditedBalance): void {
    const { currency } = row;
    const accounts = this.#replay.currencies.get(currency)?.accounts ?? [];
    this.#amounts("customer_balance", accounts[CUSTOMER_CREDIT] ?? 0n, row.credit, { currency });
    this.#amounts("customer_held", accounts[CUSTOMER_HELD] ?? 0n, row.held, { currency });
    this.#amounts("customer_issued", this.#issued.get(currency) ?? 0n, row.issued, { currency });
  }

  openCharge(row: OpenCharge): void {
    const chargeId = row.charge_id;
    const holds = this.#replay.holds.get(chargeId) ?? new Map<GrantId, Amount>();
    this.#dueAt = earlierOf(this.#dueAt, row.hold_expires_at);
    // They are settled in the order in which they were taken (D5).
    const taken = [...holds.keys()];
    const named = row.draw_credit_grant_ids;
    if (taken.length === named.length && taken.every((grantId) => named.includes(grantId))) {
      this.#texts("charge_holds", taken.join(" "), named.join(" "), { chargeId });
    }
    for (const [index, grantId] of row.draw_credit_grant_ids.entries()) {
      const expected = holds.get(grantId) ?? 0n;
      const found = row.draw_amounts[index] ?? 0n;
      this.#amounts("charge_holds", expected, found, { chargeId, grantId, currency: row.currency });
      holds.delete(grantId);
    }
    if (holds.size === 0) this.#replay.holds.delete(chargeId);
  }

  /** Takes note of creation sequences that were taken: of one object, or the sum of several. */
  number(sum: bigint, count = 1n): void {
    this.#sumOfNumbers += sum;
    this.#numbers += count;
  }

  /** Credit lines that were removed leave no trace of their creation sequence (I1). */
  linesMayBeMissing(): void {
    this.#linesMissing = true;
  }

  /** Says what is missing, and compares the head. Comes last. */
  head(head: AuditedHead, balances: readonly AuditedBalance[], issuedInvoices: bigint): void {
    for (const grantId of this.#unmatched) {
      this.#findings.add("grant_missing", "a grant", "none", { grantId });
    }
    for (const [chargeId, holds] of this.#replay.holds) {
      for (const [grantId, held] of holds) {
        this.#amounts("charge_holds", held, 0n, { chargeId, grantId });
      }
    }
    const kept = new Set(balances.map(({ currency }) => currency));
    for (const currency of new Set([...this.#replay.currencies.keys(), ...this.#issued.keys()])) {
      if (kept.has(currency)) continue;
      this.balance({ currency, credit: 0n, held: 0n, issued: 0n });
    }
    this.#texts("head_sequence", BigInt(this.#replay.sequence), head.sequence, {});
    this.#texts("head_invoice_count", issuedInvoices, head.invoice_count, {});
    const { lastBookedAt } = this.#replay;
    if ((head.last_booked_at ?? "") < lastBookedAt) {
      this.#texts("head_last_booked_at", lastBookedAt, head.last_booked_at, {});
    }
    const count = head.object_count;
    if (count < this.#numbers || (count > this.#numbers && !this.#linesMissing)) {
      this.#texts("head_object_count", this.#numbers, count, {});
    }
    const sum = (count * (count + 1n)) / 2n;
    if (count === this.#numbers && sum !== this.#sumOfNumbers) {
      const found = `numbers that add up to ${this.#sumOfNumbers}`;
      this.#findings.add("object_numbers", `1 to ${count}, which add up to ${sum}`, found, {});
    }
    const due = this.#dueAt;
    if (due !== null && (head.next_due_at === null || head.next_due_at > due)) {
      const found = head.next_due_at === null ? "nothing" : formatInstant(head.next_due_at);
      this.#findings.add("head_next_due_at", `${formatInstant(due)} or before`, found, {});
    }
  }

  #amounts(check: Check, expected: Amount, found: Amount, subject: Subject): void {
    if (expected === found) return;
    this.#findings.add(check, formatAmount(expected), formatAmount(found), subject);
  }

  #texts(
    check: Check,
    expected: string | bigint | null,
    found: string | bigint | null,
    subject: Subject,
  ): void {
    if (expected === found) return;
    this.#findings.add(check, `${expected ?? "none"}`, `${found ?? "none"}`, subject);
  }
}
