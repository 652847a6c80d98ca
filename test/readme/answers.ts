/**
 * Owns what answers on the page are held against: the same values everywhere, but ids, times and
 * cursors are the run's own. An id stands for the same thing wherever it appears.
 */
import type { JsonValue } from "@bufbuild/protobuf";

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const LINE_CHARACTERS_MAX = 96;

/** Reads values that were printed one after the other. */
export function readAnswers(text: string): JsonValue[] {
  const documents = text.trim().split(/(?<=^[}\]])\n(?=[{[])/m);
  return documents.map((document) => JSON.parse(document) as JsonValue);
}

/** Replaces what is the run's own by names that are the same in each run. */
export function withNames(answers: readonly JsonValue[][]): JsonValue[][] {
  const names = new Map<string, string>();
  const nameOf = (id: string) => {
    const name = names.get(id) ?? `id ${names.size + 1}`;
    names.set(id, name);
    return name;
  };
  const say = (key: string, value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map((each) => say(key, each));
    if (typeof value === "object" && value !== null) {
      const entries = Object.entries(value).map(([name, each]) => [name, say(name, each)]);
      return Object.fromEntries(entries);
    }
    if (typeof value !== "string") return value;
    if (/Cursor$/.test(key)) return "a cursor";
    return value.replace(UUID, nameOf).replace(TIME, "a time");
  };
  return answers.map((each) => each.map((value) => say("", value)));
}

/** Prints a value on as few lines as fit. */
export function print(value: JsonValue, indent = ""): string {
  const line = JSON.stringify(value, null, 1).replace(/\n */g, " ");
  const joined = line.replace(/([[{]) /g, "$1").replace(/ ([\]}])/g, "$1");
  const isFlat = typeof value !== "object" || value === null;
  if (isFlat || indent.length + joined.length <= LINE_CHARACTERS_MAX) return joined;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const parts = Array.isArray(value)
    ? value.map((each) => print(each, inner))
    : Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${print(each, inner)}`);
  return `${open}\n${join(parts, inner)}\n${indent}${close}`;
}

/** Members that are short stand side by side. */
function join(parts: readonly string[], indent: string): string {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const both = `${last}, ${part}`;
    const fits = last !== undefined && indent.length + both.length < LINE_CHARACTERS_MAX;
    if (fits && !both.includes("\n")) lines[lines.length - 1] = both;
    else lines.push(part);
  }
  return lines.map((line) => indent + line).join(",\n");
}
