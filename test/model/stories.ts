/** Owns the random calls that go together: some states only come about one step after the other. */
import fc from "fast-check";
import {
  call,
  creditGrantId,
  type Fields,
  is,
  mode,
  promotional,
  purchase,
  quantity,
  reason,
  sold,
  words,
} from "./fields.ts";
import type { Command } from "./run.ts";

/** A write that concerns what was made last. */
const onLast = (rpc: string, fields: Fields) =>
  call(rpc, { requestId: is("@fresh"), customerId: is("@customer 0"), ...fields });
const [lastCharge, lastGrant] = [
  { chargeId: is("@charge -1") },
  { creditGrantId: is("@grant -1") },
];
const lastInvoice = { invoiceId: is("@invoice -1") };
const small = fc.constantFrom("1", "2", "2.5", "0.5");
const then = (steps: readonly fc.Arbitrary<Command>[]) =>
  fc.array(fc.oneof(...steps), { minLength: 2, maxLength: 6 });
const usd = { currency: is("USD") };
const payments = ["AuthorizeInvoicePayment", "SettleInvoicePayment", "FailInvoicePayment"].map(
  (rpc) => onLast(rpc, lastInvoice),
);
const corrections = [
  onLast("CorrectCharge", { ...lastCharge, reason }),
  onLast("CorrectCharge", { ...lastCharge, reason, amount: small }),
];

/** Some things only come about one after the other: paid credit, overage, holds. */
export const STORIES: readonly fc.Arbitrary<readonly Command[]>[] = [
  fc
    .tuple(
      onLast("CreateCreditGrant", {
        ...{ ...sold, ...usd, amount: is("10"), priority: is(1) },
        purchase: purchase.map((terms) => ({
          ...{ ...terms, currency: "USD", perUnitCost: "1" },
          availability: "AVAILABILITY_ON_CREATION",
        })),
      }),
      onLast("CreateCharge", {
        ...{ ...usd, amount: small, settlementMode: is("SETTLEMENT_MODE_CREDIT_ONLY") },
      }),
      then([
        ...payments,
        ...corrections,
        onLast("UpdateExternalSettlement", {
          ...lastGrant,
          status: words("SETTLEMENT_STATUS", "AUTHORIZED", "SETTLED", "FAILED"),
        }),
        onLast("AdjustCredits", { ...usd, ...lastGrant, reason, amount: is("-1") }),
        onLast("VoidCreditGrant", { ...lastGrant, reason }),
      ]),
    )
    .map(([first, second, rest]) => [first, second, ...rest]),
  fc
    .tuple(
      onLast("CreateCharge", {
        ...{ ...usd, amount: fc.constantFrom("40", "100") },
        settlementMode: is("SETTLEMENT_MODE_CREDIT_THEN_INVOICE"),
      }),
      then([
        ...payments,
        ...corrections,
        onLast("IssueInvoice", lastInvoice),
        onLast("IssueInvoice", lastInvoice),
        onLast("VoidInvoice", lastInvoice),
      ]),
    )
    .map(([first, rest]) => [first, ...rest]),
  fc
    .tuple(
      onLast("CreateCharge", {
        ...{ ...usd, amount: fc.constantFrom("1", "10") },
        ...{ capture: is("CAPTURE_MANUAL"), settlementMode: mode },
      }),
      then([
        ...corrections,
        ...["SettleCharge", "CancelCharge"].map((rpc) => onLast(rpc, lastCharge)),
        onLast("SettleCharge", { ...lastCharge, amount: fc.constantFrom("0", "0.5", "2", "15") }),
        onLast("VoidCreditGrant", { creditGrantId, reason }),
        onLast("CreateCreditGrant", { ...promotional, ...usd, amount: is("5") }),
      ]),
    )
    .map(([first, rest]) => [first, ...rest]),
  fc
    .tuple(
      call("CreateRateCard", {
        ...{ requestId: is("@fresh"), key: is("short"), currency: is("USD") },
        ...{ settlementMode: mode, price: is({ flat: { amount: "1" } }) },
      }),
      then([
        call("ArchiveRateCard", { requestId: is("@fresh"), key: is("short") }),
        onLast("CreateCharge", { rateCardKey: is("short"), quantity }),
      ]),
    )
    .map(([first, rest]) => [first, ...rest]),
];
