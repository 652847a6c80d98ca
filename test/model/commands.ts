/** Owns the random calls, how often each is drawn, and how time passes between them. */
import fc from "fast-check";
import {
  adjust,
  amount,
  batch,
  byCard,
  call,
  charge,
  chargeId,
  creditGrantId,
  currency,
  customerId,
  DAY,
  feature,
  filter,
  grant,
  history,
  invoiceId,
  is,
  lists,
  maybe,
  metadata,
  mode,
  moment,
  pageSize,
  preview,
  promotional,
  read,
  reason,
  requestId,
  settle,
  sold,
  strange,
  text,
  until,
  words,
  write,
} from "./fields.ts";
import type { Command } from "./run.ts";
import { STORIES } from "./stories.ts";

const WRITES: readonly [number, fc.Arbitrary<Command>][] = [
  [8, grant(promotional)],
  [6, grant(sold)],
  [16, charge],
  [2, batch],
  [8, settle],
  [3, write("CancelCharge", { chargeId })],
  [8, write("CorrectCharge", { chargeId, reason, amount: maybe(amount, 4) })],
  [4, write("VoidCreditGrant", { creditGrantId, reason })],
  [
    6,
    write("UpdateExternalSettlement", {
      creditGrantId,
      status: words(
        "SETTLEMENT_STATUS",
        "PENDING",
        "AUTHORIZED",
        "AUTHORIZED",
        "SETTLED",
        "SETTLED",
        "FAILED",
      ),
    }),
  ],
  [5, adjust],
  [4, write("IssueInvoice", { invoiceId })],
  [3, write("AuthorizeInvoicePayment", { invoiceId })],
  [3, write("SettleInvoicePayment", { invoiceId })],
  [2, write("FailInvoicePayment", { invoiceId, reason })],
  [3, write("VoidInvoice", { invoiceId })],
  [
    1,
    write("UpdateCustomer", {
      name: text,
      metadata,
      updateMask: maybe(fc.constantFrom("name", "metadata", "name,metadata"), 1),
    }),
  ],
  [
    1,
    call("CreateCustomer", {
      requestId,
      key: fc.constantFrom("a", "b", "c"),
      name: text,
      metadata,
    }),
  ],
  [
    1,
    call("CreateCurrency", {
      requestId,
      code: fc.constantFrom("TOKENS", "USD", "PTS", "GEMS"),
      exponent: fc.nat(3),
    }),
  ],
  [
    1,
    call("CreateRateCard", {
      requestId,
      key: fc.constantFrom("flat", "unit", "new"),
      featureKey: fc.constantFrom("calls", "calls", "calls", ""),
      currency: fc.constantFrom("USD", "USD", "USD", "TOKENS", "JPY", "XXY"),
      settlementMode: mode,
      price: fc.constantFrom(
        { flat: { amount: "2" } },
        { flat: { amount: "2.5" } },
        { perUnit: { unitAmount: "0.3" } },
        { perUnit: { unitAmount: "9999999999999999999999" } },
        { volume: { tiers: [{ upTo: "1", flatAmount: "0.3" }, { unitAmount: "1" }] } },
      ),
      maximumAmount: maybe(fc.constantFrom("1", "1.5"), 1),
    }),
  ],
  [1, call("ArchiveRateCard", { requestId, key: byCard["rateCardKey"] ?? is("flat") })],
  [4, fc.nat(30).map((at) => ({ rpc: `@replay ${at}`, ask: {} }))],
];

const order = maybe(words("LIST_ORDER", "OLDEST_FIRST", "NEWEST_FIRST"));

/** Reads, first those that tell the most. */
const READS: readonly [number, fc.Arbitrary<Command>][] = [
  [
    4,
    read("GetBalance", {
      currency: maybe(strange, 1),
      asOf: maybe(moment, 5),
      featureFilter: filter,
    }),
  ],
  [1, read("WatchBalance", { currency: maybe(currency, 1), featureFilter: filter })],
  [4, fc.oneof(read("ListMovements", history), read("ListMovements", until))],
  [
    5,
    fc
      .tuple(
        fc.nat(30),
        fc.oneof(
          { weight: 12, arbitrary: is({}) },
          { weight: 1, arbitrary: is({ currency: "JPY" }) },
          { weight: 3, arbitrary: is({ pageSize: 2 }) },
        ),
      )
      .map(([at, ask]) => ({ rpc: `@page ${at}`, ask })),
  ],
  [2, preview],
  [1, read("GetCreditGrant", { creditGrantId })],
  [
    1,
    read("ListCreditGrants", {
      statuses: maybe(
        lists(words("CREDIT_GRANT_STATUS", "PENDING", "ACTIVE", "EXHAUSTED", "EXPIRED", "VOIDED")),
      ),
      currency: maybe(currency, 1),
      fundingMethods: maybe(
        lists(words("FUNDING_METHOD", "PROMOTIONAL", "INVOICE", "EXTERNAL")),
        1,
      ),
      order,
      pageSize,
    }),
  ],
  [1, read("GetCharge", { chargeId })],
  [
    1,
    read("ListCharges", {
      statuses: maybe(lists(words("CHARGE_STATUS", "OPEN", "SETTLED", "CANCELED"))),
      currency: maybe(currency, 1),
      featureKey: feature,
      order,
      pageSize,
    }),
  ],
  [1, read("GetInvoice", { invoiceId })],
  [
    1,
    read("ListInvoices", {
      statuses: maybe(lists(words("INVOICE_STATUS", "DRAFT", "OPEN", "PAID", "VOID"))),
      currency: maybe(currency, 1),
      order,
      pageSize,
    }),
  ],
  [1, read("ListInvoiceLines", { invoiceId, pageSize })],
  [1, read("GetCustomer", {})],
  [1, call("GetCustomer", { key: fc.constantFrom("a", "b", "nobody") })],
  [1, call("ListCustomers", { order, pageSize })],
  [1, call("ListCurrencies", {})],
  [1, call("GetRateCard", { key: byCard["rateCardKey"] ?? is("flat"), version: fc.nat(2) })],
  [1, call("ListRateCards", { key: maybe(byCard["rateCardKey"] ?? is("flat")), pageSize })],
];

/** Reads that take several looks, and so are not as of one moment. */
const WALKS: typeof READS = [
  [2, fc.oneof(read("StreamMovements", history), read("StreamMovements", until))],
  [1, read("ListTransfers", { fromSequence: fc.constantFrom("0", "1", "3", "7") })],
  [1, call("GetTrialBalance", { currency: maybe(currency, 1), asOf: maybe(moment) })],
  [1, call("Audit", { customerId: maybe(customerId) })],
];

const weighted = (rows: typeof READS) =>
  fc.oneof(...rows.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const wait = fc.oneof(
  { weight: 16, arbitrary: is("0") },
  { weight: 3, arbitrary: fc.constantFrom(1, DAY / 24, DAY / 2, DAY).map(String) },
  { weight: 2, arbitrary: fc.constantFrom("due", "due", "due -1", "due 1") },
  { weight: 1, arbitrary: fc.constantFrom(-DAY / 4, -DAY / 4, 3 * DAY, 33 * DAY).map(String) },
);
const timed = (calls: fc.Arbitrary<Command>) =>
  fc.tuple(calls, wait).map(([command, time]) => ({ ...command, wait: time }));
const some = timed(
  fc.oneof(
    { weight: 3, arbitrary: weighted(WRITES) },
    { weight: 2, arbitrary: weighted([...READS, ...WALKS]) },
  ),
);

/** Some credit first, so that most of what follows finds something to do. */
const credit = fc.array(timed(fc.oneof(grant(promotional), grant(sold))), {
  minLength: 2,
  maxLength: 5,
});

const stories = fc
  .oneof(...STORIES)
  .chain((story) =>
    fc
      .array(wait, { minLength: story.length, maxLength: story.length })
      .map((waits) => story.map((command, at) => ({ ...command, wait: waits[at] ?? "0" }))),
  );

export const RANDOM_COMMANDS: fc.Arbitrary<readonly Command[]> = fc
  .tuple(
    credit,
    fc.array(
      fc.oneof(
        { weight: 8, arbitrary: some.map((command) => [command]) },
        { weight: 1, arbitrary: stories },
      ),
      { minLength: 30, maxLength: 60, size: "max" },
    ),
  )
  .map(([first, rest]) => [...first, ...rest.flat()]);

/** What happens at once after some time; each caller makes its calls one after the other. */
export interface Round {
  readonly wait: string;
  readonly callers: readonly (readonly Command[])[];
}

/** Looks that would notice at once if an answer were behind what was answered before it (B5). */
const looks = fc.oneof(
  ...["GetBalance", "GetBalance", "ListMovements", "ListCreditGrants", "ListCharges"].map((rpc) =>
    call(rpc, { customerId: is("@customer 0") }),
  ),
);
const racing = fc.oneof(
  { weight: 4, arbitrary: weighted(WRITES) },
  { weight: 1, arbitrary: weighted(READS) },
  { weight: 3, arbitrary: looks },
);
const round: fc.Arbitrary<Round> = fc.record({
  wait: fc.oneof(wait, is("due")),
  callers: fc.array(fc.array(racing, { minLength: 1, maxLength: 3 }), {
    minLength: 3,
    maxLength: 4,
  }),
});

export const RANDOM_ROUNDS: fc.Arbitrary<{
  readonly credit: readonly Command[];
  readonly rounds: readonly Round[];
}> = fc.record({ credit, rounds: fc.array(round, { minLength: 6, maxLength: 10, size: "max" }) });
