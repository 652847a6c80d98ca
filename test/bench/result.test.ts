import { expect, test } from "vitest";
import { betterYardstick, median, type Round, ratiosOf } from "./figures.ts";
import { pictureOf } from "./picture.ts";
import { reachesMust, tableOf } from "./report.ts";
import { resultOf } from "./result.ts";
import { QUICK } from "./scale.ts";
import type { Window } from "./window.ts";

/** A second in which so many operations took so much CPU each. */
function windowOf(operations: number, service_ms: number, postgresql_ms: number): Window {
  return {
    operations,
    seconds: 1,
    p50_ms: 1,
    p99_ms: 2,
    client_cpu_s: 0.1,
    service_cpu_s: (operations * service_ms) / 1000,
    postgresql_cpu_s: (operations * postgresql_ms) / 1000,
    service_memory_mb: 100,
    commands_per_batch: null,
  };
}

const ROUND: Required<Round> = {
  empty: windowOf(10_000, 0.1, 0),
  unary: windowOf(5_000, 0.2, 0.1),
  yardstick_pg: windowOf(2_000, 0, 0.5),
  yardstick_pgbench: windowOf(4_000, 0, 0.4),
  batch: windowOf(10_000, 0.05, 0.05),
  hot_customer: windowOf(4_500, 0.2, 0.05),
  balance: windowOf(8_000, 0.12, 0.01),
  history: windowOf(100_000, 0.006, 0.004),
  copy: windowOf(1_000_000, 0, 0.001),
  grown: windowOf(4_000, 0.2, 0.13),
  fresh: windowOf(4_000, 0.2, 0.1),
  idle_charge: windowOf(500, 1, 0.5),
  idle_yardstick: windowOf(1_500, 0, 0.4),
};

test("each key is the ratio that its name says", () => {
  const ratios = ratiosOf([ROUND]);

  expect(
    Object.fromEntries(
      Object.entries(ratios).map(([key, value]) => [key, Number(value.toFixed(3))]),
    ),
  ).toMatchInlineSnapshot(`
    {
      "balance_vs_empty_cpu_ratio": 1.3,
      "balance_vs_empty_ratio": 0.8,
      "batch_cpu_ratio": 0.25,
      "batch_throughput_ratio": 2.5,
      "growth_ratio": 1.1,
      "history_vs_copy_cpu_ratio": 10,
      "history_vs_copy_ratio": 0.1,
      "hot_customer_cpu_ratio": 0.833,
      "hot_customer_ratio": 0.9,
      "unary_cpu_ratio": 0.75,
      "unary_vs_empty_cpu_ratio": 3,
      "unary_vs_empty_ratio": 0.5,
    }
  `);
});

test("the yardstick is the faster way to send it, where there are two", () => {
  const { yardstick_pgbench: _, ...withoutPgbench } = ROUND;

  expect(betterYardstick([ROUND])).toBe("yardstick_pgbench");
  expect(betterYardstick([{ ...ROUND, yardstick_pg: windowOf(5_000, 0, 0.5) }])).toBe(
    "yardstick_pg",
  );
  expect(betterYardstick([withoutPgbench])).toBe("yardstick_pg");
});

test("a ratio is the median of what the rounds came to", () => {
  const slow: Round = { ...ROUND, unary: windowOf(1_000, 1, 1) };
  const fast: Round = { ...ROUND, unary: windowOf(9_000, 0.1, 0.1) };

  expect(ratiosOf([slow, ROUND, fast]).unary_vs_empty_ratio).toBe(0.5);
  expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
});

test("a result says which keys miss what they must reach, and draws what a charge costs", () => {
  const result = resultOf({
    scale: QUICK,
    startedAt: new Date(0),
    seconds: 1,
    rounds: [{ ...ROUND, batch: windowOf(2_000, 0.3, 0.3) }],
    postgresqlVersion: "PostgreSQL 18",
    startups_ms: { first: 2_000, later: 500 },
    memoryAtRest_mb: 100,
    bytesPerCharge: 800,
    rowsPerCharge: 4,
    indexEntriesPerCharge: 5,
    auditedCustomers: 4,
  });

  expect(result.missed).toEqual(["batch_throughput_ratio", "batch_cpu_ratio"]);
  expect(tableOf(result)).toMatch(/batch_cpu_ratio +1\.500 .*MISSED/);
  expect(pictureOf(result).match(/>0\.\d{3}</g)).toEqual(
    ["0.400", "0.300", "0.250", "0.330", "0.600"].map((cost) => `>${cost}<`),
  );
  expect([reachesMust("unary_cpu_ratio", 1.1), reachesMust("unary_cpu_ratio", 1.11)]).toEqual([
    true,
    false,
  ]);
});
