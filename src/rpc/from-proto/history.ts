/** Owns how requests for the history become questions to the queries (H3, H4). */
import type {
  ListMovementsRequest,
  StreamMovementsRequest,
} from "../../../gen/drawdown/v1/history_service_pb.ts";
import { MovementOrder, MovementType } from "../../../gen/drawdown/v1/movement_pb.ts";
import type { MovementAsk } from "../../queries/movement-filter.ts";
import { fromProtoEnum } from "./enum.ts";
import { fromProtoFeatureFilter } from "./feature-filter.ts";
import { fromProtoId, fromProtoOptional } from "./id.ts";
import { fromProtoTimestamp } from "./timestamp.ts";

export function fromProtoMovementAsk(
  request: ListMovementsRequest | StreamMovementsRequest,
): MovementAsk {
  const { creditGrantId, chargeId } = request;
  return {
    order: fromProtoEnum(MovementOrder, request.order, "NEWEST_FIRST"),
    filter: {
      currency: fromProtoOptional(request.currency),
      types: request.types.map((type) => fromProtoEnum(MovementType, type)),
      features: fromProtoFeatureFilter(request.featureFilter),
      grantId: creditGrantId === "" ? null : fromProtoId(creditGrantId),
      chargeId: chargeId === "" ? null : fromProtoId(chargeId),
      bookedFrom: fromProtoTimestamp(request.bookedFrom, "booked_from"),
      bookedUntil: fromProtoTimestamp(request.bookedUntil, "booked_until"),
    },
  };
}
