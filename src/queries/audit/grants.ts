/**
 * Owns comparing what is kept on a grant's row with the replay of its transfers, and the parts of
 * the row with each other (G1, G2, G4, G5, L6). Pure.
 */
import type { CreditGrantRow } from "../../database/entities/credit-grant.ts";
import { nextDueOfLot } from "../../ledger/due.ts";
import { type Amount, formatAmount } from "../../money/amount.ts";
import { isoCurrency, minorUnitDecimals } from "../../money/currency.ts";
import { addDuration, parseDuration } from "../../money/duration.ts";
import {
  earlierOf,
  formatInstant,
  type Instant,
  LATEST_INSTANT,
  laterOf,
  parseInstant,
} from "../../money/time.ts";
import { purchaseAmount } from "../../pricing/purchase.ts";
import type { Check, Findings, Subject } from "./finding.ts";
import { PROMOTION } from "./flows.ts";
import type { ReplayedLot } from "./replayed-lot.ts";

export type AuditedGrant = Pick<
  CreditGrantRow,
  | "credit_grant_id"
  | "number"
  | "first_sequence"
  | "effective_at"
  | "expires_at"
  | "due_at"
  | "voided_at"
  | "status"
  | "funding_method"
  | "availability"
  | "settlement_status"
  | "invoice_id"
  | "currency"
  | "amount"
  | "remaining"
  | "held"
  | "accrued"
  | "adjusted_unpaid"
  | "expires_after"
  | "purchase_currency"
  | "per_unit_cost"
  | "purchase_amount"
  | "features"
>;

/** Compares a grant as it stands at a moment, which nothing that has expired lies after. */
export function compareGrant(
  row: AuditedGrant,
  lot: ReplayedLot,
  { now, findings }: { readonly now: Instant; readonly findings: Findings },
): void {
  const about: Subject = { grantId: row.credit_grant_id, currency: row.currency };
  const compare = (check: Check, expected: string, found: string) => {
    if (expected !== found) findings.add(check, expected, found, about);
  };
  const amounts = (check: Check, expected: Amount, found: Amount) =>
    compare(check, formatAmount(expected), formatAmount(found));
  amounts("grant_remaining", lot.remaining, row.remaining);
  amounts("grant_held", lot.held, row.held);
  amounts("grant_accrued", lot.accrued, row.accrued);
  amounts("grant_adjusted_unpaid", lot.adjustedUnpaid, row.adjusted_unpaid);
  compare("grant_first_sequence", say(lot.firstSequence), say(row.first_sequence));
  compare("grant_currency", lot.currency, row.currency);
  if (lot.fundings > 1 || (lot.fundings === 1 && lot.funded !== row.amount)) {
    const found = `${lot.fundings} for ${formatAmount(lot.funded)}`;
    findings.add("grant_funded", `1 for ${formatAmount(row.amount)}`, found, about);
  }
  if (lot.payment !== null) amounts("payment_amount", row.amount, lot.payment);
  if (lot.forfeited > 0n) amounts("payment_amount", row.amount, lot.forfeited);
  const status = fittingStatus(row, lot, now);
  if (!status.fits) findings.add("grant_status", status.expected, row.status, about);
  if (lot.settlements > 0) {
    // Payment recognizes what was consumed, and forfeits what was taken away (G5).
    amounts("grant_accrued", 0n, lot.accrued);
    amounts("grant_adjusted_unpaid", 0n, lot.adjustedUnpaid);
  }
  const settlement = expectedSettlement(row, lot);
  if (!settlement.includes(row.settlement_status)) {
    const expected = settlement.map(say).join(" or ") || "what one payment comes to";
    findings.add("grant_settlement", expected, say(row.settlement_status), about);
  }
  const terms = unfitTerms(row, lot);
  if (terms !== null) findings.add("grant_terms", terms.expected, terms.found, about);
  for (const [column, expected] of Object.entries(expectedTimes(row, lot))) {
    const found = row[column as keyof ExpectedTimes];
    if (expected === found) continue;
    findings.add("grant_times", sayTime(column, expected), sayTime(column, found), about);
  }
}

const say = (value: string | bigint | null) => `${value ?? "none"}`;

const sayTime = (column: string, at: Instant | null) =>
  `${column} ${at === null ? "none" : formatInstant(at)}`;

interface Unfit {
  readonly expected: string;
  readonly found: string;
}

/** Whether the status fits what the journal says of the grant (G1). */
function fittingStatus(
  row: AuditedGrant,
  lot: ReplayedLot,
  now: Instant,
): { readonly fits: boolean; readonly expected: string } {
  const available = lot.fundings > 0;
  switch (row.status) {
    case "PENDING":
      return { fits: !available, expected: "a status of available credit" };
    case "ACTIVE":
      return {
        fits: available && lot.remaining > 0n && lot.ending === null,
        expected: "another, as it has ended or nothing remains",
      };
    case "EXHAUSTED":
      return {
        fits: available && lot.remaining === 0n && lot.ending === null,
        expected: "another, as it has ended or something remains",
      };
    case "EXPIRED": {
      const ended = lot.remaining === lot.held && lot.ending !== "VOIDED";
      const expired = row.expires_at !== null && row.expires_at <= now;
      return {
        fits: available && ended && expired,
        expected: "another, as it was voided, is not over yet, or has credit that nothing holds",
      };
    }
    case "VOIDED": {
      const ended = lot.remaining === lot.held && lot.ending !== "EXPIRED";
      const fits = ended && row.voided_at !== null;
      return { fits, expected: "another, as it expired or credit is left that nothing holds" };
    }
  }
}

/** What the settlement status may be after the payments that were booked (G5, G6). */
function expectedSettlement(
  { status, funding_method: method }: AuditedGrant,
  lot: ReplayedLot,
): readonly AuditedGrant["settlement_status"][] {
  if (lot.settlements > 0) {
    return lot.settlements === 1 && lot.authorizations === 0 ? ["SETTLED"] : [];
  }
  if (lot.authorizations > 0) return lot.authorizations === 1 ? ["AUTHORIZED"] : [];
  if (lot.authorizations < 0) return [];
  if (method === "PROMOTIONAL") return [null];
  if (status === "VOIDED") return ["FAILED"];
  return status === "EXPIRED" ? ["PENDING", "FAILED"] : ["PENDING"];
}

/** What of how a grant is paid for does not fit together (G2, G4). */
function unfitTerms(row: AuditedGrant, lot: ReplayedLot): Unfit | null {
  const { funding_method: method, availability, purchase_amount: paid } = row;
  const isSold = method !== "PROMOTIONAL";
  const terms = [availability, row.purchase_currency, row.per_unit_cost, paid];
  if (terms.some((each) => (each !== null) !== isSold)) {
    return { expected: isSold ? "purchase terms" : "no purchase terms", found: "others" };
  }
  if ((method === "INVOICE") !== (row.invoice_id !== null)) {
    return { expected: method === "INVOICE" ? "an invoice" : "no invoice", found: "not so" };
  }
  if (lot.fundings > 0 && isSold !== (lot.fundedFrom !== PROMOTION)) {
    return { expected: isSold ? "credit from a purchase" : "credit from promotion", found: method };
  }
  if (row.purchase_currency === null || row.per_unit_cost === null || paid === null) return null;
  const currency = isoCurrency(row.purchase_currency);
  if (currency === undefined) return { expected: "money", found: row.purchase_currency };
  const cost = purchaseAmount(row.amount, row.per_unit_cost, minorUnitDecimals(currency));
  if (cost !== paid) return { expected: formatAmount(cost), found: formatAmount(paid) };
  const policies = policiesOf(lot);
  if (availability === null || policies.includes(availability)) return null;
  return { expected: policies.join(" or "), found: availability };
}

/** The availability policies under which a sold grant's credit can have become available. */
function policiesOf(lot: ReplayedLot): readonly NonNullable<AuditedGrant["availability"]>[] {
  if (lot.fundings === 0) return ["ON_CREATION", "ON_AUTHORIZATION", "ON_SETTLEMENT"];
  const early = lot.fundedByPayment ? [] : (["ON_CREATION"] as const);
  if (lot.paidWhenFunded === "nothing") return ["ON_CREATION"];
  if (lot.paidWhenFunded === "authorization") return [...early, "ON_AUTHORIZATION"];
  return [...early, "ON_AUTHORIZATION", "ON_SETTLEMENT"];
}

type ExpectedTimes = Pick<AuditedGrant, "effective_at" | "expires_at" | "due_at" | "voided_at">;

/** The moments that the transfers and the rest of the row determine (G2, G6, L3, M5, M6). */
function expectedTimes(row: AuditedGrant, lot: ReplayedLot): ExpectedTimes {
  const effective = lot.fundedAt === null ? row.effective_at : parseInstant(lot.fundedAt);
  const ended = lot.endedAt === null ? null : parseInstant(lot.endedAt);
  const expires = expectedExpiry(row, lot, effective);
  const due = nextDueOfLot({
    number: row.number,
    status: row.status,
    availability: row.availability,
    settlementStatus: row.settlement_status,
    effectiveAt: row.effective_at,
    expiresAt: row.expires_at,
  });
  const voided = lot.ending === "VOIDED" ? ended : row.status === "VOIDED" ? row.voided_at : null;
  return {
    effective_at: effective,
    expires_at: expires,
    due_at: due?.at ?? null,
    voided_at: voided,
  };
}

function expectedExpiry(
  row: AuditedGrant,
  lot: ReplayedLot,
  effective: Instant,
): AuditedGrant["expires_at"] {
  if (row.expires_after !== null) {
    const after = parseDuration(row.expires_after);
    if (lot.fundedAt === null || after === undefined) return null;
    return earlierOf(addDuration(effective, after), LATEST_INSTANT);
  }
  if (lot.ending !== "EXPIRED" || lot.endedAt === null || row.expires_at === null) {
    return row.expires_at;
  }
  // It expires when it falls due, or with what was booked before where that is later (L3).
  const ended = parseInstant(lot.endedAt);
  const before = parseInstant(lot.bookedBeforeEnd);
  return laterOf(row.expires_at, before) === ended ? row.expires_at : ended;
}
