/**
 * Owns one request of each RPC that is in order for whoever has the setting's things: what is asked
 * of others is the same with another's names put in. A text that begins with `$` is the story's.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { CARD, CHARGE, GIFT, settled, USD } from "../wire/refused-setting.ts";

const gift = { creditGrantId: "$gift.creditGrant.id" };
const settledCharge = { chargeId: "$settled.charge.id" };
const open = { chargeId: "$open.charge.id" };
const sold = { invoiceId: "$sold.invoice.id" };
const byCard = { rateCardKey: "card", quantity: "1" };
const filtered = { ...USD, ...gift, ...settledCharge };

/** Stands for a name that nothing has yet. */
export const FRESH = "$fresh";

export const REQUESTS: Readonly<Record<string, readonly JsonObject[]>> = {
  CreateCustomer: [{ key: FRESH }],
  GetCustomer: [{}, { key: "taken" }],
  ListCustomers: [{}],
  UpdateCustomer: [{ name: "renamed" }],
  CreateCurrency: [{ code: FRESH }],
  ListCurrencies: [{}],
  CreateCreditGrant: [GIFT],
  GetCreditGrant: [gift],
  ListCreditGrants: [{}, USD],
  VoidCreditGrant: [{ ...gift, reason: "x" }],
  UpdateExternalSettlement: [{ creditGrantId: "$elsewhere.creditGrant.id", ...settled("FAILED") }],
  AdjustCredits: [{ ...USD, ...gift, amount: "-0.1", reason: "x" }],
  GetInvoice: [sold],
  ListInvoices: [{}, USD],
  ListInvoiceLines: [{ invoiceId: "$line.charge.invoiceId" }],
  IssueInvoice: [sold],
  VoidInvoice: [sold],
  AuthorizeInvoicePayment: [sold],
  SettleInvoicePayment: [sold],
  FailInvoicePayment: [sold],
  CreateRateCard: [{ key: FRESH, ...CARD }],
  GetRateCard: [{ key: "card" }],
  ListRateCards: [{}, { key: "card" }],
  ArchiveRateCard: [{ key: "old" }],
  CreateCharge: [CHARGE, byCard],
  BatchCreateCharges: [{ requests: [{ requestId: FRESH, customerId: "$customer", ...CHARGE }] }],
  SettleCharge: [open],
  CancelCharge: [open],
  CorrectCharge: [{ ...settledCharge, reason: "x" }],
  PreviewCharge: [CHARGE, byCard],
  GetCharge: [settledCharge],
  ListCharges: [{}, { ...USD, featureKey: "api" }],
  GetBalance: [{}, USD],
  WatchBalance: [{}, USD],
  ListMovements: [{}, filtered],
  StreamMovements: [{}, filtered],
  ListTransfers: [{}],
  GetTrialBalance: [{}, USD],
  Audit: [{}],
  CreateTenant: [{ name: "x" }],
  ListTenants: [{}],
  CreateApiKey: [{ tenantId: "$tenant", name: "x", role: "ROLE_READER" }],
  ListApiKeys: [{ tenantId: "$tenant" }],
  RevokeApiKey: [{ apiKeyId: "$key" }],
};
