/** Owns what the customer of the refused calls has: one of everything, in every state. */
import { step } from "./story.ts";

export const USD = { currency: "USD" };
export const GIFT = { ...USD, fundingMethod: "FUNDING_METHOD_PROMOTIONAL", amount: "10" };
const AT_TWO = { purchase: { ...USD, perUnitCost: "2" } };
export const SOLD = { ...USD, ...AT_TWO, fundingMethod: "FUNDING_METHOD_INVOICE", amount: "5" };
const ELSEWHERE = { ...SOLD, fundingMethod: "FUNDING_METHOD_EXTERNAL" };
const CREDIT_ONLY = { settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };
export const THEN_INVOICE = { settlementMode: "SETTLEMENT_MODE_CREDIT_THEN_INVOICE" };
export const MANUAL = { capture: "CAPTURE_MANUAL" };
export const CHARGE = { ...USD, ...CREDIT_ONLY, amount: "3" };
export const CARD = { ...USD, ...CREDIT_ONLY, price: { perUnit: { unitAmount: "1" } } };
export const settled = (status: string) => ({ status: `SETTLEMENT_STATUS_${status}` });

/** What the tenant has. Every way registers the same; the second time is a replay (W1). */
export const REGISTERED = [
  step("TOKENS", "CreateCurrency", { code: "TOKENS" }),
  step("card", "CreateRateCard", { key: "card", ...CARD }),
  step("old card", "CreateRateCard", { key: "old", ...CARD }),
  step("archived", "ArchiveRateCard", { key: "old" }),
  step("taken", "CreateCustomer", { key: "taken" }),
];

/** What the customer has: 5 dollars of credit are free and 2 are held, of 30 ever issued. */
export const SETTING = [
  step("gift", "CreateCreditGrant", GIFT),
  step("settled", "CreateCharge", CHARGE),
  step("open", "CreateCharge", { ...CHARGE, ...MANUAL, amount: "2" }),
  step("hold", "CreateCharge", { ...CHARGE, ...MANUAL, amount: "1" }),
  step("canceled", "CancelCharge", { chargeId: "$hold.charge.id" }),
  step("corrected", "CreateCharge", { ...CHARGE, amount: "1" }),
  step("correction", "CorrectCharge", { chargeId: "$corrected.charge.id", reason: "all" }),
  step("wrong", "CreateCreditGrant", GIFT),
  step("voided", "VoidCreditGrant", { creditGrantId: "$wrong.creditGrant.id", reason: "x" }),
  step("spent", "CreateCreditGrant", { ...GIFT, currency: "CHF", amount: "1" }),
  step("spending", "CreateCharge", { ...CHARGE, currency: "CHF", amount: "1" }),
  step("sold", "CreateCreditGrant", SOLD),
  step("authorized", "AuthorizeInvoicePayment", { invoiceId: "$sold.invoice.id" }),
  step("elsewhere", "CreateCreditGrant", ELSEWHERE),
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
