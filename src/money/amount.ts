/**
 * Owns amounts: exact decimals as integers of 10⁻¹² units, so that sums inside the ledger are
 * integer sums. Parsing, printing and rounding happen here and nowhere else (M1, M2, M3).
 */

import { assert } from "../errors.ts";

/** An exact decimal with up to 12 decimals, as a count of 10⁻¹² units. */
export type Amount = bigint;

/**
 * What two amounts make when they are multiplied, or a sum of such: a count of 10⁻²⁴ units. It is
 * exact, and becomes an amount again by one rounding at the end (M3).
 */
export type Product = bigint;

/** Every amount has at most this many decimals. */
export const AMOUNT_SCALE = 12;
const UNITS_PER_ONE = 10n ** 12n;

/** The sum of all credit ever issued to a customer in a currency stays below this (M1). */
export const AMOUNT_LIMIT: Amount = 10n ** 24n * UNITS_PER_ONE;

/** The largest amount that is below the limit however it is rounded. */
export const WHOLE_AMOUNT_MAX: Amount = AMOUNT_LIMIT - UNITS_PER_ONE;

const AMOUNT_PATTERN = /^-?(?:0|[1-9][0-9]{0,23})(?:\.[0-9]{1,12})?$/;
const TWELVE_ZEROS = "0".repeat(AMOUNT_SCALE);
const ZERO_CODE = 48;
const MINUS_CODE = 45;

/** So many decimal digits always fit a JavaScript number exactly. */
const DIGITS_IN_NUMBER_MAX = 15;

/** Reads a decimal string; undefined when it is not one as M1 spells it (a sign is allowed). */
export function parseAmount(text: string): Amount | undefined {
  if (!AMOUNT_PATTERN.test(text)) return undefined;
  return amountFromDigits(text);
}

/**
 * Reads a decimal that is known to be well formed, such as the database's numeric(38,12). Its two
 * runs of digits, short enough for a number to be exact, are gathered one by one, at half the time
 * that BigInt takes for a string.
 */
export function amountFromDigits(text: string): Amount {
  const negative = text.charCodeAt(0) === MINUS_CODE;
  const start = negative ? 1 : 0;
  const point = text.indexOf(".");
  const wholeEnd = point < 0 ? text.length : point;
  const units = wholeFromDigits(text, start, wholeEnd) * UNITS_PER_ONE;
  if (point < 0) return negative ? -units : units;
  let decimals = digitRun(text, point + 1, text.length);
  if (decimals === 0) return negative ? -units : units;
  for (let count = text.length - point - 1; count < AMOUNT_SCALE; count += 1) decimals *= 10;
  const amount = units + BigInt(decimals);
  return negative ? -amount : amount;
}

function wholeFromDigits(text: string, start: number, end: number): bigint {
  if (end - start > DIGITS_IN_NUMBER_MAX) return BigInt(text.slice(start, end));
  return BigInt(digitRun(text, start, end));
}

function digitRun(text: string, start: number, end: number): number {
  let value = 0;
  for (let index = start; index < end; index += 1) {
    value = value * 10 + text.charCodeAt(index) - ZERO_CODE;
  }
  return value;
}

const DIGIT_BASE = 10_000;
/** So many digits to the base 10,000 at a time are split off by the costly division of BigInt. */
const DIGITS_AT_ONCE = 3;
const DIGITS_AT_ONCE_BASE = BigInt(DIGIT_BASE) ** BigInt(DIGITS_AT_ONCE);
const EXACT_NUMBER_MAX = BigInt(Number.MAX_SAFE_INTEGER);
/** So many digits to the base 10,000 stand for more than any amount in the ledger. */
export const DIGITS_IN_AMOUNT_MAX = 12;

/**
 * Splits the units of an amount, whatever its sign, into digits to the base 10,000, the lowest
 * first, and returns how many there are. PostgreSQL's numeric is made of them.
 */
export function digitsOfAmount(amount: Amount, digits: Uint16Array): number {
  let rest = amount < 0n ? -amount : amount;
  let count = 0;
  while (rest > EXACT_NUMBER_MAX) {
    const low = Number(rest % DIGITS_AT_ONCE_BASE);
    rest /= DIGITS_AT_ONCE_BASE;
    count = splitNumber(low, digits, count, count + DIGITS_AT_ONCE);
  }
  // What is left fits a number exactly.
  count = splitNumber(Number(rest), digits, count, count);
  assert(count <= DIGITS_IN_AMOUNT_MAX, "an amount has fewer digits");
  return count;
}

/** Splits a number into digits from one place to at least another, and returns where they end. */
function splitNumber(value: number, digits: Uint16Array, from: number, least: number): number {
  let rest = value;
  let end = from;
  while (rest > 0 || end < least) {
    const higher = Math.floor(rest / DIGIT_BASE);
    digits[end] = rest - higher * DIGIT_BASE;
    rest = higher;
    end += 1;
  }
  return end;
}

/** Prints the canonical form: no trailing zeros, no `-0`. */
export function formatAmount(amount: Amount): string {
  if (amount < 0n) return `-${formatAmount(-amount)}`;
  const digits = amount.toString();
  const point = digits.length - AMOUNT_SCALE;
  const decimalsStart = Math.max(point, 0);
  let end = digits.length;
  while (end > decimalsStart && digits.charCodeAt(end - 1) === ZERO_CODE) end -= 1;
  if (end === decimalsStart) return point > 0 ? digits.slice(0, point) : "0";
  const decimals = digits.slice(decimalsStart, end);
  if (point > 0) return `${digits.slice(0, point)}.${decimals}`;
  return `0.${TWELVE_ZEROS.slice(0, -point)}${decimals}`;
}

/** By number of decimals, 0 to 12: the smallest amount that has no more of them. */
const STEPS: readonly Amount[] = Array.from(
  { length: AMOUNT_SCALE + 1 },
  (_, decimals) => 10n ** BigInt(AMOUNT_SCALE - decimals),
);

function stepOf(decimals: number): Amount {
  const step = STEPS[decimals];
  assert(step !== undefined, "a currency has 0 to 12 decimals");
  return step;
}

/** Whether a currency with this many decimals can represent the amount (M2). */
export function fitsScale(amount: Amount, decimals: number): boolean {
  return amount % stepOf(decimals) === 0n;
}

/** Rounds half away from zero to so many decimals (M3). */
export function roundAmount(amount: Amount, decimals: number): Amount {
  return roundToStep(amount, stepOf(decimals));
}

/** An amount as a product with one, so that it can be added to products. */
export function productOf(amount: Amount): Product {
  return amount * UNITS_PER_ONE;
}

/** Rounds a product half away from zero to an amount with so many decimals, 0 to 12 (M3). */
export function roundProduct(product: Product, decimals: number): Amount {
  return roundToStep(product, productOf(stepOf(decimals))) / UNITS_PER_ONE;
}

/** The multiple of the step nearest to the value; of two equally near the one away from zero. */
function roundToStep(value: bigint, step: bigint): bigint {
  const remainder = value % step;
  if (remainder === 0n) return value;
  const towardZero = value - remainder;
  const twice = remainder < 0n ? -remainder * 2n : remainder * 2n;
  if (twice < step) return towardZero;
  return value < 0n ? towardZero - step : towardZero + step;
}

export function minAmount(left: Amount, right: Amount): Amount {
  return left < right ? left : right;
}
