/**
 * Owns the fingerprint of a request: what tells a repeated request from another one under the same
 * request id (W1). It covers the RPC and the decoded message in a canonical form, so that JSON,
 * binary and another language's encoding of the same request agree.
 *
 * The canonical form is text: each field that is set, in the order of field numbers, as its number
 * and value. Strings carry their length and messages are bracketed, so that two messages never
 * share a form; map keys are sorted; amounts and UUIDs stand in their one spelling; what is not set
 * or not known leaves no trace. A field that a later contract adds therefore changes no fingerprint
 * of a request without it. The form must never change: replays of stored requests depend on it.
 *
 * The request id is left out, because it is what the fingerprint is kept under.
 */
import { hash } from "node:crypto";
import {
  type DescField,
  type DescMessage,
  type DescMethodUnary,
  getExtension,
  getOption,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import {
  type FieldRules,
  field as fieldRules,
  type StringRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  amount as amountRule,
  positive_amount as positiveAmountRule,
  signed_amount as signedAmountRule,
} from "../../gen/drawdown/v1/validation_pb.ts";
import { AssertionFailure, assert } from "../errors.ts";
import { amountFromDigits, formatAmount } from "../money/amount.ts";
import type { RequestKey } from "../pipeline/job.ts";
import { isZero } from "./quick-expression.ts";

/** A request as the pipeline knows it. */
export interface IdentifiedRequest {
  readonly request: RequestKey;
  /** About how much memory the request takes until it is answered. */
  readonly sizeBytes: number;
}

/**
 * SHA-256 cut to 128 bits: a caller can only ever collide with requests of its own under the same
 * id, and a charge's row carries what is stored here.
 */
const FINGERPRINT_BYTES = 16;

/** What a request takes besides its words: the message, the command, the promise of an answer. */
const REQUEST_BYTES = 2_000;
/** The words of a request are held in the message and in the command, in two bytes or one. */
const BYTES_PER_CHARACTER = 3;

/** The one field that is not part of what a request asks for. */
const REQUEST_ID_FIELD = "request_id";

/** A message of which only the descriptor knows the fields. */
type Fields = Readonly<Record<string, unknown>>;
type WriteFields = (message: Fields) => string;
type WriteValue = (value: unknown) => string;

/** Makes the function that identifies the requests of one RPC, by descriptor once and for all. */
export function compileIdentity<I extends DescMessage>(
  method: DescMethodUnary<I>,
): (request: MessageShape<I> & { readonly requestId: string }) => IdentifiedRequest {
  const head = `${method.parent.typeName}/${method.name}\n`;
  const write = compileMessage(method.input);
  return (request) => {
    const form = head + write(request as unknown as Fields);
    // Node makes a digest as a string at half the time that it takes to make a buffer.
    const digest = hash("sha256", form, "binary").slice(0, FINGERPRINT_BYTES);
    const fingerprint = Buffer.from(digest, "latin1");
    const sizeBytes = REQUEST_BYTES + BYTES_PER_CHARACTER * form.length;
    return { request: { id: request.requestId, fingerprint }, sizeBytes };
  };
}

function compileMessage(schema: DescMessage): WriteFields {
  const writers = schema.fields
    .filter((field) => field.name !== REQUEST_ID_FIELD)
    .toSorted((left, right) => left.number - right.number)
    .map(compileField);
  return (message) => {
    let form = "";
    for (const write of writers) form += write(message);
    return form;
  };
}

function compileField(field: DescField): WriteFields {
  const name = field.localName;
  switch (field.fieldKind) {
    case "list":
      return compileList(field);
    case "map":
      return compileMap(field);
    default: {
      const write = compileSingle(field, rulesOf(field));
      const mark = `${field.number}:`;
      if (field.oneof !== undefined) {
        const group = field.oneof.localName;
        return (message) => {
          const chosen = message[group] as { readonly case?: string; readonly value?: unknown };
          return chosen.case === name ? mark + write(chosen.value) : "";
        };
      }
      const tracked = field.presence !== FeatureSet_FieldPresence.IMPLICIT;
      return (message) => {
        const value = message[name];
        const unset = tracked ? value === undefined : isZero(value);
        return unset ? "" : mark + write(value);
      };
    }
  }
}

function compileList(field: DescField & { readonly fieldKind: "list" }): WriteFields {
  const rules = rulesOf(field)?.type;
  const write = compileSingle(field, rules?.case === "repeated" ? rules.value.items : undefined);
  const name = field.localName;
  const mark = `${field.number}:`;
  return (message) => {
    let form = "";
    for (const value of message[name] as readonly unknown[]) form += mark + write(value);
    return form;
  };
}

function compileMap(field: DescField & { readonly fieldKind: "map" }): WriteFields {
  assert(
    field.mapKey === ScalarType.STRING && field.scalar === ScalarType.STRING,
    `the map ${String(field)} is one of strings`,
  );
  const name = field.localName;
  const mark = `${field.number}:`;
  return (message) => {
    const map = message[name] as Readonly<Record<string, string>>;
    const keys = Object.keys(map);
    if (keys.length > 1) keys.sort();
    let form = "";
    for (const key of keys) form += mark + writeString(key) + writeString(map[key] ?? "");
    return form;
  };
}

/** Writes one value so that its end can be told. */
function compileSingle(
  field: DescField & { readonly fieldKind: "scalar" | "enum" | "message" | "list" },
  rules: FieldRules | undefined,
): WriteValue {
  if (field.message !== undefined) {
    const write = compileMessage(field.message);
    return (value) => `{${write(value as Fields)}}`;
  }
  if (field.enum !== undefined) return writeNumber;
  switch (field.scalar) {
    case ScalarType.STRING:
      return compileString(rules?.type.case === "string" ? rules.type.value : undefined);
    case ScalarType.BOOL:
    case ScalarType.INT32:
    case ScalarType.INT64:
      return writeNumber;
    default:
      throw new AssertionFailure(`no canonical form is known for the field ${String(field)}`);
  }
}

function compileString(rules: StringRules | undefined): WriteValue {
  if (rules !== undefined) {
    const amountRules = [amountRule, positiveAmountRule, signedAmountRule];
    if (amountRules.some((rule) => getExtension(rules, rule))) return writeAmount;
    if (rules.wellKnown.case === "uuid") return writeUuid;
  }
  return (value) => writeString(value as string);
}

function writeNumber(value: unknown): string {
  return `${String(value)};`;
}

function writeString(text: string): string {
  return `${text.length}=${text};`;
}

/** An amount has been validated by now; only zeros at the end of its decimals can be needless. */
function writeAmount(value: unknown): string {
  const text = value as string;
  const canonical = text.endsWith("0") && text.includes(".");
  return writeString(canonical ? formatAmount(amountFromDigits(text)) : text);
}

function writeUuid(value: unknown): string {
  return writeString((value as string).toLowerCase());
}

function rulesOf(field: DescField): FieldRules | undefined {
  return getOption(field, fieldRules);
}
