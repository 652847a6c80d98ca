/**
 * Owns messages that break a rule, made from the rules themselves: of each field of a request, the
 * values that its declared rules forbid. A rule that is added to the contract is broken here too.
 */
import {
  type DescField,
  type DescMessage,
  getExtension,
  getOption,
  hasExtension,
  isFieldSet,
  type JsonObject,
  type JsonValue,
} from "@bufbuild/protobuf";
import {
  type FieldRules,
  field as fieldOption,
  Ignore,
  type StringRules,
  StringRulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  amount,
  text as anyText,
  currency_code as currencyCode,
  feature_key as featureKey,
  iso_duration as isoDuration,
  money_code as moneyCode,
  one_line as oneLine,
  positive_amount as positiveAmount,
  signed_amount as signedAmount,
} from "../../gen/drawdown/v1/validation_pb.ts";

/** A value that a field may not have, and the path that must be blamed for it. */
export interface Breach {
  /** Names as JSON has them, from the request down. */
  readonly path: readonly string[];
  readonly value: JsonValue;
  readonly blamed: string;
}

const NOT_AMOUNTS = ["1e3", "NaN", "+1", "01", "1.", ".5", " 1", "1_000", "1.0000000000001", "-"];
const NOT_IDS = ["1", "not-a-uuid", "0190a1b2-c3d4-7000-8000-00000000deadx", "x".repeat(5_000)];
const NOT_DURATIONS = ["P", "PT", "P0D", "-P1D", "P1.5D", "1D", "P1DT", "p1d"];
const NOT_TEXTS = ["\u0000", "a\u0000b"];
const NOT_LINES = [...NOT_TEXTS, "a\nb", "\t", "\u007f"];
const NOT_KEYS = [...NOT_LINES, " ", "%", "é", "_a", "a b"];
const NOT_CODES = [...NOT_KEYS, "usd", "US", "1AB", "U-S", "USD ", "X".repeat(33)];
/** What a rule of the contract's own forbids. */
const FORBIDDEN_BY = [
  [amount, NOT_AMOUNTS],
  [positiveAmount, [...NOT_AMOUNTS, "0", "0.000", "-1"]],
  [signedAmount, NOT_AMOUNTS],
  [isoDuration, NOT_DURATIONS],
  [currencyCode, NOT_CODES],
  [moneyCode, [...NOT_CODES, "USDT"]],
  [featureKey, NOT_KEYS],
  [oneLine, NOT_LINES],
  [anyText, NOT_TEXTS],
] as const;
const NOT_MOMENTS = ["1969-12-31T23:59:59Z", "9000-01-01T00:00:01Z"];

/** Every breach of a request's own fields and of those of the messages in it. */
export function breachesOf(schema: DescMessage, at: readonly string[] = []): readonly Breach[] {
  return schema.fields.flatMap((field) => {
    const path = [...at, field.jsonName];
    const blamed = path.map(snake).join(".");
    const values = forbiddenOf(field).map(([value, element = ""]) => ({
      path,
      value,
      blamed: `${blamed}${element}`,
    }));
    const isOwn = field.message?.typeName.startsWith("drawdown.") && field.fieldKind === "message";
    return isOwn && field.message ? [...values, ...breachesOf(field.message, path)] : values;
  });
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A value, and the part of the field that is blamed where it is not the field itself. */
type Forbidden = readonly [value: JsonValue, element?: string];

function forbiddenOf(field: DescField): readonly Forbidden[] {
  const rules = getOption(field, fieldOption);
  if (rules.ignore === Ignore.ALWAYS) return [];
  const mayBeZero = rules.ignore === Ignore.IF_ZERO_VALUE || field.oneof !== undefined;
  const { case: kind, value } = rules.type;
  switch (kind) {
    case "string":
      return forbiddenTexts(value, mayBeZero).map((text) => [text]);
    case "int32":
      return forbiddenNumbers(rules).map((number) => [number]);
    case "enum":
      return [...value.notIn.filter(() => !mayBeZero), ...(value.definedOnly ? [99] : [])].map(
        (number) => [number],
      );
    case "timestamp":
      return NOT_MOMENTS.map((text) => [text]);
    case "repeated":
      return forbiddenLists(field, rules);
    case "map":
      return forbiddenMaps(rules);
    default:
      return [];
  }
}

function forbiddenTexts(rules: StringRules, mayBeZero: boolean): readonly string[] {
  const texts: string[] = [];
  if (isFieldSet(rules, StringRulesSchema.field.maxLen)) {
    texts.push("x".repeat(Number(rules.maxLen) + 1), "é".repeat(Number(rules.maxLen) + 1));
  }
  if (rules.minLen > 0n && !mayBeZero) texts.push("");
  if (rules.wellKnown.case === "uuid") texts.push(...NOT_IDS, ...(mayBeZero ? [] : [""]));
  for (const [rule, forbidden] of FORBIDDEN_BY) {
    if (hasExtension(rules, rule) && getExtension(rules, rule)) texts.push(...forbidden);
  }
  return texts;
}

function forbiddenNumbers({ type }: FieldRules): readonly number[] {
  if (type.case !== "int32") return [];
  const { greaterThan, lessThan } = type.value;
  const below = greaterThan.case === "gte" ? [greaterThan.value - 1, -(2 ** 31)] : [];
  const above = lessThan.case === "lte" ? [lessThan.value + 1, 2 ** 31 - 1] : [];
  return [...below, ...above];
}

function forbiddenLists(field: DescField, { type }: FieldRules): readonly Forbidden[] {
  if (type.case !== "repeated") return [];
  const { minItems, maxItems, unique, items } = type.value;
  const isText = field.fieldKind === "list" && field.listKind === "scalar";
  const element = isText ? "a" : field.fieldKind === "list" && field.listKind === "enum" ? 1 : {};
  const lists: Forbidden[] = [];
  if (minItems > 0n) lists.push([[]]);
  if (maxItems > 0n) lists.push([Array.from({ length: Number(maxItems) + 1 }, () => element)]);
  if (unique) lists.push([["a", "a"]]);
  if (items?.type.case === "string") {
    for (const text of forbiddenTexts(items.type.value, false)) lists.push([[text], "[0]"]);
  }
  if (items?.type.case === "enum" && items.type.value.definedOnly) lists.push([[99], "[0]"]);
  return lists;
}

function forbiddenMaps({ type }: FieldRules): readonly Forbidden[] {
  if (type.case !== "map") return [];
  const { maxPairs, keys, values } = type.value;
  const many = Array.from({ length: Number(maxPairs) + 1 }, (_, index) => [`k${index}`, "v"]);
  const maps: Forbidden[] = [[Object.fromEntries(many)]];
  if (keys?.type.case === "string") {
    for (const key of forbiddenTexts(keys.type.value, false)) {
      maps.push([{ [key]: "v" }, "["]);
    }
  }
  if (values?.type.case === "string") {
    for (const value of forbiddenTexts(values.type.value, false))
      maps.push([{ k: value }, '["k"]']);
  }
  return maps;
}

/** The request with a breach in it. What is missing on the way is made, other choices go. */
export function breakRule(
  schema: DescMessage,
  request: JsonObject,
  { path: [name = "", ...rest], value }: Pick<Breach, "path" | "value">,
): JsonObject {
  const field = schema.fields.find(({ jsonName }) => jsonName === name);
  const broken = { ...request };
  for (const { jsonName } of field?.oneof?.fields ?? []) {
    if (jsonName !== name) delete broken[jsonName];
  }
  if (rest.length === 0 || field?.message === undefined) return { ...broken, [name]: value };
  const inner = (broken[name] ?? {}) as JsonObject;
  return { ...broken, [name]: breakRule(field.message, inner, { path: rest, value }) };
}
