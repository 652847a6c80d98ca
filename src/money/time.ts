/**
 * Owns moments: microseconds since the Unix epoch as integers, never a JavaScript Date, which
 * would drop the microseconds (M5). Reads and prints them as PostgreSQL and protobuf spell them.
 */

import { AssertionFailure, assert } from "../errors.ts";
import { civilFromDays, daysFromCivil, daysInMonth } from "./calendar.ts";

declare const instantBrand: unique symbol;

/** A moment, in microseconds since 1970-01-01T00:00:00Z. */
export type Instant = bigint & { readonly [instantBrand]: "Instant" };

export function instant(microseconds: bigint): Instant {
  return microseconds as Instant;
}

export const MICROSECONDS_PER_SECOND = 1_000_000n;
const SECONDS_PER_DAY = 86_400;
const NANOSECONDS_PER_MICROSECOND = 1_000;
const NANOSECONDS_PER_SECOND = 1_000_000_000;

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what four digits of a year can say. */
const EARLIEST_SECOND = -62_135_596_800n;
const LATEST_SECOND = 253_402_300_799n;

/** No time in the ledger lies after this: 9000-01-01T00:00:00Z. */
export const LATEST_INSTANT = instant(221_845_392_000n * MICROSECONDS_PER_SECOND);

/** Whether a time lies after the last one that the ledger keeps (M5). That one itself does not. */
export function isTooLate(moment: Instant): boolean {
  return moment > LATEST_INSTANT;
}

export function earlierOf(left: Instant | null, right: Instant | null): Instant | null {
  if (left === null) return right;
  if (right === null) return left;
  return left < right ? left : right;
}

export function laterOf(left: Instant, right: Instant): Instant {
  return left < right ? right : left;
}

/** The later of the database's clock and a customer's last booking, if there is one (L3). */
export function bookingMoment(clock: Instant, lastBookedAt: Instant | null): Instant {
  return lastBookedAt === null ? clock : laterOf(clock, lastBookedAt);
}

/** A moment as google.protobuf.Timestamp carries it: nanos are never negative. */
export interface TimestampParts {
  readonly seconds: bigint;
  readonly nanos: number;
}

/**
 * The moment of a timestamp; undefined for one finer than microseconds, because nothing a caller
 * sends is rounded, and for one that is none: nanos outside a second, a year outside 1 to 9999.
 */
export function fromTimestampParts({ seconds, nanos }: TimestampParts): Instant | undefined {
  if (seconds < EARLIEST_SECOND || seconds > LATEST_SECOND) return undefined;
  if (!(nanos >= 0 && nanos < NANOSECONDS_PER_SECOND)) return undefined;
  if (nanos % NANOSECONDS_PER_MICROSECOND !== 0) return undefined;
  return instant(seconds * MICROSECONDS_PER_SECOND + BigInt(nanos / NANOSECONDS_PER_MICROSECOND));
}

export function toTimestampParts(moment: Instant): TimestampParts {
  const { seconds, micros } = splitSeconds(moment);
  return { seconds, nanos: micros * NANOSECONDS_PER_MICROSECOND };
}

/** Whole seconds, rounded toward the past, and the microseconds above them, 0 to 999,999. */
function splitSeconds(moment: Instant): { readonly seconds: bigint; readonly micros: number } {
  const seconds = moment / MICROSECONDS_PER_SECOND;
  const micros = Number(moment - seconds * MICROSECONDS_PER_SECOND);
  if (micros >= 0) return { seconds, micros };
  return { seconds: seconds - 1n, micros: micros + 1_000_000 };
}

const ZERO_CODE = 48;
const HYPHEN_CODE = 45;
const POINT_CODE = 46;
const COLON_CODE = 58;
const SPACE_CODE = 32;
const T_CODE = 84;
const Z_CODE = 90;
const SECONDS_END = 19;

/** Stands for a character that is no digit: it makes any number below it negative. */
const NO_DIGIT = -10_000_000;

/**
 * Reads a time as PostgreSQL prints a timestamptz in a session whose zone is UTC, or as
 * `formatInstant` does: 0 to 6 decimals, then `+00`, `+00:00` or `Z`. Anything else is a bug, such
 * as a session in another zone, and throws: misread it would be hours off.
 */
export function parseInstant(text: string): Instant {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const micros = decimalsAsMicros(text, zoneStart(text));
  const dayExists = year >= 1 && day >= 1 && day <= (daysInMonth(year, month) ?? 0);
  const timeExists = isWithin(hour, 23) && isWithin(minute, 59) && isWithin(second, 59);
  if (!dayExists || !timeExists || micros < 0 || !hasSeparators(text)) {
    throw new AssertionFailure(`not a time in UTC as PostgreSQL prints it: ${text}`);
  }
  const secondOfDay = hour * 3_600 + minute * 60 + second;
  const seconds = daysFromCivil(year, month, day) * SECONDS_PER_DAY + secondOfDay;
  const microseconds = seconds * 1_000_000 + micros;
  if (Number.isSafeInteger(microseconds)) return instant(BigInt(microseconds));
  return instant(BigInt(seconds) * MICROSECONDS_PER_SECOND + BigInt(micros));
}

function isWithin(value: number, last: number): boolean {
  return value >= 0 && value <= last;
}

function hasSeparators(text: string): boolean {
  const beforeTime = text.charCodeAt(10);
  return (
    text.charCodeAt(4) === HYPHEN_CODE &&
    text.charCodeAt(7) === HYPHEN_CODE &&
    (beforeTime === SPACE_CODE || beforeTime === T_CODE) &&
    text.charCodeAt(13) === COLON_CODE &&
    text.charCodeAt(16) === COLON_CODE
  );
}

/** Where the zone begins, which must be UTC; -1 when it is not. */
function zoneStart(text: string): number {
  if (text.endsWith("+00")) return text.length - 3;
  if (text.endsWith("Z")) return text.length - 1;
  if (text.endsWith("+00:00")) return text.length - 6;
  return -1;
}

/** The decimals between the seconds and the zone, as microseconds; negative when malformed. */
function decimalsAsMicros(text: string, end: number): number {
  if (end === SECONDS_END) return 0;
  const count = end - SECONDS_END - 1;
  if (count < 1 || count > 6 || text.charCodeAt(SECONDS_END) !== POINT_CODE) return NO_DIGIT;
  let micros = 0;
  for (let index = SECONDS_END + 1; index < end; index += 1) {
    micros = micros * 10 + digitAt(text, index);
  }
  for (let missing = count; missing < 6; missing += 1) micros *= 10;
  return micros;
}

function twoDigits(text: string, index: number): number {
  return digitAt(text, index) * 10 + digitAt(text, index + 1);
}

function digitAt(text: string, index: number): number {
  const digit = text.charCodeAt(index) - ZERO_CODE;
  return digit >= 0 && digit <= 9 ? digit : NO_DIGIT;
}

/**
 * Prints `2026-11-22T11:01:10.123456Z`, always with six decimals, which PostgreSQL reads back as
 * the same moment. Years 1 to 9999; anything else is a bug. It makes the string in one call of its
 * 27 characters, at half the time that joining its parts takes.
 */
export function formatInstant(moment: Instant): string {
  const { seconds, micros } = splitSeconds(moment);
  assert(seconds >= EARLIEST_SECOND && seconds <= LATEST_SECOND, "a year has four digits");
  const secondsFromEpoch = Number(seconds);
  const days = Math.floor(secondsFromEpoch / SECONDS_PER_DAY);
  const secondOfDay = secondsFromEpoch - days * SECONDS_PER_DAY;
  const { year, month, day } = civilFromDays(days);
  const century = Math.floor(year / 100);
  const yearOfCentury = year % 100;
  const hour = Math.floor(secondOfDay / 3_600);
  const minute = Math.floor(secondOfDay / 60) % 60;
  const second = secondOfDay % 60;
  const high = Math.floor(micros / 10_000);
  const middle = Math.floor(micros / 100) % 100;
  const low = micros % 100;
  return String.fromCharCode(
    tens(century),
    ones(century),
    tens(yearOfCentury),
    ones(yearOfCentury),
    HYPHEN_CODE,
    tens(month),
    ones(month),
    HYPHEN_CODE,
    tens(day),
    ones(day),
    T_CODE,
    tens(hour),
    ones(hour),
    COLON_CODE,
    tens(minute),
    ones(minute),
    COLON_CODE,
    tens(second),
    ones(second),
    POINT_CODE,
    tens(high),
    ones(high),
    tens(middle),
    ones(middle),
    tens(low),
    ones(low),
    Z_CODE,
  );
}

function tens(value: number): number {
  return ZERO_CODE + Math.floor(value / 10);
}

function ones(value: number): number {
  return ZERO_CODE + (value % 10);
}
