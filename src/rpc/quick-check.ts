/**
 * Owns a quick look at a request: compiled from the rules that the contract declares, it tells
 * that a message surely breaks none of them. Where it is not sure, because a message is unusual or
 * a rule is of a kind that is not known here, the validator has the word. It never says what is
 * wrong, so messages and field paths are always the validator's own.
 */
import {
  type DescField,
  type DescMessage,
  getExtension,
  getOption,
  hasExtension,
  isFieldSet,
  type Message,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import {
  EnumRulesSchema,
  type FieldRules,
  FieldRulesSchema,
  field as fieldOption,
  Ignore,
  MapRulesSchema,
  MessageRulesSchema,
  message as messageOption,
  oneof as oneofOption,
  predefined as predefinedOption,
  RepeatedRulesSchema,
  type StringRules,
  StringRulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  amount,
  text as anyText,
  currency_code as currencyCode,
  feature_key as featureKey,
  money_code as moneyCode,
  one_line as oneLine,
  positive_amount as positiveAmount,
  signed_amount as signedAmount,
} from "../../gen/drawdown/v1/validation_pb.ts";
import { compileCondition, compileStringRule, type Fields, isZero } from "./quick-expression.ts";

/** Whether a value surely breaks no rule. False says nothing. */
type Check<Value> = (value: Value) => boolean;

export type QuickCheck = Check<Message>;

/** Thrown and caught in this module: a rule is of a kind that is not known here. */
class NotKnown extends Error {}

function require(known: boolean): asserts known {
  if (!known) throw new NotKnown();
}

/** Compiles the rules of a message; undefined when they say more than is known here. */
export function compileQuickCheck(schema: DescMessage): QuickCheck | undefined {
  try {
    const checks = [...schema.fields.map(compileField), ...compileConditions(schema)];
    return (message) => checks.every((check) => check(message as unknown as Fields));
  } catch (error) {
    if (error instanceof NotKnown) return undefined;
    throw error;
  }
}

function compileConditions(schema: DescMessage): readonly Check<Fields>[] {
  const rules = getOption(schema, messageOption);
  requireOnly(MessageRulesSchema, rules, ["cel"]);
  require(schema.oneofs.every((each) => !getOption(each, oneofOption).required));
  return rules.cel.map(({ expression }) => {
    const condition = compileCondition(schema, expression);
    require(condition !== undefined);
    return condition;
  });
}

/** Whatever else is set of the rules could ask for more than is checked here. */
function requireOnly<Rules extends DescMessage>(
  schema: Rules,
  rules: MessageShape<Rules>,
  known: readonly string[],
): void {
  for (const each of schema.fields) {
    require(known.includes(each.name) || !isFieldSet(rules, each));
  }
  // Extensions of the rules are known of strings only, and looked at there.
  if (schema.typeName !== StringRulesSchema.typeName) require(!rules.$unknown?.length);
}

const surely = () => true;

function compileField(field: DescField): Check<Fields> {
  const name = field.localName;
  const rules = getOption(field, fieldOption);
  requireOnly(FieldRulesSchema, rules, [...KNOWN_OF_FIELDS, "timestamp"]);
  if (rules.ignore === Ignore.ALWAYS) return surely;
  // What may be left out is checked only where it is: whoever sends more goes the long way.
  if (field.oneof !== undefined) {
    const group = field.oneof.localName;
    return (message) => (message[group] as { readonly case?: string }).case === undefined;
  }
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT && !isCounted(field)) {
    return (message) => message[name] === undefined;
  }
  const check = compileValue(field, rules);
  const mayBeZero = rules.ignore === Ignore.IF_ZERO_VALUE;
  return (message) => {
    const value = message[name];
    return (mayBeZero && isZero(value)) || check(value);
  };
}

const isCounted = ({ fieldKind }: DescField) => fieldKind === "list" || fieldKind === "map";

/** What can be set of a field's rules. */
const KNOWN_OF_FIELDS = ["ignore", "string", "enum", "repeated", "map"];

function compileValue(field: DescField, rules: FieldRules): Check<unknown> {
  const { case: kind, value } = rules.type;
  switch (field.fieldKind) {
    case "list":
      return compileList(rules) as Check<unknown>;
    case "map":
      return compileMap(field, rules) as Check<unknown>;
    case "enum": {
      if (kind === undefined) return surely;
      require(kind === "enum");
      requireOnly(EnumRulesSchema, value, ["defined_only", "not_in"]);
      const defined = field.enum.values.map(({ number }) => number);
      const allowed = new Set(defined.filter((number) => !value.notIn.includes(number)));
      return (chosen) => allowed.has(chosen as number);
    }
    default:
      if (kind === undefined) return surely;
      require(kind === "string" && field.scalar === ScalarType.STRING);
      return compileString(value) as Check<unknown>;
  }
}

function compileList({ type }: FieldRules): Check<readonly unknown[]> {
  if (type.case === undefined) return (list) => list.length === 0;
  require(type.case === "repeated");
  const { minItems, maxItems, unique, items } = type.value;
  requireOnly(RepeatedRulesSchema, type.value, ["min_items", "max_items", "unique", "items"]);
  const most = items?.ignore === Ignore.ALWAYS && !unique ? Number(maxItems) : 0;
  return (list) => list.length >= Number(minItems) && list.length <= most;
}

function compileMap(
  field: DescField,
  { type }: FieldRules,
): Check<Readonly<Record<string, string>>> {
  if (type.case === undefined) return (map) => Object.keys(map).length === 0;
  require(type.case === "map" && field.fieldKind === "map" && field.scalar === ScalarType.STRING);
  require(field.mapKey === ScalarType.STRING);
  requireOnly(MapRulesSchema, type.value, ["max_pairs", "keys", "values"]);
  const { maxPairs, keys, values } = type.value;
  const checkKey = compileText(keys);
  const checkValue = compileText(values);
  return (map) => {
    const entries = Object.entries(map);
    return (
      entries.length <= Number(maxPairs) &&
      entries.every(([key, value]) => checkKey(key) && checkValue(value))
    );
  };
}

/** The check of a map's keys or values. */
function compileText(rules: FieldRules | undefined): Check<string> {
  if (rules === undefined) return surely;
  requireOnly(FieldRulesSchema, rules, ["string"]);
  return rules.type.case === "string" ? compileString(rules.type.value) : surely;
}

/** The contract's own rules of strings that are known here. */
const OWN_RULES = [
  ...[amount, positiveAmount, signedAmount],
  ...[currencyCode, moneyCode, featureKey, oneLine, anyText],
];

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

function compileString(rules: StringRules): Check<string> {
  requireOnly(StringRulesSchema, rules, ["min_len", "max_len", "uuid"]);
  const checks: Check<string>[] = [];
  // A length counts characters, of which each takes one or two of JavaScript's units.
  const { minLen, maxLen } = rules;
  const shortest = minLen > 1n ? 2 * Number(minLen) : Number(minLen);
  if (shortest > 0) checks.push((text) => text.length >= shortest);
  if (isFieldSet(rules, StringRulesSchema.field.maxLen)) {
    const longest = Number(maxLen);
    checks.push((text) => text.length <= longest);
  }
  if (rules.wellKnown.case === "uuid" && rules.wellKnown.value) {
    checks.push((text) => UUID.test(text));
  }
  checks.push(...compileOwnRules(rules));
  const [only, ...others] = checks;
  if (only !== undefined && others.length === 0) return only;
  return (text) => checks.every((check) => check(text));
}

function compileOwnRules(rules: StringRules): readonly Check<string>[] {
  const set = OWN_RULES.filter((rule) => hasExtension(rules, rule));
  require((rules.$unknown ?? []).every(({ no }) => set.some(({ number }) => number === no)));
  return set
    .filter((rule) => getExtension(rules, rule))
    .flatMap((rule) =>
      getOption(rule, predefinedOption).cel.map(({ expression }) => {
        const check = compileStringRule(expression);
        require(check !== undefined);
        return check;
      }),
    );
}
