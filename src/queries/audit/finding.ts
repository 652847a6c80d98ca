/** Owns what an audit says when something does not add up, and how much of that one may say. */
import type { ChargeId, CustomerId, GrantId } from "../../ledger/ids.ts";
import type { CurrencyCode } from "../../money/currency.ts";

/** The checks, by the name under which a finding reports them. */
export const CHECKS = {
  sequence_gap: "the sequence has no gaps",
  booked_at_order: "booked_at never decreases along the sequence",
  created_at: "a transfer is booked when it is created, unless it fell due before",
  illegal_flow: "the event may move value between these accounts",
  transfer_account: "value goes to the account that the grant's payment calls for",
  transfer_charge: "a transfer names a charge exactly where one is the reason for it",
  account_sign: "the account does not stand below zero on its own side",
  settled_after: "the transfer carries the settled balance after it",
  pending_after: "the transfer carries the pending balance after it",
  grant_remaining_after: "the transfer carries what remains of the grant after it",
  grant_held_after: "the transfer carries what is held of the grant after it",
  grant_currency: "a grant's transfers are in its currency",
  payment_amount: "a payment fact is booked for the grant's whole amount",
  hold_missing: "what leaves a hold was held for that charge",
  head_sequence: "the head has the last sequence",
  head_last_booked_at: "the head knows when the last booking was",
  head_next_due_at: "the head expects nothing later than it falls due",
  head_object_count: "the head has counted all objects",
  head_invoice_count: "the head has counted all issued invoices",
  customer_balance: "the kept pending balance equals the replay",
  customer_held: "the kept held balance equals the replay",
  customer_issued: "the kept sum of issued credit equals the grants",
  grant_missing: "a grant that has transfers exists",
  grant_remaining: "what is kept as remaining equals the replay",
  grant_held: "what is kept as held equals the replay",
  grant_accrued: "what is kept as accrued equals the replay",
  grant_adjusted_unpaid: "what is kept as adjusted while unpaid equals the replay",
  grant_first_sequence: "the grant knows its first movement",
  grant_funded: "a grant is funded once and for its whole amount",
  grant_terms: "funding, purchase terms and invoice of a grant fit together",
  grant_times: "the grant's moments are those of its transfers",
  grant_status: "the grant's status fits what happened to it",
  grant_settlement: "the grant's settlement fits its payments",
  charge_holds: "an open charge holds what its allocations say",
  charge_draws: "a settled charge consumed what its allocations say",
  charge_returns: "corrections gave back what the allocations say",
  charge_amount: "a charge's parts and moments come to its amount and fit its status",
  charge_moments: "what a charge holds and releases is in its currency and of its moments",
  charge_price: "a charge by rate card costs what the card says for its quantity",
  charge_feature: "a charge draws restricted credit only for a feature that it allows",
  charge_line: "what of a charge is invoiced stands on its line and credit lines",
  invoice_lines: "an invoice's figures equal its lines",
  invoice_state: "an invoice's kind, status and moments fit each other and its grant",
  invoice_numbers: "issued invoices are numbered without a gap",
  invoice_line: "a line is of the grant or charge that it names, and of an invoice",
  movement_note: "a note stands at the first transfer of each adjustment and correction",
  object_numbers: "grants, charges, invoices and lines have each their own creation sequence",
  request_missing: "everything that was asked for has a request id of that moment",
  request_doubled: "a request id is used once",
  customer_id: "a customer's id carries its number and the moment of its creation",
  customer_key: "a customer's key leads to the customer",
  customer_missing: "what stands in a customer's name has a customer with a head",
  too_many_findings: "the findings of one customer can be listed",
} as const;

export type Check = keyof typeof CHECKS;

export interface Finding {
  readonly customerId: CustomerId;
  readonly check: Check;
  /** What the transfers add up to, and what is kept instead. */
  readonly expected: string;
  readonly found: string;
  readonly currency: CurrencyCode | null;
  readonly grantId: GrantId | null;
  readonly chargeId: ChargeId | null;
  readonly sequence: bigint | null;
}

/** What a finding is about, as far as it is about it. */
export type Subject = Partial<Pick<Finding, "currency" | "grantId" | "chargeId" | "sequence">>;

const FINDINGS_PER_CUSTOMER_MAX = 1_000;

/** Gathers the findings of one customer, up to a bound: broken books may have millions. */
export class Findings {
  readonly list: Finding[] = [];
  readonly customerId: CustomerId;

  constructor(customerId: CustomerId) {
    this.customerId = customerId;
  }

  add(check: Check, expected: string, found: string, subject: Subject = {}): void {
    if (this.list.length > FINDINGS_PER_CUSTOMER_MAX) return;
    const full = this.list.length === FINDINGS_PER_CUSTOMER_MAX;
    this.list.push({
      customerId: this.customerId,
      check: full ? "too_many_findings" : check,
      expected: full ? `at most ${FINDINGS_PER_CUSTOMER_MAX}` : expected,
      found: full ? "more" : found,
      currency: null,
      grantId: null,
      chargeId: null,
      sequence: null,
      ...(full ? {} : subject),
    });
  }
}
