/** Owns how a movement becomes a message of the contract (H1, H2). */
import {
  type Movement as MovementMessage,
  MovementType,
} from "../../../gen/drawdown/v1/movement_pb.ts";
import { assert } from "../../errors.ts";
import { isMovement } from "../../ledger/chart.ts";
import type { CustomerId } from "../../ledger/ids.ts";
import { signedAmount } from "../../ledger/transfer.ts";
import { formatAmount } from "../../money/amount.ts";
import { type Movement, movementId } from "../../queries/movement.ts";
import { bytesOfMetadata, bytesOfTexts } from "../../queries/page.ts";
import { toProtoTimestamp } from "./timestamp.ts";

const ANSWER_WORDS_BYTES_MAX = 1_048_576;
const NO_WORDS = { description: "", metadata: {} };

/**
 * The movements of one answer. Each repeats the words of its command or its grant, up to a thousand
 * times: from so many bytes of them on, movements come without. An answer that is larger than a
 * client takes could never be had, neither at first nor as a replay.
 */
export function toProtoMovements(
  customerId: CustomerId,
  movements: readonly Movement[],
): MovementMessage[] {
  let bytes = 0;
  return movements.map((movement) => {
    bytes += bytesOfTexts([movement.description]) + bytesOfMetadata(movement.metadata);
    const fits = bytes <= ANSWER_WORDS_BYTES_MAX;
    return toProtoMovement(customerId, fits ? movement : { ...movement, ...NO_WORDS });
  });
}

/** Makes the message as a literal, so that the compiler refuses a field that was forgotten. */
export function toProtoMovement(customerId: CustomerId, movement: Movement): MovementMessage {
  const { transfer } = movement;
  const { event, settledAfter } = transfer;
  assert(isMovement(event), "only movements are shown as movements");
  const amount = signedAmount(transfer);
  return {
    $typeName: "drawdown.v1.Movement",
    id: movementId(customerId, transfer),
    sequence: transfer.sequence,
    type: MovementType[event],
    amount: formatAmount(amount),
    currency: transfer.currency,
    creditGrantId: transfer.grantId,
    chargeId: transfer.chargeId ?? "",
    balanceBefore: formatAmount(settledAfter - amount),
    balanceAfter: formatAmount(settledAfter),
    bookedAt: toProtoTimestamp(transfer.bookedAt),
    createdAt: toProtoTimestamp(transfer.createdAt),
    description: movement.description,
    metadata: movement.metadata,
  };
}
