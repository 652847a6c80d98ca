/**
 * Owns what clients ask for: random operations, each a function of the seed, its number and what
 * its customer has been told so far.
 */

import { Capture, SettlementMode } from "../../gen/drawdown/v1/charge_pb.ts";
import {
  Availability,
  FundingMethod,
  SettlementStatus,
} from "../../gen/drawdown/v1/credit_grant_pb.ts";
import type { Account } from "./account.ts";
import type { Random } from "./random.ts";
import type { Fields, Rpc } from "./wire.ts";

export interface Operation {
  readonly number: number;
  readonly rpc: Rpc;
  /** Null for what belongs to the tenant. */
  readonly account: Account | null;
  readonly request: Fields & {
    readonly requestId: string;
    readonly capture?: Capture;
    readonly featureKey?: string;
  };
}

/** How often each kind is asked for; what finds nothing to act on becomes a charge. */
const WEIGHTS = {
  promote: 10,
  promoteShortly: 4,
  sellByInvoice: 3,
  sellElsewhere: 3,
  charge: 22,
  chargeCreditOnly: 22,
  hold: 10,
  settle: 8,
  cancel: 4,
  correct: 8,
  giveMore: 2,
  takeBack: 3,
  voidGrant: 2,
  settleElsewhere: 3,
  issueInvoice: 1,
  payInvoice: 3,
  voidInvoice: 1,
  rename: 1,
} as const;

export type Kind = keyof typeof WEIGHTS;

const FEATURES = ["chat", "images"] as const;
const CURRENCIES = ["USD", "USD", "USD", "EUR"] as const;

/** Of which kinds the operations are; a run that needs stillness leaves out what expires. */
export type Mix = Readonly<Partial<Record<Kind, number>>>;

export const EVERYTHING: Mix = WEIGHTS;

/** What a batch of charges can hold. */
export const CHARGES: Mix = { charge: 6, chargeCreditOnly: 3, hold: 1 };

type Ask = readonly [Rpc, Fields];

/** Makes the operation of a number. `name` tells runs apart that share a database. */
export function makeOperation(
  seeded: Random,
  {
    number,
    name,
    account,
    mix,
  }: {
    readonly number: number;
    readonly name: string;
    readonly account: Account;
    readonly mix: Mix;
  },
): Operation {
  const random = seeded.fork(number);
  const kind = random.weigh(mix as Record<Kind, number>);
  const [rpc, fields] = ASKS[kind](random, account) ?? charge(random, SettlementMode.CREDIT_ONLY);
  const label = `${name}-${number}`;
  const told = DESCRIBED.has(rpc) ? { metadata: metadataOf(label, random) } : {};
  const reason = REASONED.has(rpc) ? { reason: label } : {};
  const request = { requestId: label, customerId: account.id, ...fields, ...told, ...reason };
  return { number, rpc, account, request };
}

/** The RPCs that take metadata; by it the database tells which operation made a row. */
export const DESCRIBED = new Set<Rpc>(["createCreditGrant", "createCharge", "adjustCredits"]);

export const REASONED = new Set<Rpc>(["adjustCredits", "correctCharge", "voidCreditGrant"]);

function metadataOf(label: string, random: Random): Readonly<Record<string, string>> {
  const names = ["region", "team", "zeta", "alpha", "0", "7"].slice(0, random.between(0, 6));
  return { operation: label, ...Object.fromEntries(names.map((each) => [each, `${each}!`])) };
}

const ASKS: Readonly<Record<Kind, (random: Random, account: Account) => Ask | undefined>> = {
  promote: (random) => [
    "createCreditGrant",
    { ...grant(random), fundingMethod: FundingMethod.PROMOTIONAL },
  ],
  promoteShortly: (random) => [
    "createCreditGrant",
    {
      ...grant(random),
      fundingMethod: FundingMethod.PROMOTIONAL,
      expiresAfter: `PT${random.between(1, 3)}S`,
    },
  ],
  sellByInvoice: (random) => [
    "createCreditGrant",
    { ...sale(random), fundingMethod: FundingMethod.INVOICE },
  ],
  sellElsewhere: (random) => [
    "createCreditGrant",
    { ...sale(random), fundingMethod: FundingMethod.EXTERNAL },
  ],
  charge: (random) => charge(random, SettlementMode.CREDIT_THEN_INVOICE),
  chargeCreditOnly: (random) => charge(random, SettlementMode.CREDIT_ONLY),
  hold: (random) => {
    const [rpc, fields] = charge(random, random.pick([1, 2]));
    return [rpc, { ...fields, capture: Capture.MANUAL }];
  },
  settle: (random, { openChargeIds }) =>
    onOne("settleCharge", "chargeId", openChargeIds, random, () =>
      random.chance(0.5) ? {} : { amount: amount(random) },
    ),
  cancel: (random, { openChargeIds }) => onOne("cancelCharge", "chargeId", openChargeIds, random),
  correct: (random, { settledChargeIds }) =>
    onOne("correctCharge", "chargeId", settledChargeIds, random, () =>
      random.chance(0.4) ? {} : { amount: amount(random, 3) },
    ),
  giveMore: (random) => ["adjustCredits", { currency: "USD", amount: amount(random) }],
  takeBack: (random) => ["adjustCredits", { currency: "USD", amount: `-${amount(random, 4)}` }],
  voidGrant: (random, { grantIds }) => onOne("voidCreditGrant", "creditGrantId", grantIds, random),
  settleElsewhere: (random, { externalGrantIds }) =>
    onOne("updateExternalSettlement", "creditGrantId", externalGrantIds, random, () => ({
      status: random.pick([
        SettlementStatus.AUTHORIZED,
        SettlementStatus.SETTLED,
        SettlementStatus.SETTLED,
        SettlementStatus.FAILED,
      ]),
    })),
  issueInvoice: (random, { invoiceIds }) => onOne("issueInvoice", "invoiceId", invoiceIds, random),
  payInvoice: (random, { invoiceIds }) =>
    onOne(
      random.pick(["authorizeInvoicePayment", "settleInvoicePayment", "failInvoicePayment"]),
      "invoiceId",
      invoiceIds,
      random,
    ),
  voidInvoice: (random, { invoiceIds }) => onOne("voidInvoice", "invoiceId", invoiceIds, random),
  rename: (random) => [
    "updateCustomer",
    { name: `Customer ${random.below(1_000)}`, updateMask: { paths: ["name"] } },
  ],
};

function onOne(
  rpc: Rpc,
  field: "chargeId" | "creditGrantId" | "invoiceId",
  ids: readonly string[],
  random: Random,
  more: () => Fields = () => ({}),
): Ask | undefined {
  return ids.length === 0 ? undefined : [rpc, { [field]: random.pick(ids), ...more() }];
}

function grant(random: Random): Fields {
  return {
    name: "credit",
    currency: random.pick(CURRENCIES),
    amount: amount(random, 40),
    priority: random.pick([5, 10, 10, 20]),
    features: random.chance(0.2) ? [random.pick(FEATURES)] : [],
  };
}

function sale(random: Random): Fields {
  const availability = random.pick([
    Availability.ON_CREATION,
    Availability.ON_AUTHORIZATION,
    Availability.ON_SETTLEMENT,
  ]);
  return { ...grant(random), purchase: { currency: "USD", perUnitCost: "0.35", availability } };
}

function charge(random: Random, settlementMode: SettlementMode): Ask {
  return [
    "createCharge",
    {
      amount: amount(random),
      currency: random.pick(CURRENCIES),
      settlementMode,
      featureKey: random.chance(0.3) ? random.pick(FEATURES) : "",
    },
  ];
}

/** Amounts of all lengths, canonical. */
function amount(random: Random, units = 9): string {
  const whole = random.between(1, units);
  const decimals = random.pick(["", "", ".5", ".25", ".01", ".000000000001", ".333333"]);
  return `${whole}${decimals}`;
}
