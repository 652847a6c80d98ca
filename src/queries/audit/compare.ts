/**
 * Owns comparing what is kept on rows with what the replay of the journal adds up to (L6): heads,
 * balances, grants and open charges. Pure.
 */

import type { ChargeRow } from "../../database/entities/charge.ts";
import type { CreditGrantRow } from "../../database/entities/credit-grant.ts";
import type { BalanceRow, CustomerHeadRow } from "../../database/entities/customer.ts";
import type { GrantId } from "../../ledger/ids.ts";
import { type Amount, formatAmount } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";
import { earlierOf, formatInstant, type Instant } from "../../money/time.ts";
import type { Check, Findings, Subject } from "./finding.ts";
import { CUSTOMER_CREDIT, CUSTOMER_HELD } from "./flows.ts";
import { type CustomerReplay, emptyLot, type ReplayedLot } from "./replay.ts";

export type AuditedGrant = Pick<
  CreditGrantRow,
  | "credit_grant_id"
  | "number"
  | "first_sequence"
  | "expires_at"
  | "due_at"
  | "voided_at"
  | "status"
  | "settlement_status"
  | "currency"
  | "amount"
  | "remaining"
  | "held"
  | "accrued"
  | "adjusted_unpaid"
>;

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
  #numberMax = 0n;
  #dueAt: Instant | null = null;

  constructor(replay: CustomerReplay, findings: Findings) {
    this.#replay = replay;
    this.#findings = findings;
    this.#unmatched = new Set(replay.lots.keys());
  }

  grant(row: AuditedGrant): void {
    const grantId = row.credit_grant_id;
    const { currency } = row;
    const lot = this.#replay.lots.get(grantId) ?? emptyLot(currency);
    this.#unmatched.delete(grantId);
    this.#issued.set(currency, (this.#issued.get(currency) ?? 0n) + row.amount);
    this.number(row.number);
    this.#dueAt = earlierOf(this.#dueAt, row.due_at);

    const about: Subject = { grantId, currency };
    this.#amounts("grant_remaining", lot.remaining, row.remaining, about);
    this.#amounts("grant_held", lot.held, row.held, about);
    this.#amounts("grant_accrued", lot.accrued, row.accrued, about);
    this.#amounts("grant_adjusted_unpaid", lot.adjustedUnpaid, row.adjusted_unpaid, about);
    this.#texts("grant_first_sequence", lot.firstSequence, row.first_sequence, about);
    if (lot.currency !== currency) this.#texts("grant_currency", lot.currency, currency, about);
    if (lot.fundings > 1 || (lot.fundings === 1 && lot.funded !== row.amount)) {
      const found = `${lot.fundings} for ${formatAmount(lot.funded)}`;
      this.#findings.add("grant_funded", `1 for ${formatAmount(row.amount)}`, found, about);
    }
    const status = fittingStatus(row, lot);
    if (!status.fits) this.#findings.add("grant_status", status.expected, row.status, about);
    const settlement = expectedSettlement(lot);
    if (!settlement.includes(row.settlement_status)) {
      const expected = settlement.map((each) => each ?? "none").join(" or ");
      this.#findings.add("grant_settlement", expected, row.settlement_status ?? "none", about);
    }
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
    for (const [index, grantId] of row.draw_credit_grant_ids.entries()) {
      const expected = holds.get(grantId) ?? 0n;
      const found = row.draw_amounts[index] ?? 0n;
      this.#amounts("charge_holds", expected, found, { chargeId, grantId, currency: row.currency });
      holds.delete(grantId);
    }
    if (holds.size === 0) this.#replay.holds.delete(chargeId);
  }

  /** Takes note of the creation sequence of an object. */
  number(number: bigint): void {
    if (number > this.#numberMax) this.#numberMax = number;
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
    if (lastBookedAt !== "" && (head.last_booked_at ?? "") < lastBookedAt) {
      this.#texts("head_last_booked_at", lastBookedAt, head.last_booked_at, {});
    }
    if (head.object_count < this.#numberMax) {
      this.#texts("head_object_count", this.#numberMax, head.object_count, {});
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

/** Whether the status fits what the journal says of the grant (G1). */
function fittingStatus(
  row: AuditedGrant,
  lot: ReplayedLot,
): { readonly fits: boolean; readonly expected: string } {
  const available = lot.fundings > 0;
  switch (row.status) {
    case "PENDING":
      return { fits: !available, expected: "a status of available credit" };
    case "ACTIVE":
      return { fits: available && lot.remaining > 0n, expected: "another, as nothing remains" };
    case "EXHAUSTED":
      return { fits: available && lot.remaining === 0n, expected: "another, as something remains" };
    case "EXPIRED": {
      const fits = available && lot.remaining === lot.held && row.expires_at !== null;
      return { fits, expected: "another, as credit is left that nothing holds" };
    }
    case "VOIDED": {
      const fits = lot.remaining === lot.held && row.voided_at !== null;
      return { fits, expected: "another, as credit is left that nothing holds" };
    }
  }
}

/** What the settlement status may be after the payments that were booked (G5). */
function expectedSettlement(lot: ReplayedLot): readonly AuditedGrant["settlement_status"][] {
  if (lot.settlements > 0)
    return lot.settlements === 1 && lot.authorizations === 0 ? ["SETTLED"] : [];
  if (lot.authorizations > 0) return ["AUTHORIZED"];
  return lot.authorizations === 0 ? [null, "PENDING", "FAILED"] : [];
}
