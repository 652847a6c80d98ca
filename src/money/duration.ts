/**
 * Owns durations: ISO 8601 text such as `P30D`, `P1M` or `PT2S`, and how one is added to a moment
 * (M5).
 */

import { addMonths, civilFromDays, daysFromCivil } from "./calendar.ts";
import { type Instant, instant, MICROSECONDS_PER_SECOND } from "./time.ts";

/** A span of time above zero. The text is as the caller gave it. */
export interface Duration {
  readonly text: string;
  /** Years and months together. Added first, because how long they are depends on the start. */
  readonly months: number;
  /** Weeks and days together. */
  readonly days: number;
  /** Hours, minutes and seconds together. */
  readonly seconds: number;
}

const SECONDS_PER_DAY = 86_400;
const MICROSECONDS_PER_DAY = BigInt(SECONDS_PER_DAY) * MICROSECONDS_PER_SECOND;

/** A twelfth of the mean Gregorian year of 365.2425 days. */
const SECONDS_PER_MEAN_MONTH = 2_629_746;

/** P100Y. */
const DURATION_MONTHS_MAX = 1_200;
const DURATION_SECONDS_MAX = DURATION_MONTHS_MAX * SECONDS_PER_MEAN_MONTH;

/** Each part has at most ten digits, which P100Y in seconds needs and which keep sums exact. */
function patternOf(units: string): string {
  return [...units].map((unit) => `(?:(\\d{1,10})${unit})?`).join("");
}

const DURATION_PATTERN = new RegExp(`^P(?!$)${patternOf("YMWD")}(?:T(?!$)${patternOf("HMS")})?$`);

/**
 * Reads a duration; undefined when it is none, or zero, negative, fractional or longer than P100Y.
 * Weeks may stand with other parts, as in PostgreSQL.
 *
 * How long a month lasts depends on where it starts, so lengths are compared by the mean one: a
 * month counts as 2,629,746 seconds, a twelfth of the mean Gregorian year. P1200M and P36524D are
 * thus not longer than P100Y; P1200MT1S and P36525D are.
 */
export function parseDuration(text: string): Duration | undefined {
  const parts = DURATION_PATTERN.exec(text);
  if (parts === null) return undefined;
  const duration = {
    text,
    months: countOf(parts[1]) * 12 + countOf(parts[2]),
    days: countOf(parts[3]) * 7 + countOf(parts[4]),
    seconds: countOf(parts[5]) * 3_600 + countOf(parts[6]) * 60 + countOf(parts[7]),
  };
  const length = meanSeconds(duration);
  return length > 0 && length <= DURATION_SECONDS_MAX ? duration : undefined;
}

/**
 * The moment that lies one duration later, in UTC on microseconds: years and months first, the
 * month's end clamped once, then days and time. It may lie after the last time that the ledger
 * keeps; callers ask `isTooLate`.
 */
export function addDuration(start: Instant, duration: Duration): Instant {
  const clockSeconds = BigInt(duration.days * SECONDS_PER_DAY + duration.seconds);
  const monthsLater = duration.months === 0 ? start : laterByMonths(start, duration.months);
  return instant(monthsLater + clockSeconds * MICROSECONDS_PER_SECOND);
}

/** Moves the calendar day and keeps the time of the day. */
function laterByMonths(start: Instant, months: number): Instant {
  let days = start / MICROSECONDS_PER_DAY;
  if (start < days * MICROSECONDS_PER_DAY) days -= 1n;
  const timeOfDay = start - days * MICROSECONDS_PER_DAY;
  const { year, month, day } = addMonths(civilFromDays(Number(days)), months);
  return instant(BigInt(daysFromCivil(year, month, day)) * MICROSECONDS_PER_DAY + timeOfDay);
}

function meanSeconds({ months, days, seconds }: Duration): number {
  return months * SECONDS_PER_MEAN_MONTH + days * SECONDS_PER_DAY + seconds;
}

function countOf(digits: string | undefined): number {
  return digits === undefined ? 0 : Number.parseInt(digits, 10);
}
