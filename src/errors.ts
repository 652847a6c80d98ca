/**
 * Owns how the pure code says no: a refusal carries a reason of the contract and the facts;
 * a broken invariant is an assertion, which is a bug and never a caller's fault.
 */

/** The reasons that verbs and queries refuse with, in their published order of precedence. */
export const REASONS = [
  "UNAUTHENTICATED",
  "IDENTITY_PROVIDER_UNAVAILABLE",
  "PERMISSION_DENIED",
  "RATE_LIMITED",
  "INVALID_REQUEST",
  "TENANT_NOT_FOUND",
  "API_KEY_NOT_FOUND",
  "CUSTOMER_NOT_FOUND",
  "REQUEST_ID_REUSED",
  "CREDIT_GRANT_NOT_FOUND",
  "CHARGE_NOT_FOUND",
  "INVOICE_NOT_FOUND",
  "RATE_CARD_NOT_FOUND",
  "CURRENCY_NOT_FOUND",
  "CUSTOMER_KEY_TAKEN",
  "CURRENCY_CODE_TAKEN",
  "RATE_CARD_ARCHIVED",
  "CURRENCY_NOT_INVOICEABLE",
  "AMOUNT_TOO_FINE",
  "AMOUNT_OUT_OF_RANGE",
  "PURCHASE_ROUNDS_TO_ZERO",
  "TIME_NOT_IN_FUTURE",
  "CURSOR_MISMATCH",
  "CREDIT_GRANT_NOT_ACTIVE",
  "NOT_EXTERNALLY_FUNDED",
  "SETTLEMENT_TRANSITION_REFUSED",
  "CHARGE_NOT_OPEN",
  "CHARGE_NOT_SETTLED",
  "CORRECTION_EXCEEDS_CHARGE",
  "INVOICE_TRANSITION_REFUSED",
  "INVOICE_EMPTY",
  "INVOICE_TOTAL_NEGATIVE",
  "INSUFFICIENT_CREDITS",
  "TOO_MANY_DRAWS",
  "OVERLOADED",
  "DRAINING",
  "DATABASE_UNAVAILABLE",
  "OUTCOME_UNKNOWN",
  "INTERNAL",
] as const;

export type Reason = (typeof REASONS)[number];

/** What is wrong with one field of the request: its path as protobuf names it, and a sentence. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** Facts travel as the metadata of google.rpc.ErrorInfo, so they are strings. */
export type Facts = Readonly<Record<string, string>>;

/** A request that the rules do not allow. Nothing was written. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reason: Reason;
  readonly facts: Facts;
  readonly fieldViolations: readonly FieldViolation[];

  constructor(
    reason: Reason,
    message: string,
    facts: Facts,
    fieldViolations: readonly FieldViolation[],
  ) {
    super(message);
    this.reason = reason;
    this.facts = facts;
    this.fieldViolations = fieldViolations;
  }
}

/**
 * Makes the refusal to throw. `message` is a sentence for people; clients read reason and facts.
 * A refusal that is about one field of the request names its path in `field`.
 */
export function refuse(
  reason: Reason,
  message: string,
  facts: Facts = {},
  field?: string,
): Refusal {
  const violations = field === undefined ? [] : [{ field, description: message }];
  return new Refusal(reason, message, facts, violations);
}

/** A state that the code claims to be impossible. It reaches the caller as INTERNAL. */
export class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}

export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new AssertionFailure(claim);
}
