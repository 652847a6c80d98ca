/**
 * Owns how PostgreSQL's values arrive: int8 as bigint, numeric as Amount, timestamptz as Instant,
 * and arrays of these. The parsers are given to each pool, never set for the whole process. All
 * other types arrive as pg reads them: text and enums as strings, jsonb parsed, bytea as Buffer.
 */
import pg from "pg";
import { assert } from "../errors.ts";
import { AMOUNT_SCALE, type Amount, amountFromDigits } from "../money/amount.ts";
import { parseInstant } from "../money/time.ts";

type TextParser = (text: string) => unknown;

/** By the type's number in PostgreSQL's catalog, which never changes. */
const TEXT_PARSERS: ReadonlyMap<number, TextParser> = new Map<number, TextParser>([
  [20, BigInt],
  [1016, (text) => splitArray(text).map(BigInt)],
  [1700, parseNumeric],
  [1231, (text) => splitArray(text).map(parseNumeric)],
  [1184, remembering(parseInstant)],
  [1185, (text) => splitArray(text).map((element) => parseInstant(unquote(element)))],
  [2951, splitArray],
]);

/** What a pool of pg takes as its option `types`. */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") => {
    const parser = format === "binary" ? undefined : TEXT_PARSERS.get(oid);
    return parser ?? pg.types.getTypeParser(oid, format);
  },
};

/** Both times of a transfer are mostly the same one, and so are those of rows of one batch. */
function remembering<Value>(parse: (text: string) => Value): (text: string) => Value {
  let last: { readonly text: string; readonly value: Value } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, value: parse(text) };
    return last.value;
  };
}

const ZERO_CODE = 48;
const NINE_CODE = 57;

/** Reads a numeric that has at most 12 decimals; more of them, NaN or Infinity are a bug. */
function parseNumeric(text: string): Amount {
  const lastCode = text.charCodeAt(text.length - 1);
  const point = text.indexOf(".");
  const decimals = point < 0 ? 0 : text.length - point - 1;
  const isAmount = lastCode >= ZERO_CODE && lastCode <= NINE_CODE && decimals <= AMOUNT_SCALE;
  assert(isAmount, `a numeric is an amount: ${text}`);
  return amountFromDigits(text);
}

/** The elements of a one-dimensional array whose elements contain neither comma nor quote. */
function splitArray(text: string): string[] {
  if (text === "{}") return [];
  const elements = text.slice(1, -1).split(",");
  assert(!elements.includes("NULL"), "no array in the ledger holds a null");
  return elements;
}

/** A time contains a blank, so PostgreSQL puts it in quotes inside an array. */
function unquote(element: string): string {
  return element.startsWith('"') ? element.slice(1, -1) : element;
}
