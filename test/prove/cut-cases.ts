/**
 * Owns the writes that are cut: for each RPC what must stand in the books first, and a request that
 * will be granted.
 */
import { Capture, SettlementMode } from "../../gen/drawdown/v1/charge_pb.ts";
import type { CreateChargeResponse } from "../../gen/drawdown/v1/charge_service_pb.ts";
import {
  Availability,
  FundingMethod,
  SettlementStatus,
} from "../../gen/drawdown/v1/credit_grant_pb.ts";
import type { CreateCreditGrantResponse } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import type { Account } from "./account.ts";
import { DESCRIBED, type Operation, REASONED } from "./operation.ts";
import type { Random } from "./random.ts";
import type { Fields, Lines, Rpc } from "./wire.ts";

export interface Bench {
  readonly lines: Lines;
  readonly account: Account;
  readonly number: number;
  readonly random: Random;
}

export interface CutCase {
  readonly rpc: Rpc;
  /** What the request says besides its id and customer. */
  readonly fields: (bench: Bench) => Promise<Fields> | Fields;
}

const USD = { currency: "USD", amount: "5" };
const CHARGE = { ...USD, settlementMode: SettlementMode.CREDIT_THEN_INVOICE };
const UNCOVERED = { ...CHARGE, currency: "EUR" };
const HOLD = { ...CHARGE, capture: Capture.MANUAL };
const GRANT = { ...USD, name: "credit", fundingMethod: FundingMethod.PROMOTIONAL };
const purchase = { currency: "USD", perUnitCost: "0.35", availability: Availability.ON_CREATION };
const SOLD = { ...USD, name: "sold", fundingMethod: FundingMethod.INVOICE, purchase };
const SOLD_ELSEWHERE = { ...SOLD, fundingMethod: FundingMethod.EXTERNAL };

export const CUT_CASES: readonly CutCase[] = [
  { rpc: "createCharge", fields: () => CHARGE },
  { rpc: "createCreditGrant", fields: () => SOLD },
  { rpc: "settleCharge", fields: async (bench) => ({ chargeId: (await charge(bench, HOLD)).id }) },
  { rpc: "cancelCharge", fields: async (bench) => ({ chargeId: (await charge(bench, HOLD)).id }) },
  {
    rpc: "correctCharge",
    fields: async (bench) => ({ chargeId: (await charge(bench, CHARGE)).id, amount: "2" }),
  },
  { rpc: "adjustCredits", fields: () => USD },
  {
    rpc: "voidCreditGrant",
    fields: async (bench) => ({ creditGrantId: (await grant(bench, GRANT)).id }),
  },
  {
    rpc: "updateExternalSettlement",
    fields: async (bench) => ({
      creditGrantId: (await grant(bench, SOLD_ELSEWHERE)).id,
      status: SettlementStatus.SETTLED,
    }),
  },
  { rpc: "authorizeInvoicePayment", fields: ofInvoice },
  { rpc: "settleInvoicePayment", fields: ofInvoice },
  { rpc: "failInvoicePayment", fields: ofInvoice },
  { rpc: "voidInvoice", fields: ofInvoice },
  {
    rpc: "issueInvoice",
    // What no credit covers stands on the draft of that currency until it is issued.
    fields: async (bench) => ({ invoiceId: (await charge(bench, UNCOVERED)).invoiceId }),
  },
  { rpc: "updateCustomer", fields: () => ({ name: "Renamed", updateMask: { paths: ["name"] } }) },
  { rpc: "createCustomer", fields: ({ number }) => ({ key: `cut-${number}`, name: "New" }) },
  { rpc: "createRateCard", fields: rateCard },
  {
    rpc: "archiveRateCard",
    fields: async (bench) => {
      await ask(bench, "createRateCard", rateCard(bench));
      return { key: rateCard(bench).key };
    },
  },
  {
    rpc: "createCurrency",
    fields: ({ number }) => ({ code: `UNITS_${number}`, name: "Units", exponent: 2 }),
  },
];

/** The RPCs that name no customer. */
const OF_TENANT = new Set<Rpc>([
  "createCustomer",
  "createRateCard",
  "archiveRateCard",
  "createCurrency",
]);

/** Puts into the books what a case needs, and makes its request. `name` begins its id. */
export async function prepare(
  { rpc, fields }: CutCase,
  bench: Bench,
  name: string,
): Promise<Operation> {
  const { account, number } = bench;
  const label = `${name}-${number}`;
  const request = {
    requestId: label,
    ...(OF_TENANT.has(rpc) ? {} : { customerId: account.id }),
    ...(await fields(bench)),
    ...(DESCRIBED.has(rpc) ? { metadata: { operation: label, zeta: "1", alpha: "2" } } : {}),
    ...(REASONED.has(rpc) ? { reason: label } : {}),
  };
  return { number, rpc, account: OF_TENANT.has(rpc) ? null : account, request };
}

async function ask(bench: Bench, rpc: Rpc, fields: Fields): Promise<unknown> {
  const { lines, account, number } = bench;
  const requestId = `before-${number}`;
  const customer = OF_TENANT.has(rpc) ? {} : { customerId: account.id };
  const request = { requestId, ...customer, ...fields };
  const outcome = await lines.call(rpc, request, "grpc");
  if (outcome.kind === "acked") return outcome.answer;
  throw new Error(`${rpc} to prepare a cut: ${JSON.stringify(outcome)}`);
}

async function charge(bench: Bench, fields: Fields) {
  const answer = (await ask(bench, "createCharge", fields)) as CreateChargeResponse;
  return { id: answer.charge?.id ?? "", invoiceId: answer.charge?.invoiceId ?? "" };
}

async function grant(bench: Bench, fields: Fields) {
  const answer = (await ask(bench, "createCreditGrant", fields)) as CreateCreditGrantResponse;
  return { id: answer.creditGrant?.id ?? "", invoiceId: answer.invoice?.id ?? "" };
}

function rateCard({ number }: Bench) {
  return {
    key: `card-${number}`,
    name: "Calls",
    featureKey: "calls",
    currency: "USD",
    settlementMode: SettlementMode.CREDIT_ONLY,
    price: { model: { case: "perUnit", value: { unitAmount: "0.1" } } },
  };
}

async function ofInvoice(bench: Bench): Promise<Fields> {
  return { invoiceId: (await grant(bench, SOLD)).invoiceId };
}
