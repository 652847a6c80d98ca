/**
 * Owns the batch of charges: each item is validated, submitted and answered alone, as if it had
 * come by CreateCharge, and items of one customer apply in their order.
 */
import { setImmediate } from "node:timers/promises";
import type {
  BatchCreateChargesResponse,
  BatchCreateChargesResult,
  CreateChargeRequest,
  CreateChargeResponse,
} from "../../gen/drawdown/v1/charge_service_pb.ts";
import { CreateChargeRequestSchema } from "../../gen/drawdown/v1/charge_service_pb.ts";
import { assert, Refusal } from "../errors.ts";
import type { Call } from "./method.ts";
import { toProtoRefusal } from "./to-proto/refusal.ts";
import { requireValid } from "./validation.ts";

/** Validation takes the processor: so many items at a time, then others have their turn. */
const ITEMS_PER_TURN_MAX = 100;

/**
 * Everything is converted before anything is submitted, so that a bug in converting fails the call
 * as a whole and nothing is written. Submitting happens in one go, which keeps the order.
 */
export async function batchCreateCharges<Write>(
  requests: readonly CreateChargeRequest[],
  way: {
    /** May throw a refusal. */
    readonly write: (request: CreateChargeRequest) => Write;
    readonly submit: (write: Write) => Promise<CreateChargeResponse>;
    readonly call: Pick<Call, "signal" | "noteBug">;
  },
): Promise<BatchCreateChargesResponse> {
  const writes: (Write | Refusal)[] = [];
  for (const [index, request] of requests.entries()) {
    if (index > 0 && index % ITEMS_PER_TURN_MAX === 0) await setImmediate();
    writes.push(convert(request, way.write));
  }
  const outcomes = await Promise.allSettled(
    writes.map(async (write) => {
      if (write instanceof Refusal) throw write;
      return way.submit(write);
    }),
  );
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled" || outcome.reason instanceof Refusal) continue;
    // What had not begun when the call's time was over was not tried: there is no answer for it.
    if (way.call.signal.aborted && outcome.reason === way.call.signal.reason) throw outcome.reason;
    way.call.noteBug(outcome.reason);
  }
  return {
    $typeName: "drawdown.v1.BatchCreateChargesResponse",
    results: outcomes.map(toProtoResult),
  };
}

function convert<Write>(
  request: CreateChargeRequest,
  write: (request: CreateChargeRequest) => Write,
): Write | Refusal {
  try {
    requireValid(CreateChargeRequestSchema, request);
    return write(request);
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown;
    throw thrown;
  }
}

function toProtoResult(
  outcome: PromiseSettledResult<CreateChargeResponse>,
): BatchCreateChargesResult {
  const $typeName = "drawdown.v1.BatchCreateChargesResult";
  if (outcome.status === "rejected") {
    return { $typeName, result: { case: "error", value: toProtoRefusal(outcome.reason) } };
  }
  const { charge } = outcome.value;
  assert(charge !== undefined, "a charge that was created is answered");
  return { $typeName, result: { case: "charge", value: charge } };
}
