/**
 * Owns the checker of calls that ran at once: it looks for an order in which the model gives every
 * one of the answers that were seen. A call that had ended before another began stands before it.
 */
import type { JsonValue } from "@bufbuild/protobuf";
import { ChargeService } from "../../gen/drawdown/v1/charge_service_pb.ts";
import type { Model } from "./model.ts";
import { isObject, type Names } from "./names.ts";
import { type Call, expectOf } from "./run.ts";
import type { Outcome } from "./subject.ts";

/** A call as its caller saw it, times in milliseconds of one clock. */
export interface Seen extends Call {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly outcome: Outcome;
  /** What it follows in any order, although both ran at once. */
  readonly after?: Seen | undefined;
}

/** What the model and its names are when an order explains everything. */
export interface Explained {
  readonly model: Model;
  readonly names: Names;
  readonly order: readonly (Seen & { readonly expected: Outcome })[];
}

/** The longest beginning of an order that explains what was seen, and what did not go on. */
export interface Unexplained {
  readonly order: readonly Seen[];
  readonly differences: readonly string[];
}

/** What no order of so many calls explains is told as it stands, instead of after hours. */
const TRIES_MAX = 20_000;

export function findOrder(
  start: Omit<Explained, "order">,
  calls: readonly Seen[],
  clock: bigint,
): Explained | Unexplained {
  let deepest: Unexplained = { order: [], differences: ["nothing was seen"] };
  let tries = 0;

  function search(state: Explained, left: readonly Seen[]): Explained | undefined {
    if (left.length === 0) return state;
    const differences: string[] = [];
    const further: { readonly next: Explained; readonly rest: readonly Seen[] }[] = [];
    for (const call of left.filter((each) => mayBeNext(each, left))) {
      tries += 1;
      const [model, names] = [state.model.clone(), state.names.copy()];
      const expected = expectOf(model, call, clock);
      const found = names.compare(call.method, expected, call.outcome);
      differences.push(...found.slice(0, 3).map((each) => `${tell(call)}${each}`));
      if (found.length > 0) continue;
      const order = [...state.order, { ...call, expected }];
      const step = { next: { model, names, order }, rest: left.filter((each) => each !== call) };
      // What fits here and changes nothing may as well stand here as anywhere later.
      if (!("requestId" in call.ask) || "refused" in expected) return search(step.next, step.rest);
      further.push(step);
    }
    for (const { next, rest } of further) {
      const explained = tries > TRIES_MAX ? undefined : search(next, rest);
      if (explained !== undefined) return explained;
    }
    const isDeeper = deepest.order.length <= state.order.length && differences.length > 0;
    if (isDeeper) deepest = { order: state.order, differences };
    return undefined;
  }

  return search({ ...start, order: [] }, calls.flatMap(itemsOf).sort(byEnd)) ?? deepest;
}

const byEnd = (left: Seen, right: Seen) => left.endedAtMs - right.endedAtMs;

/** Whether nothing that is left must stand before the call. */
const mayBeNext = (call: Seen, left: readonly Seen[]) =>
  left.every((other) => other !== call.after && other.endedAtMs >= call.startedAtMs);

/** A batch is as many calls as it has items, each at a place of its own, in their order. */
function itemsOf(call: Seen): readonly Seen[] {
  const { method, ask, outcome } = call;
  if (method.name !== "BatchCreateCharges" || "refused" in outcome) return [call];
  const [answer] = outcome.answers;
  const results = listOf(isObject(answer) ? answer["results"] : undefined);
  const items: Seen[] = [];
  for (const [at, request] of listOf(ask["requests"]).entries()) {
    const { charge, error = {} } = results[at] ?? {};
    const after = items.at(-1);
    const item = { ...call, method: ChargeService.method.createCharge, ask: request, after };
    const answers = charge === undefined ? undefined : [{ charge }];
    items.push({ ...item, outcome: answers ? { answers } : { refused: refusedOf(error) } });
  }
  return items;
}

const listOf = (value: JsonValue | undefined) =>
  Array.isArray(value) ? value.filter(isObject) : [];

/** A refusal in an answer, as it would have been thrown. */
function refusedOf(error: JsonValue): JsonValue {
  const { code = 0, reason = "", metadata = {}, fieldViolations } = isObject(error) ? error : {};
  const fields = listOf(fieldViolations).map(({ field = "" }) => field);
  return { code, reason: String(reason).replace("ERROR_REASON_", ""), facts: metadata, fields };
}

export const tell = ({ method, ask }: Call) => `${method.name} ${JSON.stringify(ask)}`;
