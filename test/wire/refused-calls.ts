/**
 * Owns the calls that the rules refuse, as data: by reason, what is asked of the customer of the
 * setting, with the code, the facts and the field that must be answered.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { CARD, CHARGE, GIFT, MANUAL, SOLD, settled, THEN_INVOICE, USD } from "./refused-setting.ts";

const NOBODY = "0190a1b2-c3d4-7000-8000-00000000dead";
const LONG_AGO = "2020-01-01T00:00:00Z";
const FAR_AHEAD = "2998-01-01T00:00:00Z";
const NONE = {};
const TAKE = { ...USD, amount: "-1", reason: "x" };

export type AskedCall = readonly [rpc: string, request: JsonObject];

export interface RefusedCalls {
  readonly reason: string;
  readonly code: string;
  readonly facts: JsonObject;
  /** What is to blame in the request; undefined where nothing in it is. */
  readonly field?: string;
  readonly calls: readonly AskedCall[];
}

const nobody = { customerId: NOBODY };
const noGrant = { creditGrantId: NOBODY };
const noCharge = { chargeId: NOBODY };
const noInvoice = { invoiceId: NOBODY };

const NOT_FOUND: readonly Omit<RefusedCalls, "code">[] = [
  {
    reason: "CUSTOMER_NOT_FOUND",
    facts: { customer_id: NOBODY },
    calls: [
      ["GetCustomer", nobody],
      ["UpdateCustomer", { ...nobody, name: "x" }],
      ["CreateCreditGrant", { ...GIFT, ...nobody }],
      ["GetCreditGrant", { ...nobody, ...noGrant }],
      ["ListCreditGrants", nobody],
      ["CreateCharge", { ...CHARGE, ...nobody }],
      ["PreviewCharge", { ...CHARGE, ...nobody }],
      ["SettleCharge", { ...nobody, ...noCharge }],
      ["ListCharges", nobody],
      ["ListInvoices", nobody],
      ["ListInvoiceLines", { ...nobody, ...noInvoice }],
      ["GetBalance", nobody],
      ["GetBalance", { ...nobody, asOf: LONG_AGO }],
      ["GetBalance", { ...nobody, asOf: FAR_AHEAD }],
      ["WatchBalance", nobody],
      ["ListMovements", nobody],
      ["StreamMovements", nobody],
      ["ListTransfers", nobody],
      ["Audit", nobody],
    ],
  },
  { reason: "CUSTOMER_NOT_FOUND", facts: { key: "no" }, calls: [["GetCustomer", { key: "no" }]] },
  {
    reason: "CREDIT_GRANT_NOT_FOUND",
    facts: { credit_grant_id: NOBODY },
    calls: [
      ["GetCreditGrant", noGrant],
      ["VoidCreditGrant", { ...noGrant, reason: "x" }],
      ["UpdateExternalSettlement", { ...noGrant, ...settled("FAILED") }],
      ["AdjustCredits", { ...TAKE, ...noGrant }],
    ],
  },
  {
    reason: "CHARGE_NOT_FOUND",
    facts: { charge_id: NOBODY },
    calls: [
      ["GetCharge", noCharge],
      ["SettleCharge", noCharge],
      ["CancelCharge", noCharge],
      ["CorrectCharge", { ...noCharge, reason: "x" }],
    ],
  },
  {
    reason: "INVOICE_NOT_FOUND",
    facts: { invoice_id: NOBODY },
    calls: [
      ["GetInvoice", noInvoice],
      ["ListInvoiceLines", noInvoice],
      ["IssueInvoice", noInvoice],
      ["AuthorizeInvoicePayment", noInvoice],
      ["SettleInvoicePayment", noInvoice],
      ["FailInvoicePayment", noInvoice],
      ["VoidInvoice", noInvoice],
    ],
  },
  {
    reason: "RATE_CARD_NOT_FOUND",
    facts: { rate_card_key: "no" },
    calls: [
      ["GetRateCard", { key: "no" }],
      ["ArchiveRateCard", { key: "no" }],
      ["CreateCharge", { rateCardKey: "no", quantity: "1" }],
    ],
  },
  {
    reason: "RATE_CARD_NOT_FOUND",
    facts: { rate_card_key: "card", version: "9" },
    calls: [["GetRateCard", { key: "card", version: 9 }]],
  },
  {
    reason: "CURRENCY_NOT_FOUND",
    facts: { currency: "XXQ" },
    calls: [
      ["CreateCreditGrant", { ...GIFT, currency: "XXQ" }],
      ["CreateCreditGrant", { ...SOLD, purchase: { currency: "XXQ", perUnitCost: "2" } }],
      ["AdjustCredits", { ...TAKE, currency: "XXQ" }],
      ["CreateCharge", { ...CHARGE, currency: "XXQ" }],
      ["CreateRateCard", { key: "another", ...CARD, currency: "XXQ" }],
      ["GetBalance", { currency: "XXQ" }],
    ],
  },
];

const ALREADY_EXISTS: readonly Omit<RefusedCalls, "code">[] = [
  {
    reason: "REQUEST_ID_REUSED",
    facts: { request_id: "gift" },
    field: "request_id",
    calls: [
      ["CreateCreditGrant", { ...GIFT, requestId: "gift", amount: "11" }],
      ["CreateCharge", { ...CHARGE, requestId: "gift" }],
      ["CancelCharge", { ...noCharge, requestId: "gift" }],
    ],
  },
  {
    reason: "REQUEST_ID_REUSED",
    facts: { request_id: "TOKENS" },
    field: "request_id",
    calls: [
      ["CreateCurrency", { requestId: "TOKENS", code: "COINS" }],
      ["CreateCustomer", { requestId: "TOKENS", key: "TOKENS" }],
    ],
  },
  {
    reason: "CUSTOMER_KEY_TAKEN",
    facts: { key: "taken" },
    field: "key",
    calls: [["CreateCustomer", { key: "taken" }]],
  },
  {
    reason: "CURRENCY_CODE_TAKEN",
    facts: { code: "TOKENS" },
    field: "code",
    calls: [["CreateCurrency", { code: "TOKENS" }]],
  },
  {
    reason: "CURRENCY_CODE_TAKEN",
    facts: { code: "USD" },
    field: "code",
    calls: [["CreateCurrency", { code: "USD" }]],
  },
];

const sold = { invoiceId: "$sold.invoice.id" };
const spun = { pageSize: 1, cursor: "$page.olderCursor" };
const listed = { pageToken: "$charges.nextPageToken" };

const INVALID_ARGUMENT: readonly Omit<RefusedCalls, "code">[] = [
  {
    reason: "CURRENCY_NOT_INVOICEABLE",
    facts: { currency: "TOKENS" },
    field: "currency",
    calls: [
      ["CreateCharge", { ...CHARGE, ...THEN_INVOICE, currency: "TOKENS" }],
      ["CreateRateCard", { key: "another", ...CARD, ...THEN_INVOICE, currency: "TOKENS" }],
    ],
  },
  {
    reason: "AMOUNT_TOO_FINE",
    facts: { currency: "TOKENS", decimals: "0" },
    field: "amount",
    calls: [
      ["CreateCreditGrant", { ...GIFT, currency: "TOKENS", amount: "0.5" }],
      ["CreateCharge", { ...CHARGE, currency: "TOKENS", amount: "0.5" }],
      ["AdjustCredits", { ...TAKE, currency: "TOKENS", amount: "-0.5" }],
    ],
  },
  {
    reason: "AMOUNT_OUT_OF_RANGE",
    facts: { currency: "USD", issued: "30" },
    field: "amount",
    calls: [
      ["CreateCreditGrant", { ...GIFT, amount: "9".repeat(24) }],
      ["AdjustCredits", { ...TAKE, amount: `${"9".repeat(22)}70` }],
    ],
  },
  {
    reason: "PURCHASE_ROUNDS_TO_ZERO",
    facts: { amount: "1", currency: "USD" },
    field: "purchase.per_unit_cost",
    calls: [
      [
        "CreateCreditGrant",
        { ...SOLD, amount: "1", purchase: { ...USD, perUnitCost: "0.004999999999" } },
      ],
    ],
  },
  {
    reason: "TIME_NOT_IN_FUTURE",
    facts: NONE,
    field: "expires_at",
    calls: [
      ["CreateCreditGrant", { ...GIFT, expiresAt: LONG_AGO }],
      ["CreateCreditGrant", { ...GIFT, effectiveAt: FAR_AHEAD, expiresAt: FAR_AHEAD }],
    ],
  },
  {
    reason: "TIME_NOT_IN_FUTURE",
    facts: NONE,
    field: "hold_expires_at",
    calls: [["CreateCharge", { ...CHARGE, ...MANUAL, holdExpiresAt: LONG_AGO }]],
  },
  {
    reason: "INVALID_REQUEST",
    facts: NONE,
    field: "hold_expires_at",
    calls: [["CreateCharge", { ...CHARGE, ...MANUAL, holdExpiresAt: FAR_AHEAD }]],
  },
  {
    reason: "INVALID_REQUEST",
    facts: NONE,
    field: "quantity",
    calls: [["SettleCharge", { chargeId: "$open.charge.id", quantity: "1" }]],
  },
  {
    reason: "CURSOR_MISMATCH",
    facts: NONE,
    field: "cursor",
    calls: [
      ["ListMovements", { cursor: "x" }],
      ["ListMovements", { ...USD, ...spun }],
      ["ListMovements", { ...spun, order: "MOVEMENT_ORDER_OLDEST_FIRST" }],
      ["ListMovements", { ...spun, customerId: "$taken.customer.id" }],
      ["StreamMovements", { ...USD, ...spun }],
    ],
  },
  {
    reason: "CURSOR_MISMATCH",
    facts: NONE,
    field: "page_token",
    calls: [
      ["ListCharges", { pageToken: "x" }],
      ["ListCharges", { ...listed, ...USD }],
      ["ListCharges", { ...listed, customerId: "$taken.customer.id" }],
      ["ListCreditGrants", listed],
      ["ListInvoices", listed],
      ["ListInvoiceLines", { ...listed, ...sold }],
      ["ListCustomers", listed],
      ["ListRateCards", { pageToken: "$page.newerCursor" }],
    ],
  },
];

const wrong = { creditGrantId: "$wrong.creditGrant.id" };
const spent = { creditGrantId: "$spent.creditGrant.id" };
const soldGrant = { creditGrantId: "$sold.creditGrant.id" };
const elsewhere = { creditGrantId: "$elsewhere.creditGrant.id" };
const empty = { invoiceId: "$euros.charge.invoiceId" };
const negative = { invoiceId: "$drafts.invoices.0.id" };

const FAILED_PRECONDITION: readonly Omit<RefusedCalls, "code">[] = [
  {
    reason: "RATE_CARD_ARCHIVED",
    facts: { rate_card_key: "old", version: "1" },
    calls: [["CreateCharge", { rateCardKey: "old", quantity: "1" }]],
  },
  {
    reason: "CREDIT_GRANT_NOT_ACTIVE",
    facts: { credit_grant_id: "$wrong.creditGrant.id", status: "VOIDED" },
    calls: [["AdjustCredits", { ...TAKE, ...wrong }]],
  },
  {
    reason: "CREDIT_GRANT_NOT_ACTIVE",
    facts: { credit_grant_id: "$spent.creditGrant.id", status: "EXHAUSTED" },
    calls: [["VoidCreditGrant", { ...spent, reason: "x" }]],
  },
  {
    reason: "NOT_EXTERNALLY_FUNDED",
    facts: { credit_grant_id: "$sold.creditGrant.id", funding_method: "INVOICE" },
    calls: [["UpdateExternalSettlement", { ...soldGrant, ...settled("SETTLED") }]],
  },
  {
    reason: "SETTLEMENT_TRANSITION_REFUSED",
    facts: { credit_grant_id: "$elsewhere.creditGrant.id", from: "FAILED", to: "SETTLED" },
    calls: [["UpdateExternalSettlement", { ...elsewhere, ...settled("SETTLED") }]],
  },
  {
    reason: "CHARGE_NOT_OPEN",
    facts: { charge_id: "$settled.charge.id", status: "SETTLED" },
    calls: [
      ["CancelCharge", { chargeId: "$settled.charge.id" }],
      ["SettleCharge", { chargeId: "$settled.charge.id", amount: "2" }],
    ],
  },
  {
    reason: "CHARGE_NOT_OPEN",
    facts: { charge_id: "$hold.charge.id", status: "CANCELED" },
    calls: [["SettleCharge", { chargeId: "$hold.charge.id" }]],
  },
  {
    reason: "CHARGE_NOT_SETTLED",
    facts: { charge_id: "$open.charge.id", status: "OPEN" },
    calls: [["CorrectCharge", { chargeId: "$open.charge.id", reason: "x" }]],
  },
  {
    reason: "CORRECTION_EXCEEDS_CHARGE",
    facts: { charge_id: "$settled.charge.id", amount: "3", corrected_amount: "0" },
    calls: [
      ["CorrectCharge", { chargeId: "$settled.charge.id", amount: "3.000000000001", reason: "x" }],
    ],
  },
  {
    reason: "CORRECTION_EXCEEDS_CHARGE",
    facts: { charge_id: "$corrected.charge.id", amount: "1", corrected_amount: "1" },
    calls: [["CorrectCharge", { chargeId: "$corrected.charge.id", reason: "x" }]],
  },
  {
    reason: "INVOICE_TRANSITION_REFUSED",
    facts: { invoice_id: "$sold.invoice.id", status: "AUTHORIZED", event: "issue" },
    calls: [["IssueInvoice", sold]],
  },
  ...[
    ["AuthorizeInvoicePayment", "authorize"] as const,
    ["SettleInvoicePayment", "settle"] as const,
    ["FailInvoicePayment", "fail"] as const,
  ].map(([rpc, event]) => ({
    reason: "INVOICE_TRANSITION_REFUSED",
    facts: { invoice_id: "$euros.charge.invoiceId", status: "DRAFT", event },
    calls: [[rpc, empty] as const],
  })),
  {
    reason: "INVOICE_EMPTY",
    facts: { invoice_id: "$euros.charge.invoiceId", subtotal: "0" },
    calls: [["IssueInvoice", empty]],
  },
  {
    reason: "INVOICE_TOTAL_NEGATIVE",
    facts: { invoice_id: "$drafts.invoices.0.id", subtotal: "-7" },
    calls: [["IssueInvoice", negative]],
  },
  {
    reason: "INSUFFICIENT_CREDITS",
    facts: { required: "5.000000000001", available: "5", currency: "USD" },
    calls: [
      ["CreateCharge", { ...CHARGE, amount: "5.000000000001" }],
      ["CreateCharge", { ...CHARGE, ...MANUAL, amount: "5.000000000001" }],
      ["CreateCharge", { rateCardKey: "card", quantity: "5.000000000001" }],
      ["AdjustCredits", { ...TAKE, amount: "-5.000000000001" }],
    ],
  },
  {
    reason: "INSUFFICIENT_CREDITS",
    facts: { required: "8", available: "7", currency: "USD" },
    calls: [["SettleCharge", { chargeId: "$open.charge.id", amount: "8" }]],
  },
];

const of = (code: string, refused: readonly Omit<RefusedCalls, "code">[]) =>
  refused.map((each) => ({ ...each, code }));

export const REFUSED_CALLS: readonly RefusedCalls[] = [
  ...of("NOT_FOUND", NOT_FOUND),
  ...of("ALREADY_EXISTS", ALREADY_EXISTS),
  ...of("INVALID_ARGUMENT", INVALID_ARGUMENT),
  ...of("FAILED_PRECONDITION", FAILED_PRECONDITION),
];
