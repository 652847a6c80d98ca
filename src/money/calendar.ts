/**
 * Owns the proleptic Gregorian calendar in UTC: days since 1970-01-01 to year, month and day and
 * back. Only counts of days, months and years are numbers here; moments stay bigints (time.ts).
 *
 * Both directions count years from March 1, so that a leap day is the last day of its year, and in
 * eras of 400 years, after which the calendar repeats.
 */

/** A day of the calendar. Months count from 1 to 12. */
export interface CivilDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const MONTHS_PER_YEAR = 12;
const DAYS_PER_ERA = 146_097;
const YEARS_PER_ERA = 400;

/** Days from 0000-03-01, where the first era begins, to 1970-01-01. */
const DAYS_BEFORE_EPOCH = 719_468;

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Days since 1970-01-01 of a day that exists. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const era = Math.floor(marchYear / YEARS_PER_ERA);
  const yearOfEra = marchYear - era * YEARS_PER_ERA;
  const monthFromMarch = month > 2 ? month - 3 : month + 9;
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * DAYS_PER_ERA + yearOfEra * 365 + leapDays + dayOfYear - DAYS_BEFORE_EPOCH;
}

/** The day that lies so many days after 1970-01-01, or before it when negative. */
export function civilFromDays(days: number): CivilDay {
  const shifted = days + DAYS_BEFORE_EPOCH;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  // The days of the era without its leap days so far, which come every 4 years (1,461 days less
  // one), not in centuries (36,524 days), but at the end of the era.
  const plainDays =
    dayOfEra -
    Math.floor(dayOfEra / 1_460) +
    Math.floor(dayOfEra / 36_524) -
    Math.floor(dayOfEra / (DAYS_PER_ERA - 1));
  const yearOfEra = Math.floor(plainDays / 365);
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - (yearOfEra * 365 + leapDays);
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = era * YEARS_PER_ERA + yearOfEra + (month > 2 ? 0 : 1);
  return { year, month, day };
}

/** How many days a month has; undefined when there is no such month. */
export function daysInMonth(year: number, month: number): number | undefined {
  if (month === 2 && isLeapYear(year)) return 29;
  return DAYS_IN_MONTH[month - 1];
}

/** The same day so many months later; the last day of that month where it is shorter (M5). */
export function addMonths(start: CivilDay, months: number): CivilDay {
  const monthsFromYearZero = start.year * MONTHS_PER_YEAR + start.month - 1 + months;
  const year = Math.floor(monthsFromYearZero / MONTHS_PER_YEAR);
  const month = monthsFromYearZero - year * MONTHS_PER_YEAR + 1;
  const lastDay = daysInMonth(year, month) ?? start.day;
  return { year, month, day: Math.min(start.day, lastDay) };
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % YEARS_PER_ERA === 0);
}
