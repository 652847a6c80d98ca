/**
 * Owns what a caller is told when a call fails: code, reason, message, facts and fields, and how
 * these become the error details of google.rpc that travel over every protocol.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.ts";
import { type Facts, type FieldViolation, type Reason, Refusal } from "../errors.ts";
import { CODE_BY_REASON } from "./error-codes.ts";

const ERROR_DOMAIN = "drawdown.v1";

/**
 * Over gRPC all of this travels in trailers, and clients give up on more than 8 KiB of headers. A
 * caller's own words (an unknown key, a broken value) come back in it, so each part is bounded.
 */
const MESSAGE_CHARACTERS_MAX = 250;
const FIELD_CHARACTERS_MAX = 80;
const DESCRIPTION_CHARACTERS_MAX = 160;
const FIELD_VIOLATIONS_MAX = 8;

/** When a caller who was turned away for load may come back. */
const RETRY_DELAY_S = 1;

export interface Failure {
  readonly code: Code;
  readonly reason: Reason;
  readonly message: string;
  readonly facts: Facts;
  readonly fieldViolations: readonly FieldViolation[];
}

/**
 * Says what to tell the caller about something that was thrown. Whatever is not a refusal is a
 * bug, of which the caller learns nothing more than that; who calls this logs the rest.
 */
export function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof Refusal)) {
    return {
      code: CODE_BY_REASON.INTERNAL,
      reason: "INTERNAL",
      message: "The service failed to answer, through no fault of the request.",
      facts: {},
      fieldViolations: [],
    };
  }
  const { reason, message, facts } = thrown;
  const code = CODE_BY_REASON[reason];
  // The contract promises a field for every INVALID_ARGUMENT; "" stands for the request itself.
  const fieldViolations =
    code === Code.InvalidArgument && thrown.fieldViolations.length === 0
      ? [{ field: "", description: message }]
      : thrown.fieldViolations;
  return { code, reason, message, facts, fieldViolations };
}

/** Makes the error that both edges put on the wire. */
export function toConnectError(failure: Failure, cause?: unknown): ConnectError {
  const { code, reason, message, facts, fieldViolations } = failure;
  const details: ConnectError["details"] = [
    { desc: ErrorInfoSchema, value: { reason, domain: ERROR_DOMAIN, metadata: { ...facts } } },
  ];
  if (fieldViolations.length > 0) {
    const violations = fieldViolations.slice(0, FIELD_VIOLATIONS_MAX).map((each) => ({
      field: shorten(each.field, FIELD_CHARACTERS_MAX),
      description: shorten(each.description, DESCRIPTION_CHARACTERS_MAX),
    }));
    details.push({ desc: BadRequestSchema, value: { fieldViolations: violations } });
  }
  if (code === Code.ResourceExhausted) {
    const value = { retryDelay: { seconds: BigInt(RETRY_DELAY_S), nanos: 0 } };
    details.push({ desc: RetryInfoSchema, value });
  }
  const shortened = shorten(message, MESSAGE_CHARACTERS_MAX);
  const error = new ConnectError(shortened, code, undefined, undefined, cause);
  error.details = details;
  return error;
}

/** A lone surrogate, which a cut can leave and JSON can bring, cannot be written to a header. */
function shorten(text: string, charactersMax: number): string {
  return (text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text).toWellFormed();
}
