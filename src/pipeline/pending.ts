/** Owns a command that waits in a lane, and how whoever waits for it is answered. */
import { AssertionFailure, type Refusal, refuse } from "../errors.ts";
import type { Span } from "../tracing.ts";
import type { Command } from "./job.ts";

export interface Pending<Write extends Command<unknown, unknown>> {
  readonly write: Write;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Whether a COMMIT that may have stored it was not answered. */
  unclear: boolean;
  /** The call that it is for, where somebody records traces. */
  readonly span?: Span | undefined;
}

export type Outcome =
  | { readonly kind: "answered"; readonly answer: unknown }
  | { readonly kind: "failed"; readonly error: unknown };

export function settle(job: Pending<Command<unknown, unknown>>, outcome: Outcome): void {
  if (outcome.kind === "answered") job.resolve(outcome.answer);
  else job.reject(outcome.error);
}

/** Tells who waits that the command could not be run, or not be stored. */
export function fail(
  job: Pending<Command<unknown, unknown>>,
  error: Refusal | AssertionFailure,
): void {
  job.reject(job.unclear ? outcomeUnknown(job.write, error) : error);
}

/** Once a COMMIT went unanswered, no other failure says that nothing was written (W2). */
function outcomeUnknown({ request }: Command<unknown, unknown>, cause: unknown): Refusal {
  const message = "whether this was written is not known; sending it again is safe";
  const refusal = refuse("OUTCOME_UNKNOWN", message, { request_id: request.id });
  refusal.cause = cause;
  return refusal;
}

/** The failure of a command that alone, without any other in its batch, cannot be stored. */
export function notStorable(cause: unknown): AssertionFailure {
  return new AssertionFailure("the ledger failed to store a command", { cause });
}
