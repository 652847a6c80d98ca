/** Owns how requests about credit grants become commands. */
import {
  Availability,
  CreditGrantStatus,
  FundingMethod,
  SettlementStatus,
} from "../../../gen/drawdown/v1/credit_grant_pb.ts";
import type {
  AdjustCreditsRequest,
  CreateCreditGrantRequest,
  ListCreditGrantsRequest,
  PurchaseTerms,
  UpdateExternalSettlementRequest,
  VoidCreditGrantRequest,
} from "../../../gen/drawdown/v1/credit_grant_service_pb.ts";
import type { AdjustCredits } from "../../grant/adjust-credits.ts";
import type { CreateCreditGrant } from "../../grant/create-credit-grant.ts";
import type { UpdateExternalSettlement } from "../../grant/update-external-settlement.ts";
import type { VoidCreditGrant } from "../../grant/void-credit-grant.ts";
import { parseDuration } from "../../money/duration.ts";
import type { CreditGrantFilter } from "../../queries/credit-grants.ts";
import { invalidRequest } from "../validation.ts";
import { fromProtoAmount } from "./amount.ts";
import { fromProtoEnum } from "./enum.ts";
import { fromProtoId, fromProtoOptional } from "./id.ts";
import { fromProtoTimestamp } from "./timestamp.ts";

/** The place in the draw order of credit for which none was asked. */
const PRIORITY_DEFAULT = 10;

export function fromProtoCreateCreditGrant(request: CreateCreditGrantRequest): CreateCreditGrant {
  return {
    name: request.name,
    description: request.description,
    fundingMethod: fromProtoEnum(FundingMethod, request.fundingMethod),
    currency: request.currency,
    amount: fromProtoAmount(request.amount),
    priority: request.priority === 0 ? PRIORITY_DEFAULT : request.priority,
    effectiveAt: fromProtoTimestamp(request.effectiveAt, "effective_at"),
    expiresAt: fromProtoTimestamp(request.expiresAt, "expires_at"),
    expiresAfter: fromProtoDuration(request.expiresAfter, "expires_after"),
    features: request.features,
    purchase: fromProtoPurchase(request.purchase),
    metadata: request.metadata,
  };
}

/** The declared rules see how a duration is written; how long it is can be seen only here (M5). */
function fromProtoDuration(text: string, field: string): string | null {
  if (text === "") return null;
  if (parseDuration(text) !== undefined) return text;
  const description = "must be a duration of at most P100Y";
  throw invalidRequest(`${field}: ${description}`, [{ field, description }]);
}

function fromProtoPurchase(purchase: PurchaseTerms | undefined): CreateCreditGrant["purchase"] {
  if (purchase === undefined) return null;
  return {
    currency: purchase.currency,
    perUnitCost: fromProtoAmount(purchase.perUnitCost),
    availability: fromProtoEnum(Availability, purchase.availability, "ON_SETTLEMENT"),
  };
}

export function fromProtoVoidCreditGrant(request: VoidCreditGrantRequest): VoidCreditGrant {
  return { grantId: fromProtoId(request.creditGrantId), reason: request.reason };
}

export function fromProtoUpdateExternalSettlement(
  request: UpdateExternalSettlementRequest,
): UpdateExternalSettlement {
  return {
    grantId: fromProtoId(request.creditGrantId),
    status: fromProtoEnum(SettlementStatus, request.status),
  };
}

export function fromProtoAdjustCredits(request: AdjustCreditsRequest): AdjustCredits {
  return {
    currency: request.currency,
    amount: fromProtoAmount(request.amount),
    reason: request.reason,
    grantId: request.creditGrantId === "" ? null : fromProtoId(request.creditGrantId),
    metadata: request.metadata,
  };
}

export function fromProtoCreditGrantFilter(request: ListCreditGrantsRequest): CreditGrantFilter {
  const { fundingMethods, statuses } = request;
  return {
    statuses: statuses.map((status) => fromProtoEnum(CreditGrantStatus, status)),
    fundingMethods: fundingMethods.map((method) => fromProtoEnum(FundingMethod, method)),
    currency: fromProtoOptional(request.currency),
  };
}
