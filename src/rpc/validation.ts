/**
 * Owns the check of a request against the rules that the contract declares, and the field paths
 * that a caller is told. Nothing here knows what a request means.
 */
import {
  create,
  createRegistry,
  type DescMessage,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { file_drawdown_v1_validation } from "../../gen/drawdown/v1/validation_pb.ts";
import { AssertionFailure, type FieldViolation, Refusal } from "../errors.ts";
import { compileQuickCheck, type QuickCheck } from "./quick-check.ts";

const validator = createValidator({ registry: createRegistry(file_drawdown_v1_validation) });

/** By message; null where the rules say more than a quick look can tell. */
const quickChecks = new Map<DescMessage, QuickCheck | null>();

/** Whether a quick look is enough: most requests are well formed in the usual way. */
function isSurelyValid(schema: DescMessage, message: Message): boolean {
  let check = quickChecks.get(schema);
  if (check === undefined) {
    check = compileQuickCheck(schema) ?? null;
    quickChecks.set(schema, check);
  }
  return check?.(message) ?? false;
}

/** Returns every rule that a message breaks. Empty when it is well formed. */
export function validateMessage<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
): readonly FieldViolation[] {
  if (isSurelyValid(schema, message)) return [];
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return [];
  if (result.kind === "error") {
    throw new AssertionFailure(
      `the rules of ${schema.typeName} cannot be run: ${result.error.message}`,
    );
  }
  return result.violations.map((violation) => ({
    field: fieldPathOf(violation),
    description: violation.message,
  }));
}

/** Refuses a message that breaks a rule, with all the rules that it breaks. */
export function requireValid<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  const violations = validateMessage(schema, message);
  if (violations.length > 0) throw invalidRequest(describeViolations(violations), violations);
}

/** The refusal of a request that cannot be read or breaks a rule. */
export function invalidRequest(message: string, violations: readonly FieldViolation[]): Refusal {
  return new Refusal("INVALID_REQUEST", message, {}, violations);
}

/** Compiles the rules of messages before the first caller pays for it (80 ms for the first). */
export function warmValidation(schemas: Iterable<DescMessage>): void {
  for (const schema of schemas) validateMessage(schema, create(schema));
}

/** So many violations a message tells; the details of the error have all of them. */
const VIOLATIONS_TOLD_MAX = 3;

/** What people read who do not decode the details, as of `buf curl`. */
function describeViolations(violations: readonly FieldViolation[]): string {
  const told = violations
    .slice(0, VIOLATIONS_TOLD_MAX)
    .map(({ field, description }) => (field === "" ? description : `${field}: ${description}`));
  const untold = violations.length - told.length;
  return [...told, ...(untold > 0 ? [`and ${untold} more`] : [])].join("; ");
}

/** The rules on whole messages that buf.validate itself has. They blame the message. */
const OWN_RULES_OF_MESSAGES: readonly string[] = ["message.oneof", "required"];

/**
 * A rule of a whole message is violated at the path of that message, and has no path itself. By
 * the contract's convention its id begins with the field to blame, before the first dot.
 */
function fieldPathOf(violation: Violation): string {
  const path = pathToString(violation.field);
  if (violation.rule.length > 0 || OWN_RULES_OF_MESSAGES.includes(violation.ruleId)) return path;
  const [field = ""] = violation.ruleId.split(".", 1);
  return path === "" ? field : `${path}.${field}`;
}
