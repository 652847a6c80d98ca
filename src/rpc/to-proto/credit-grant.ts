/** Owns how a credit grant becomes a message of the contract. */
import {
  Availability,
  type CreditGrant,
  CreditGrantStatus,
  FundingMethod,
  type Purchase,
  SettlementStatus,
} from "../../../gen/drawdown/v1/credit_grant_pb.ts";
import type { GrantTerms } from "../../book/nouns.ts";
import type { CustomerId } from "../../ledger/ids.ts";
import type { Lot } from "../../ledger/lot.ts";
import { formatAmount } from "../../money/amount.ts";
import { toProtoTimestamp } from "./timestamp.ts";

/** Makes the message as a literal, so that the compiler refuses a field that was forgotten. */
export function toProtoCreditGrant(
  customerId: CustomerId,
  { lot, terms }: { readonly lot: Lot; readonly terms: GrantTerms },
): CreditGrant {
  return {
    $typeName: "drawdown.v1.CreditGrant",
    id: lot.id,
    customerId,
    name: terms.name,
    description: terms.description,
    fundingMethod: FundingMethod[lot.fundingMethod],
    currency: lot.currency,
    amount: formatAmount(lot.amount),
    remaining: formatAmount(lot.remaining),
    held: formatAmount(lot.held),
    priority: lot.priority,
    status: CreditGrantStatus[lot.status],
    effectiveAt: toProtoTimestamp(lot.effectiveAt),
    expiresAt: toProtoTimestamp(lot.expiresAt),
    expiresAfter: lot.expiresAfter ?? "",
    features: [...lot.features],
    purchase: toProtoPurchase(lot, terms),
    invoiceId: terms.invoiceId ?? "",
    metadata: terms.metadata,
    createdAt: toProtoTimestamp(terms.createdAt),
    voidedAt: toProtoTimestamp(lot.voidedAt),
    voidReason: lot.voidReason ?? "",
  };
}

function toProtoPurchase(lot: Lot, { purchase }: GrantTerms): Purchase | undefined {
  if (purchase === null || lot.availability === null || lot.settlementStatus === null) {
    return undefined;
  }
  return {
    $typeName: "drawdown.v1.Purchase",
    currency: purchase.currency,
    perUnitCost: formatAmount(purchase.perUnitCost),
    amount: formatAmount(purchase.amount),
    availability: Availability[lot.availability],
    settlementStatus: SettlementStatus[lot.settlementStatus],
  };
}
