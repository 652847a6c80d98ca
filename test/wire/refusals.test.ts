/**
 * Owns what a caller is told when the rules say no: every reason that a caller can provoke, with
 * its code, its facts and the field, over every protocol and both ports. Nothing is written then.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorReason } from "../../gen/drawdown/v1/error_reason_pb.ts";
import { callerOver, type Refused, refusalOf } from "./caller.ts";
import { EVERY_WAY, type Running, startService } from "./running.ts";
import { Story, step } from "./story.ts";

let running: Running;

beforeAll(async () => {
  running = await startService();
});
afterAll(() => running.close());

const NOBODY = "0190a1b2-c3d4-7000-8000-00000000dead";
const LONG_AGO = "2020-01-01T00:00:00Z";
const USD = { currency: "USD" };
const GIFT = { ...USD, fundingMethod: "FUNDING_METHOD_PROMOTIONAL", amount: "10" };
const SOLD = { ...USD, fundingMethod: "FUNDING_METHOD_INVOICE", amount: "5" };
const ELSEWHERE = { ...USD, fundingMethod: "FUNDING_METHOD_EXTERNAL", amount: "5" };
const AT_TWO = { purchase: { ...USD, perUnitCost: "2" } };
const CREDIT_ONLY = { settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };
const THEN_INVOICE = { settlementMode: "SETTLEMENT_MODE_CREDIT_THEN_INVOICE" };
const MANUAL = { capture: "CAPTURE_MANUAL" };
const CHARGE = { ...USD, ...CREDIT_ONLY, amount: "3" };
const PRICE = { price: { perUnit: { unitAmount: "1" } } };
const CARD = { ...USD, ...CREDIT_ONLY, ...PRICE };
const settled = (status: string) => ({ status: `SETTLEMENT_STATUS_${status}` });

/** What the tenant has; every way registers the same, and the second is a replay (W1). */
const REGISTERED = [
  step("TOKENS", "CreateCurrency", { code: "TOKENS" }),
  step("card", "CreateRateCard", { key: "card", ...CARD }),
  step("old card", "CreateRateCard", { key: "old", ...CARD }),
  step("archived", "ArchiveRateCard", { key: "old" }),
  step("taken", "CreateCustomer", { key: "taken" }),
];

/** A customer who has one of everything: 5 of credit is free, 2 are held. */
const SETTING = [
  step("gift", "CreateCreditGrant", GIFT),
  step("settled", "CreateCharge", CHARGE),
  step("open", "CreateCharge", { ...CHARGE, ...MANUAL, amount: "2" }),
  step("hold", "CreateCharge", { ...CHARGE, ...MANUAL, amount: "1" }),
  step("canceled", "CancelCharge", { chargeId: "$hold.charge.id" }),
  step("corrected", "CreateCharge", { ...CHARGE, amount: "1" }),
  step("correction", "CorrectCharge", { chargeId: "$corrected.charge.id", reason: "all" }),
  step("wrong", "CreateCreditGrant", GIFT),
  step("voided", "VoidCreditGrant", { creditGrantId: "$wrong.creditGrant.id" }),
  step("sold", "CreateCreditGrant", { ...SOLD, ...AT_TWO }),
  step("elsewhere", "CreateCreditGrant", { ...ELSEWHERE, ...AT_TWO }),
  step("failed", "UpdateExternalSettlement", {
    creditGrantId: "$elsewhere.creditGrant.id",
    ...settled("FAILED"),
  }),
  // A draft without lines: what was invoiced in euros was taken back.
  step("euros", "CreateCharge", { ...THEN_INVOICE, currency: "EUR", amount: "7" }),
  step("no euros", "CorrectCharge", { chargeId: "$euros.charge.id", reason: "all" }),
  // A draft below zero: what was taken back had been issued.
  step("pounds", "CreateCharge", { ...THEN_INVOICE, currency: "GBP", amount: "7" }),
  step("issued", "IssueInvoice", { invoiceId: "$pounds.charge.invoiceId" }),
  step("no pounds", "CorrectCharge", { chargeId: "$pounds.charge.id", reason: "all" }),
  step("drafts", "ListInvoices", { statuses: ["INVOICE_STATUS_DRAFT"], currency: "GBP" }),
  step("page", "ListMovements", { pageSize: 1 }),
  step("charges", "ListCharges", { pageSize: 1 }),
];

type Row = readonly [
  rpc: string,
  request: JsonObject,
  code: string,
  reason: string,
  facts: JsonObject,
  ...fields: string[],
];

const INVALID = "INVALID_ARGUMENT";
const MISSING = "NOT_FOUND";
const EXISTS = "ALREADY_EXISTS";
const STATE = "FAILED_PRECONDITION";
const nobody = { customerId: NOBODY };
const noGrant = { creditGrantId: NOBODY };
const noCharge = { chargeId: NOBODY };
const noInvoice = { invoiceId: NOBODY };
const isNobody = { customer_id: NOBODY };
const isNoGrant = { credit_grant_id: NOBODY };
const isNoCharge = { charge_id: NOBODY };
const isNoInvoice = { invoice_id: NOBODY };
const sold = { invoiceId: "$sold.invoice.id" };
const isSold = { invoice_id: "$sold.invoice.id", status: "OPEN" };
const empty = { invoiceId: "$euros.charge.invoiceId" };
const negative = { invoiceId: "$drafts.invoices.0.id" };
const isEmpty = { invoice_id: "$euros.charge.invoiceId" };
const wrong = { creditGrantId: "$wrong.creditGrant.id" };
const elsewhere = { creditGrantId: "$elsewhere.creditGrant.id" };

const NOT_FOUND: readonly Row[] = [
  ["GetCustomer", nobody, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["GetCustomer", { key: "no" }, MISSING, "CUSTOMER_NOT_FOUND", { key: "no" }],
  ["UpdateCustomer", { ...nobody, name: "x" }, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["CreateCreditGrant", { ...GIFT, ...nobody }, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["CreateCharge", { ...CHARGE, ...nobody }, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["PreviewCharge", { ...CHARGE, ...nobody }, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["ListCharges", nobody, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["GetBalance", nobody, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["GetBalance", { ...nobody, asOf: LONG_AGO }, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["WatchBalance", nobody, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["ListMovements", nobody, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["StreamMovements", nobody, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["ListTransfers", nobody, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["Audit", nobody, MISSING, "CUSTOMER_NOT_FOUND", isNobody],
  ["GetCreditGrant", noGrant, MISSING, "CREDIT_GRANT_NOT_FOUND", isNoGrant],
  ["VoidCreditGrant", noGrant, MISSING, "CREDIT_GRANT_NOT_FOUND", isNoGrant],
  [
    "UpdateExternalSettlement",
    { ...noGrant, ...settled("FAILED") },
    MISSING,
    "CREDIT_GRANT_NOT_FOUND",
    isNoGrant,
  ],
  [
    "AdjustCredits",
    { ...noGrant, ...USD, amount: "-1", reason: "x" },
    MISSING,
    "CREDIT_GRANT_NOT_FOUND",
    isNoGrant,
  ],
  ["GetCharge", noCharge, MISSING, "CHARGE_NOT_FOUND", isNoCharge],
  ["SettleCharge", noCharge, MISSING, "CHARGE_NOT_FOUND", isNoCharge],
  ["CancelCharge", noCharge, MISSING, "CHARGE_NOT_FOUND", isNoCharge],
  ["CorrectCharge", { ...noCharge, reason: "x" }, MISSING, "CHARGE_NOT_FOUND", isNoCharge],
  ...[
    "GetInvoice",
    "ListInvoiceLines",
    "IssueInvoice",
    "AuthorizeInvoicePayment",
    "SettleInvoicePayment",
    "FailInvoicePayment",
    "VoidInvoice",
  ].map((rpc): Row => [rpc, noInvoice, MISSING, "INVOICE_NOT_FOUND", isNoInvoice]),
  ["GetRateCard", { key: "no" }, MISSING, "RATE_CARD_NOT_FOUND", { rate_card_key: "no" }],
  [
    "GetRateCard",
    { key: "card", version: 9 },
    MISSING,
    "RATE_CARD_NOT_FOUND",
    { rate_card_key: "card", version: "9" },
  ],
  ["ArchiveRateCard", { key: "no" }, MISSING, "RATE_CARD_NOT_FOUND", { rate_card_key: "no" }],
  [
    "CreateCharge",
    { rateCardKey: "no", quantity: "1" },
    MISSING,
    "RATE_CARD_NOT_FOUND",
    { rate_card_key: "no" },
  ],
  ...[
    ["CreateCreditGrant", GIFT] as const,
    ["CreateCharge", CHARGE] as const,
    ["PreviewCharge", CHARGE] as const,
    ["AdjustCredits", { amount: "1", reason: "x" }] as const,
    ["CreateRateCard", { key: "another", ...CARD }] as const,
    ["GetBalance", {}] as const,
  ].map(
    ([rpc, request]): Row => [
      rpc,
      { ...request, currency: "XXQ" },
      MISSING,
      "CURRENCY_NOT_FOUND",
      { currency: "XXQ" },
    ],
  ),
];

const TAKEN: readonly Row[] = [
  [
    "CreateCharge",
    { ...CHARGE, requestId: "gift" },
    EXISTS,
    "REQUEST_ID_REUSED",
    { request_id: "gift" },
    "request_id",
  ],
  [
    "CreateCreditGrant",
    { ...GIFT, requestId: "gift", amount: "11" },
    EXISTS,
    "REQUEST_ID_REUSED",
    { request_id: "gift" },
    "request_id",
  ],
  [
    "CreateCurrency",
    { requestId: "TOKENS", code: "COINS" },
    EXISTS,
    "REQUEST_ID_REUSED",
    { request_id: "TOKENS" },
    "request_id",
  ],
  ["CreateCustomer", { key: "taken" }, EXISTS, "CUSTOMER_KEY_TAKEN", { key: "taken" }, "key"],
  ["CreateCurrency", { code: "TOKENS" }, EXISTS, "CURRENCY_CODE_TAKEN", { code: "TOKENS" }, "code"],
  ["CreateCurrency", { code: "USD" }, EXISTS, "CURRENCY_CODE_TAKEN", { code: "USD" }, "code"],
];

const MALFORMED: readonly Row[] = [
  [
    "CreateCharge",
    { ...CHARGE, ...THEN_INVOICE, currency: "TOKENS" },
    INVALID,
    "CURRENCY_NOT_INVOICEABLE",
    { currency: "TOKENS" },
    "currency",
  ],
  ...["CreateCreditGrant", "CreateCharge"].map(
    (rpc): Row => [
      rpc,
      { ...(rpc === "CreateCharge" ? CHARGE : GIFT), currency: "TOKENS", amount: "0.5" },
      INVALID,
      "AMOUNT_TOO_FINE",
      { currency: "TOKENS", decimals: "0" },
      "amount",
    ],
  ),
  [
    "CreateCreditGrant",
    { ...GIFT, amount: "999999999999999999999999" },
    INVALID,
    "AMOUNT_OUT_OF_RANGE",
    { currency: "USD", issued: "$issued" },
    "amount",
  ],
  [
    "CreateCreditGrant",
    { ...SOLD, amount: "1", purchase: { ...USD, perUnitCost: "0.004999999999" } },
    INVALID,
    "PURCHASE_ROUNDS_TO_ZERO",
    { amount: "1", currency: "USD" },
    "purchase.per_unit_cost",
  ],
  [
    "CreateCreditGrant",
    { ...GIFT, expiresAt: LONG_AGO },
    INVALID,
    "TIME_NOT_IN_FUTURE",
    {},
    "expires_at",
  ],
  [
    "CreateCreditGrant",
    { ...GIFT, effectiveAt: "2998-01-01T00:00:00Z", expiresAt: "2998-01-01T00:00:00Z" },
    INVALID,
    "TIME_NOT_IN_FUTURE",
    {},
    "expires_at",
  ],
  [
    "CreateCharge",
    { ...CHARGE, ...MANUAL, holdExpiresAt: LONG_AGO },
    INVALID,
    "TIME_NOT_IN_FUTURE",
    {},
    "hold_expires_at",
  ],
  [
    "CreateCharge",
    { ...CHARGE, ...MANUAL, holdExpiresAt: "2998-01-01T00:00:00Z" },
    INVALID,
    "INVALID_REQUEST",
    {},
    "hold_expires_at",
  ],
  ...["ListMovements", "StreamMovements"].map(
    (rpc): Row => [
      rpc,
      { ...USD, pageSize: 1, cursor: "$page.olderCursor" },
      INVALID,
      "CURSOR_MISMATCH",
      {},
      "cursor",
    ],
  ),
  [
    "ListMovements",
    { customerId: "$taken.customer.id", pageSize: 1, cursor: "$page.olderCursor" },
    INVALID,
    "CURSOR_MISMATCH",
    {},
    "cursor",
  ],
  ...[
    ["ListCharges", { pageToken: "x" }] as const,
    ["ListCharges", { ...USD, pageSize: 1, pageToken: "$charges.nextPageToken" }] as const,
    ["ListCreditGrants", { pageSize: 1, pageToken: "$charges.nextPageToken" }] as const,
    ["ListInvoices", { pageToken: "$charges.nextPageToken" }] as const,
    ["ListInvoiceLines", { ...sold, pageToken: "$charges.nextPageToken" }] as const,
    ["ListCustomers", { pageToken: "$charges.nextPageToken" }] as const,
    ["ListRateCards", { pageToken: "$page.newerCursor" }] as const,
  ].map(
    ([rpc, request]): Row => [rpc, request, INVALID, "CURSOR_MISMATCH", {}, "page_token"],
  ),
  [
    "SettleCharge",
    { chargeId: "$open.charge.id", quantity: "1" },
    INVALID,
    "INVALID_REQUEST",
    {},
    "quantity",
  ],
  ["GetTrialBalance", { asOf: "2998-01-01T00:00:00Z" }, INVALID, "INVALID_REQUEST", {}, "as_of"],
];

const OF_STATE: readonly Row[] = [
  [
    "CreateCharge",
    { rateCardKey: "old", quantity: "1" },
    STATE,
    "RATE_CARD_ARCHIVED",
    { rate_card_key: "old", version: "1" },
  ],
  [
    "AdjustCredits",
    { ...wrong, ...USD, amount: "-1", reason: "x" },
    STATE,
    "CREDIT_GRANT_NOT_ACTIVE",
    { credit_grant_id: "$wrong.creditGrant.id", status: "VOIDED" },
  ],
  [
    "UpdateExternalSettlement",
    { creditGrantId: "$sold.creditGrant.id", ...settled("SETTLED") },
    STATE,
    "NOT_EXTERNALLY_FUNDED",
    { credit_grant_id: "$sold.creditGrant.id", funding_method: "INVOICE" },
  ],
  [
    "UpdateExternalSettlement",
    { ...elsewhere, ...settled("SETTLED") },
    STATE,
    "SETTLEMENT_TRANSITION_REFUSED",
    { credit_grant_id: "$elsewhere.creditGrant.id", from: "FAILED", to: "SETTLED" },
  ],
  [
    "CancelCharge",
    { chargeId: "$settled.charge.id" },
    STATE,
    "CHARGE_NOT_OPEN",
    { charge_id: "$settled.charge.id", status: "SETTLED" },
  ],
  [
    "SettleCharge",
    { chargeId: "$hold.charge.id" },
    STATE,
    "CHARGE_NOT_OPEN",
    { charge_id: "$hold.charge.id", status: "CANCELED" },
  ],
  [
    "CorrectCharge",
    { chargeId: "$open.charge.id", reason: "x" },
    STATE,
    "CHARGE_NOT_SETTLED",
    { charge_id: "$open.charge.id", status: "OPEN" },
  ],
  [
    "CorrectCharge",
    { chargeId: "$settled.charge.id", amount: "3.000000000001", reason: "x" },
    STATE,
    "CORRECTION_EXCEEDS_CHARGE",
    { charge_id: "$settled.charge.id", amount: "3", corrected_amount: "0" },
  ],
  [
    "CorrectCharge",
    { chargeId: "$corrected.charge.id", reason: "x" },
    STATE,
    "CORRECTION_EXCEEDS_CHARGE",
    { charge_id: "$corrected.charge.id", amount: "1", corrected_amount: "1" },
  ],
  ["IssueInvoice", sold, STATE, "INVOICE_TRANSITION_REFUSED", { ...isSold, event: "issue" }],
  ["FailInvoicePayment", sold, STATE, "INVOICE_TRANSITION_REFUSED", { ...isSold, event: "fail" }],
  [
    "SettleInvoicePayment",
    empty,
    STATE,
    "INVOICE_TRANSITION_REFUSED",
    { ...isEmpty, status: "DRAFT", event: "settle" },
  ],
  ["IssueInvoice", empty, STATE, "INVOICE_EMPTY", { ...isEmpty, subtotal: "0" }],
  [
    "IssueInvoice",
    negative,
    STATE,
    "INVOICE_TOTAL_NEGATIVE",
    { invoice_id: "$drafts.invoices.0.id", subtotal: "-7" },
  ],
];

const OF_MONEY: readonly Row[] = [
  [
    "CreateCharge",
    { ...CHARGE, amount: "100" },
    STATE,
    "INSUFFICIENT_CREDITS",
    { required: "100", available: "5", currency: "USD" },
  ],
  [
    "CreateCharge",
    { ...CHARGE, ...MANUAL, amount: "5.000000000001" },
    STATE,
    "INSUFFICIENT_CREDITS",
    { required: "5.000000000001", available: "5", currency: "USD" },
  ],
  [
    "SettleCharge",
    { chargeId: "$open.charge.id", amount: "8" },
    STATE,
    "INSUFFICIENT_CREDITS",
    { required: "8", available: "7", currency: "USD" },
  ],
  [
    "AdjustCredits",
    { ...USD, amount: "-6", reason: "x" },
    STATE,
    "INSUFFICIENT_CREDITS",
    { required: "6", available: "5", currency: "USD" },
  ],
];
