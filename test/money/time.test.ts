import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatInstant,
  fromTimestampParts,
  type Instant,
  instant,
  isTooLate,
  LATEST_INSTANT,
  parseInstant,
  toTimestampParts,
} from "../../src/money/time.ts";

const EARLIEST = parseInstant("0001-01-01 00:00:00+00");
const LAST_OF_FOUR_DIGITS = parseInstant("9999-12-31 23:59:59.999999+00");

const anyInstant = fc
  .bigInt({ min: EARLIEST, max: LAST_OF_FOUR_DIGITS })
  .map((microseconds) => instant(microseconds));

/** JavaScript's Date is the oracle for whole milliseconds; the code under test never uses one. */
function dateOracle(moment: Instant): string {
  const milliseconds = moment / 1000n - (moment % 1000n < 0n ? 1n : 0n);
  const micros = (moment - milliseconds * 1000n).toString().padStart(3, "0");
  return new Date(Number(milliseconds)).toISOString().replace("Z", `${micros}Z`);
}

describe("M5 times keep their microseconds", () => {
  test.each([
    // as PostgreSQL prints it, microseconds since 1970
    ["1970-01-01 00:00:00+00", 0n],
    ["1970-01-01 00:00:00.000001+00", 1n],
    ["1969-12-31 23:59:59.999999+00", -1n],
    ["1970-01-01 00:00:00.1+00", 100_000n],
    ["1970-01-01 00:00:00.12+00", 120_000n],
    ["1970-01-01 00:00:00.123+00", 123_000n],
    ["1970-01-01 00:00:00.01234+00", 12_340n],
    ["1970-01-02 00:00:00+00", 86_400_000_000n],
    ["2026-11-22 11:01:10.123456+00", 1_795_345_270_123_456n],
    ["2026-11-22T11:01:10.123456Z", 1_795_345_270_123_456n],
    ["2026-11-22T11:01:10.123456+00:00", 1_795_345_270_123_456n],
    ["2026-11-22T11:01:10Z", 1_795_345_270_000_000n],
    ["2000-02-29 00:00:00+00", 951_782_400_000_000n],
    ["2024-02-29 23:59:59+00", 1_709_251_199_000_000n],
    ["1900-03-01 00:00:00+00", -2_203_891_200_000_000n],
    ["2255-06-05 23:47:34.740991+00", 9_007_199_254_740_991n],
    ["2255-06-05 23:47:34.740993+00", 9_007_199_254_740_993n],
    ["0001-01-01 00:00:00+00", -62_135_596_800_000_000n],
    ["9000-01-01 00:00:00+00", 221_845_392_000_000_000n],
    ["9999-12-31 23:59:59.999999+00", 253_402_300_799_999_999n],
  ])("%s is read to the microsecond", (text, microseconds) => {
    expect(parseInstant(text)).toBe(microseconds);
  });

  test.each([
    ["2026-11-22 11:01:10.123456+01", "another zone"],
    ["2026-11-22 11:01:10.123456-00", "a zone that PostgreSQL never prints"],
    ["2026-11-22 11:01:10.123456+00:30", "a zone with minutes"],
    ["2026-11-22 11:01:10.123456", "no zone"],
    ["2026-11-22 11:01:10.1234567+00", "seven decimals"],
    ["2026-11-22 11:01:10.+00", "a point without decimals"],
    ["2026-11-22 11:01:10,5+00", "a comma"],
    ["2026-11-22 11:01:10.12x+00", "a letter in the decimals"],
    ["2026-11-22 11:01:1x+00", "a letter in the seconds"],
    ["2026-11-22 11:01+00", "no seconds"],
    ["2026-11-22+00", "no time"],
    ["2026/11/22 11:01:10+00", "slashes"],
    ["2026-11-22_11:01:10+00", "another character before the time"],
    ["2026-11-22 11.01.10+00", "points for colons"],
    ["2026-02-29 00:00:00+00", "a day that does not exist"],
    ["2100-02-29 00:00:00+00", "a leap day of a century that has none"],
    ["2026-04-31 00:00:00+00", "a month's 31st day of 30"],
    ["2026-01-00 00:00:00+00", "day 0"],
    ["2026-00-01 00:00:00+00", "month 0"],
    ["2026-13-01 00:00:00+00", "month 13"],
    ["2026-11-22 24:00:00+00", "hour 24"],
    ["2026-11-22 11:60:00+00", "minute 60"],
    ["2026-11-22 11:01:60+00", "second 60"],
    ["0000-01-01 00:00:00+00", "year 0"],
    ["10000-01-01 00:00:00+00", "a year of five digits"],
    ["0044-03-15 12:00:00+00 BC", "a year before Christ"],
    ["infinity", "infinity"],
    ["", "nothing"],
  ])("%j is not read: %s", (text) => {
    expect(() => parseInstant(text)).toThrow("not a time in UTC");
  });

  test("printing and reading give the same moment back", () => {
    fc.assert(
      fc.property(anyInstant, (moment) => {
        expect(parseInstant(formatInstant(moment))).toBe(moment);
      }),
    );
  });

  test("what is printed is what a JavaScript Date prints, with its microseconds", () => {
    fc.assert(
      fc.property(anyInstant, (moment) => {
        expect(formatInstant(moment)).toBe(dateOracle(moment));
      }),
      { numRuns: 1000 },
    );
  });

  test("every day of two eras of the calendar is printed as a JavaScript Date prints it", () => {
    const day = 86_400_000_000n;
    const first = parseInstant("1999-12-31 12:00:00+00");
    for (let count = 0n; count < 2n * 146_097n; count += 1n) {
      const moment = instant(first + count * day);
      if (formatInstant(moment) !== dateOracle(moment)) expect.fail(dateOracle(moment));
    }
  });

  test.each([
    ["one microsecond before year 1", EARLIEST - 1n],
    ["one microsecond after year 9999", LAST_OF_FOUR_DIGITS + 1n],
  ])("%s is not printed", (_, microseconds) => {
    expect(() => formatInstant(instant(microseconds))).toThrow("a year has four digits");
  });
});

describe("M5 times on the wire", () => {
  test.each([
    [0n, 0, 0n],
    [0n, 1_000, 1n],
    [-1n, 999_999_000, -1n],
    [-1n, 0, -1_000_000n],
    [1_795_345_270n, 123_456_000, 1_795_345_270_123_456n],
    [-62_135_596_800n, 0, -62_135_596_800_000_000n],
    [253_402_300_799n, 999_999_000, 253_402_300_799_999_999n],
  ])("%d s and %i ns are one moment, and back", (seconds, nanos, microseconds) => {
    expect(fromTimestampParts({ seconds, nanos })).toBe(microseconds);
    expect(toTimestampParts(instant(microseconds))).toEqual({ seconds, nanos });
  });

  test.each([
    ["finer than a microsecond", 0n, 1],
    ["finer than a microsecond by 999 ns", 0n, 1_999],
    ["with a whole second of nanos", 0n, 1_000_000_000],
    ["with negative nanos", 0n, -1_000],
    ["with nanos that are no number", 0n, Number.NaN],
    ["before year 1", -62_135_596_801n, 999_999_000],
    ["after year 9999", 253_402_300_800n, 0],
  ])("a timestamp %s is no time", (_, seconds, nanos) => {
    expect(fromTimestampParts({ seconds, nanos })).toBeUndefined();
  });

  test("a moment survives the way to the wire and back", () => {
    fc.assert(
      fc.property(anyInstant, (moment) => {
        expect(fromTimestampParts(toTimestampParts(moment))).toBe(moment);
      }),
    );
  });
});

describe("M5 no time lies after 9000-01-01", () => {
  test.each([
    ["8999-12-31 23:59:59.999999+00", false],
    ["9000-01-01 00:00:00+00", false],
    ["9000-01-01 00:00:00.000001+00", true],
  ])("%s is too late: %s", (text, tooLate) => {
    expect(isTooLate(parseInstant(text))).toBe(tooLate);
  });

  test("the last time is the one that PostgreSQL prints so", () => {
    expect(formatInstant(LATEST_INSTANT)).toBe("9000-01-01T00:00:00.000000Z");
  });
});
