/**
 * Owns a sound request for every RPC of the contract, as JSON with stories' references: what the
 * mutants are made of, and what the rules are broken in.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { TENANT } from "../pipeline/ledger.ts";
import { type Step, step } from "../wire/story.ts";

const USD = { currency: "USD" };
const GIFT = { ...USD, fundingMethod: "FUNDING_METHOD_PROMOTIONAL", amount: "1000" };
const PURCHASE = { ...USD, perUnitCost: "2", availability: "AVAILABILITY_ON_CREATION" };
const CHARGE = { ...USD, settlementMode: "SETTLEMENT_MODE_CREDIT_THEN_INVOICE", amount: "1" };
const NOBODY = "0190a1b2-c3d4-7000-8000-00000000dead";

/** What must have happened before, so that the requests name what exists. */
export const SETTING: readonly Step[] = [
  step("gift", "CreateCreditGrant", GIFT),
  step("sold", "CreateCreditGrant", {
    ...GIFT,
    fundingMethod: "FUNDING_METHOD_INVOICE",
    purchase: PURCHASE,
  }),
  step("open", "CreateCharge", { ...CHARGE, capture: "CAPTURE_MANUAL" }),
  step("done", "CreateCharge", CHARGE),
];

const invoice = { invoiceId: "$sold.invoice.id" };
const grant = { creditGrantId: "$gift.creditGrant.id" };
const tiers = [
  { upTo: "10", unitAmount: "1" },
  { flatAmount: "1", unitAmount: "0.5" },
];
const card = {
  ...USD,
  key: "card",
  featureKey: "calls",
  settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY",
};
const history = {
  ...USD,
  types: ["MOVEMENT_TYPE_FUNDED", "MOVEMENT_TYPE_CONSUMED"],
  featureFilter: { anyOf: ["calls"] },
  bookedFrom: "2020-01-01T00:00:00.000001Z",
  bookedUntil: "2990-01-01T00:00:00Z",
  order: "MOVEMENT_ORDER_OLDEST_FIRST",
  pageSize: 3,
};

export const SOUND: Readonly<Record<string, JsonObject>> = {
  CreateCustomer: { key: "somebody", name: "Some Body", metadata: { plan: "gold" } },
  GetCustomer: {},
  ListCustomers: { pageSize: 2 },
  UpdateCustomer: { name: "Another Name", metadata: { a: "b" }, updateMask: "name,metadata" },
  CreateCurrency: { code: "COINS", name: "Coins", exponent: 3 },
  ListCurrencies: {},
  CreateCreditGrant: {
    ...GIFT,
    name: "a grant",
    description: "for tests",
    priority: 7,
    effectiveAt: "2029-01-01T00:00:00Z",
    expiresAfter: "P1Y2M10DT2H30M",
    features: ["calls", "storage"],
    fundingMethod: "FUNDING_METHOD_EXTERNAL",
    purchase: PURCHASE,
    metadata: { order: "17" },
  },
  GetCreditGrant: grant,
  ListCreditGrants: {
    ...USD,
    statuses: ["CREDIT_GRANT_STATUS_ACTIVE"],
    fundingMethods: ["FUNDING_METHOD_PROMOTIONAL"],
    pageSize: 2,
  },
  VoidCreditGrant: { ...grant, reason: "a mistake" },
  UpdateExternalSettlement: { ...grant, status: "SETTLEMENT_STATUS_SETTLED" },
  AdjustCredits: { ...USD, amount: "-0.5", reason: "a gesture", ...grant, metadata: { by: "me" } },
  GetInvoice: invoice,
  ListInvoices: { statuses: ["INVOICE_STATUS_OPEN"], ...USD, pageSize: 2 },
  ListInvoiceLines: { ...invoice, pageSize: 2 },
  IssueInvoice: invoice,
  AuthorizeInvoicePayment: invoice,
  SettleInvoicePayment: invoice,
  FailInvoicePayment: { ...invoice, reason: "no funds" },
  VoidInvoice: invoice,
  CreateRateCard: {
    ...card,
    name: "A card",
    price: { graduated: { tiers } },
    minimumAmount: "1",
    maximumAmount: "100",
  },
  GetRateCard: { key: "card", version: 1 },
  ListRateCards: { pageSize: 2 },
  ArchiveRateCard: { key: "card" },
  CreateCharge: {
    ...CHARGE,
    featureKey: "calls",
    capture: "CAPTURE_MANUAL",
    holdExpiresAt: "2990-01-01T00:00:00Z",
    description: "one call",
    metadata: { call: "1" },
  },
  BatchCreateCharges: {
    requests: [
      { requestId: "one", customerId: "$customer", ...CHARGE },
      { requestId: "two", customerId: NOBODY, rateCardKey: "card", quantity: "3" },
    ],
  },
  SettleCharge: { chargeId: "$open.charge.id", amount: "0.25" },
  CancelCharge: { chargeId: "$open.charge.id" },
  CorrectCharge: { chargeId: "$done.charge.id", amount: "0.1", reason: "too much" },
  PreviewCharge: { ...CHARGE, featureKey: "calls" },
  GetCharge: { chargeId: "$open.charge.id" },
  ListCharges: { statuses: ["CHARGE_STATUS_OPEN"], ...USD, featureKey: "calls", pageSize: 2 },
  GetBalance: { ...USD, asOf: "2026-01-01T00:00:00Z", featureFilter: { noneOf: ["calls"] } },
  WatchBalance: { ...USD, featureFilter: { contains: ["calls"] } },
  ListMovements: history,
  StreamMovements: history,
  ListTransfers: { fromSequence: "2" },
  GetTrialBalance: { ...USD, asOf: "2026-01-01T00:00:00Z" },
  Audit: {},
  CreateTenant: { name: "another tenant" },
  ListTenants: { pageSize: 2 },
  CreateApiKey: {
    tenantId: TENANT,
    name: "a portal",
    role: "ROLE_READER",
    expiresAt: "2990-01-01T00:00:00Z",
  },
  ListApiKeys: { tenantId: TENANT, pageSize: 2 },
  RevokeApiKey: { apiKeyId: NOBODY },
};
