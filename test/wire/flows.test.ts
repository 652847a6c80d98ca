/** Owns the six operational flows at the wire: each of them over every protocol and both ports. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { callerOver } from "./caller.ts";
import { EVERY_WAY, type Running, startService } from "./running.ts";
import { NOTHING, Story, step } from "./story.ts";

let running: Running;

beforeAll(async () => {
  running = await startService();
});
afterAll(() => running.close());

const USD = { currency: "USD" };
const GIFT = { ...USD, fundingMethod: "FUNDING_METHOD_PROMOTIONAL" };
const CREDIT_ONLY = { ...USD, settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY" };
const THEN_INVOICE = { ...USD, settlementMode: "SETTLEMENT_MODE_CREDIT_THEN_INVOICE" };

/** What a balance says, first currency first. */
const balance = (settled: string, held: string, pending: string, upcoming: string) => ({
  "balances.0.settled": settled,
  "balances.0.held": held,
  "balances.0.pending": pending,
  "balances.0.upcoming": upcoming,
});

/** What a page of history says of one of its movements. */
const movement = (at: number, type: string, amount: string, before: string, after: string) => ({
  [`movements.${at}.type`]: `MOVEMENT_TYPE_${type}`,
  [`movements.${at}.amount`]: amount,
  [`movements.${at}.balanceBefore`]: before,
  [`movements.${at}.balanceAfter`]: after,
});

const PROMOTIONAL = [
  step("before", "GetBalance", USD, balance("0", "0", "0", "0")),
  step("nothing", "GetBalance", {}, { balances: NOTHING }),
  step(
    "welcome",
    "CreateCreditGrant",
    { ...GIFT, amount: "100.50", priority: 5, expiresAfter: "P30D", name: "Welcome" },
    {
      "creditGrant.customerId": "$customer",
      "creditGrant.status": "CREDIT_GRANT_STATUS_ACTIVE",
      "creditGrant.amount": "100.5",
      "creditGrant.remaining": "100.5",
      "creditGrant.held": "0",
      "creditGrant.priority": 5,
    },
  ),
  step("balance", "GetBalance", {}, balance("100.5", "0", "100.5", "0")),
  step(
    "history",
    "ListMovements",
    {},
    {
      ...movement(0, "FUNDED", "100.5", "0", "100.5"),
      "movements.0.creditGrantId": "$welcome.creditGrant.id",
      "movements.0.bookedAt": "$welcome.creditGrant.effectiveAt",
      "movements.1": NOTHING,
    },
  ),
];

const PURCHASE = { currency: "USD", perUnitCost: "0.35" };

const BY_INVOICE = [
  step("CREDITS", "CreateCurrency", { requestId: "CREDITS", code: "CREDITS" }),
  step(
    "pack",
    "CreateCreditGrant",
    {
      fundingMethod: "FUNDING_METHOD_INVOICE",
      currency: "CREDITS",
      amount: "1000",
      purchase: PURCHASE,
    },
    {
      "creditGrant.status": "CREDIT_GRANT_STATUS_PENDING",
      "creditGrant.remaining": "0",
      "creditGrant.purchase.amount": "350",
      "creditGrant.purchase.availability": "AVAILABILITY_ON_SETTLEMENT",
      "creditGrant.purchase.settlementStatus": "SETTLEMENT_STATUS_PENDING",
      "invoice.kind": "INVOICE_KIND_PURCHASE",
      "invoice.status": "INVOICE_STATUS_OPEN",
      "invoice.number": "1",
      "invoice.currency": "USD",
      "invoice.total": "350",
    },
  ),
  step("upcoming", "GetBalance", {}, balance("0", "0", "0", "1000")),
  step(
    "authorized",
    "AuthorizeInvoicePayment",
    { invoiceId: "$pack.invoice.id" },
    { "invoice.status": "INVOICE_STATUS_AUTHORIZED", "invoice.total": "350" },
  ),
  step("still upcoming", "GetBalance", {}, balance("0", "0", "0", "1000")),
  step(
    "paid",
    "SettleInvoicePayment",
    { invoiceId: "$pack.creditGrant.invoiceId" },
    { "invoice.status": "INVOICE_STATUS_PAID", "invoice.lines.0.amount": "350" },
  ),
  step(
    "grant",
    "GetCreditGrant",
    { creditGrantId: "$pack.creditGrant.id" },
    {
      "creditGrant.status": "CREDIT_GRANT_STATUS_ACTIVE",
      "creditGrant.remaining": "1000",
      "creditGrant.effectiveAt": "$paid.invoice.paidAt",
      "creditGrant.purchase.settlementStatus": "SETTLEMENT_STATUS_SETTLED",
    },
  ),
  step("balance", "GetBalance", {}, balance("1000", "0", "1000", "0")),
];

const EXTERNAL = [
  step(
    "elsewhere",
    "CreateCreditGrant",
    {
      ...USD,
      fundingMethod: "FUNDING_METHOD_EXTERNAL",
      amount: "500",
      purchase: { currency: "EUR", perUnitCost: "0.9" },
    },
    {
      "creditGrant.purchase.amount": "450",
      "creditGrant.purchase.currency": "EUR",
      invoice: NOTHING,
    },
  ),
  ...(["AUTHORIZED", "AUTHORIZED", "SETTLED", "SETTLED"] as const).map((status, index) =>
    step(
      `external ${index}`,
      "UpdateExternalSettlement",
      { creditGrantId: "$elsewhere.creditGrant.id", status: `SETTLEMENT_STATUS_${status}` },
      {
        "creditGrant.purchase.settlementStatus": `SETTLEMENT_STATUS_${status}`,
        "creditGrant.status": `CREDIT_GRANT_STATUS_${status === "SETTLED" ? "ACTIVE" : "PENDING"}`,
      },
    ),
  ),
  step("balance", "GetBalance", {}, balance("500", "0", "500", "0")),
  step("history", "ListMovements", {}, movement(0, "FUNDED", "500", "0", "500")),
];

const BALANCE = [
  step("gift", "CreateCreditGrant", { ...GIFT, amount: "100" }),
  step("euros", "CreateCreditGrant", { ...GIFT, currency: "EUR", amount: "7" }),
  step("only api", "CreateCreditGrant", { ...GIFT, amount: "20", features: ["api"] }),
  step("held", "CreateCharge", { ...CREDIT_ONLY, amount: "30", capture: "CAPTURE_MANUAL" }),
  step(
    "all",
    "GetBalance",
    {},
    {
      "balances.0.currency": "EUR",
      "balances.0.settled": "7",
      "balances.1.currency": "USD",
      "balances.1.settled": "120",
      "balances.1.held": "30",
      "balances.1.pending": "90",
    },
  ),
  step("dollars", "GetBalance", USD, balance("120", "30", "90", "0")),
  step(
    "unrestricted",
    "GetBalance",
    { ...USD, featureFilter: { unrestrictedOnly: true } },
    {
      ...balance("100", "30", "70", "0"),
    },
  ),
  step(
    "for nothing but api",
    "GetBalance",
    { ...USD, featureFilter: { noneOf: ["chat"] } },
    {
      ...balance("20", "0", "20", "0"),
    },
  ),
  step("canceled", "CancelCharge", { chargeId: "$held.charge.id" }),
  step("released", "GetBalance", USD, balance("120", "0", "120", "0")),
];

const PRICE = { perUnit: { unitAmount: "0.5" } };

const CONSUME = [
  step("calls", "CreateRateCard", {
    requestId: "calls",
    key: "calls",
    ...THEN_INVOICE,
    price: PRICE,
  }),
  step("gift", "CreateCreditGrant", { ...GIFT, amount: "40" }),
  step(
    "preview",
    "PreviewCharge",
    { rateCardKey: "calls", quantity: "200" },
    { creditsApplied: "40", invoicedAmount: "60", "draws.0.amount": "40" },
  ),
  step(
    "by rate card",
    "CreateCharge",
    { rateCardKey: "calls", quantity: "20" },
    {
      "charge.amount": "10",
      "charge.creditsApplied": "10",
      "charge.invoicedAmount": "0",
      "charge.rateCardVersion": 1,
    },
  ),
  step(
    "exactly",
    "CreateCharge",
    { ...CREDIT_ONLY, amount: "10" },
    {
      "charge.status": "CHARGE_STATUS_SETTLED",
      "charge.allocations.0.creditGrantId": "$gift.creditGrant.id",
    },
  ),
  step(
    "more",
    "CreateCharge",
    { ...THEN_INVOICE, amount: "100" },
    {
      "charge.creditsApplied": "20",
      "charge.invoicedAmount": "80",
    },
  ),
  step(
    "consumed",
    "ListMovements",
    { types: ["MOVEMENT_TYPE_CONSUMED"] },
    {
      ...movement(0, "CONSUMED", "-20", "20", "0"),
      "movements.0.chargeId": "$more.charge.id",
      ...movement(1, "CONSUMED", "-10", "30", "20"),
      ...movement(2, "CONSUMED", "-10", "40", "30"),
      "movements.3": NOTHING,
    },
  ),
  step("balance", "GetBalance", {}, balance("0", "0", "0", "0")),
  step(
    "draft",
    "GetInvoice",
    { invoiceId: "$more.charge.invoiceId" },
    {
      "invoice.status": "INVOICE_STATUS_DRAFT",
      "invoice.subtotal": "80",
      "invoice.lines.0.chargeId": "$more.charge.id",
    },
  ),
];

const HISTORY = [
  step("gift", "CreateCreditGrant", { ...GIFT, amount: "10" }),
  step("euros", "CreateCreditGrant", { ...GIFT, currency: "EUR", amount: "7" }),
  ...["1", "2", "3"].map((amount) => step(amount, "CreateCharge", { ...CREDIT_ONLY, amount })),
  step(
    "newest",
    "ListMovements",
    { ...USD, pageSize: 2 },
    {
      ...movement(0, "CONSUMED", "-3", "7", "4"),
      ...movement(1, "CONSUMED", "-2", "9", "7"),
      "movements.2": NOTHING,
    },
  ),
  step(
    "older",
    "ListMovements",
    { ...USD, pageSize: 2, cursor: "$newest.olderCursor" },
    {
      ...movement(0, "CONSUMED", "-1", "10", "9"),
      ...movement(1, "FUNDED", "10", "0", "10"),
      olderCursor: NOTHING,
    },
  ),
  step(
    "nothing new",
    "ListMovements",
    { ...USD, pageSize: 2, cursor: "$newest.newerCursor" },
    {
      movements: NOTHING,
    },
  ),
  step("new charge", "CreateCharge", { ...CREDIT_ONLY, amount: "4" }),
  step(
    "new",
    "ListMovements",
    { ...USD, pageSize: 2, cursor: "$nothing new.newerCursor" },
    {
      ...movement(0, "CONSUMED", "-4", "4", "0"),
      "movements.1": NOTHING,
    },
  ),
  step(
    "funded",
    "ListMovements",
    { ...USD, types: ["MOVEMENT_TYPE_FUNDED"] },
    {
      "movements.0.sequence": "1",
      "movements.1": NOTHING,
    },
  ),
];

describe.each(EVERY_WAY)("the flows, over %s", (name, open) => {
  test.concurrent.each([
    ["G3 create promotional credits", PROMOTIONAL],
    ["G4 sell credits by invoice", BY_INVOICE],
    ["G5 record externally funded credits", EXTERNAL],
    ["B1 check a customer's credit balance", BALANCE],
    ["D3 consume credits through charges", CONSUME],
    ["H4 review credit history", HISTORY],
  ])("%s", async (flow, steps) => {
    const story = await Story.begin(callerOver(open(running)), `${flow} ${name}`);
    await story.tell(steps);
  });
});
