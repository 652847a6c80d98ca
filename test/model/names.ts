/**
 * Owns the comparison of answers. Ids and cursors are the service's own: each is bound to the
 * model's at first sight, and must stay so.
 */
import type { DescMethod, JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Outcome } from "./subject.ts";

/** Of the currencies of ISO 4217 the model knows these, and not their names. */
const KNOWN_MONEY = ["EUR", "JPY", "KWD", "USD"];

export class Names {
  /** From the model's ids and cursors to the service's, and back. */
  readonly #theirs: Map<string, string>;
  readonly #ours: Map<string, string>;

  constructor(theirs = new Map<string, string>(), ours = new Map<string, string>()) {
    this.#theirs = theirs;
    this.#ours = ours;
  }

  copy(): Names {
    return new Names(new Map(this.#theirs), new Map(this.#ours));
  }

  /** Whether the service has shown what the model calls so. */
  isKnown(ours: string): boolean {
    return this.#theirs.has(ours);
  }

  /** Says a request of the model's in the service's words. */
  translate<Value extends JsonValue>(value: Value): Value {
    return replaceTexts(value, (text) => this.#theirs.get(text) ?? text) as Value;
  }

  /** Lists where the service's outcome of a call differs from the model's. */
  compare(method: DescMethod, ours: Outcome, theirs: Outcome): string[] {
    return this.#match(shape(method, ours), shape(method, theirs), "");
  }

  #match(ours: JsonValue | undefined, theirs: JsonValue | undefined, path: string): string[] {
    if (typeof ours === "string" && typeof theirs === "string") {
      return this.#isSame(ours, theirs, path) ? [] : [differ(ours, theirs, path)];
    }
    if (Array.isArray(ours) && Array.isArray(theirs)) {
      const length = Math.max(ours.length, theirs.length);
      const places = Array.from({ length }, (_, at) => at);
      return places.flatMap((at) => this.#match(ours[at], theirs[at], `${path}.${at}`));
    }
    if (isObject(ours) && isObject(theirs)) {
      const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
      return names.flatMap((name) => this.#match(ours[name], theirs[name], `${path}.${name}`));
    }
    return ours === theirs ? [] : [differ(ours, theirs, path)];
  }

  #isSame(ours: string, theirs: string, path: string): boolean {
    // What the service thinks may be due need not be, so it may say less.
    if (path.endsWith(".completeUntil")) return theirs.replace("Z", "") <= ours.replace("Z", "");
    // One place can have cursors of several kinds.
    if (/(Cursor|PageToken)$/.test(path) && ours !== "" && theirs !== "") {
      this.#theirs.set(ours, theirs);
      return true;
    }
    if (!/^(id|movement) /.test(ours)) return ours === theirs;
    if (!this.#theirs.has(ours) && !this.#ours.has(theirs)) {
      this.#theirs.set(ours, theirs);
      this.#ours.set(theirs, ours);
    }
    return this.#theirs.get(ours) === theirs;
  }
}

function differ(ours: JsonValue | undefined, theirs: JsonValue | undefined, path: string): string {
  return `${path}: expected ${JSON.stringify(ours)}, found ${JSON.stringify(theirs)}`;
}

export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function replaceTexts(value: JsonValue, replace: (text: string) => JsonValue): JsonValue {
  if (typeof value === "string") return replace(value);
  if (Array.isArray(value)) return value.map((each) => replaceTexts(each, replace));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, replaceTexts(each, replace)]);
  return Object.fromEntries(entries);
}

/** Leaves out what is for people or the service's own affair, and how a journal is paged. */
function shape(method: DescMethod, outcome: Outcome): JsonValue {
  if ("refused" in outcome) return outcome;
  const answers = outcome.answers.filter(isObject);
  switch (method.name) {
    case "ListTransfers":
      return answers.flatMap(({ transfers }) => transfers ?? []);
    case "Audit":
      return answers.filter((each) => !("progress" in each));
    case "ListCurrencies":
      return listKnown(answers[0]?.["currencies"]);
    case "PreviewCharge":
    case "BatchCreateCharges":
      return answers.map((each) => withoutSentences(each));
    default:
      return answers;
  }
}

function listKnown(currencies: JsonValue | undefined): JsonValue {
  const rows = Array.isArray(currencies) ? currencies.filter(isObject) : [];
  return rows
    .filter(({ code, custom }) => custom === true || KNOWN_MONEY.includes(String(code)))
    .map(({ name, ...row }) => (row["custom"] === true ? { name: name ?? "", ...row } : row));
}

/** Reasons for people are sentences; those of the contract are names. */
function withoutSentences(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutSentences);
  if (!isObject(value)) return value;
  const isSentence = ([name, each]: [string, JsonValue]) =>
    name === "message" ||
    (name === "reason" && !String(each).startsWith("ERROR_REASON_")) ||
    (name === "description" && "field" in value);
  const kept = Object.entries(value).filter((entry) => !isSentence(entry));
  return Object.fromEntries(kept.map(([name, each]) => [name, withoutSentences(each)]));
}
