/** Owns how a refusal becomes a message inside an answer, with what the call would have failed. */
import { ErrorReason } from "../../../gen/drawdown/v1/error_reason_pb.ts";
import type { Refusal } from "../../../gen/drawdown/v1/refusal_pb.ts";
import { failureOf } from "../failure.ts";

export function toProtoRefusal(thrown: unknown): Refusal {
  const { code, reason, message, facts, fieldViolations } = failureOf(thrown);
  return {
    $typeName: "drawdown.v1.Refusal",
    code,
    reason: ErrorReason[reason],
    message,
    metadata: { ...facts },
    fieldViolations: fieldViolations.map(({ field, description }) => ({
      $typeName: "drawdown.v1.FieldViolation",
      field,
      description,
    })),
  };
}
