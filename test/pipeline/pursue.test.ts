import pg from "pg";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AssertionFailure } from "../../src/errors.ts";
import { UnclearCommit } from "../../src/pipeline/commit.ts";
import type { PipelineObserver } from "../../src/pipeline/observer.ts";
import { pursue } from "../../src/pipeline/pursue.ts";

function sqlState(code: string): Error {
  const error = new pg.DatabaseError(code, 0, "error");
  error.code = code;
  return error;
}

const THROWN = {
  unclear: new UnclearCommit("the answer was lost"),
  lost: sqlState("57P01"),
  deadlock: sqlState("40P01"),
  lockTimeout: sqlState("55P03"),
  standby: sqlState("25006"),
  duplicate: sqlState("23505"),
  bug: new AssertionFailure("a bug"),
} as const;

type Step = keyof typeof THROWN | "ok";

/** Runs attempts that come to these steps, the last of them again and again. */
async function pursueSteps(steps: readonly Step[], retriesMax?: number) {
  let attempts = 0;
  let unclear = 0;
  const told = { retried: 0, unclear: 0 };
  const observer: PipelineObserver = {
    batchCommitted: () => undefined,
    commitAnswered: () => undefined,
    batchRetried: () => (told.retried += 1),
    commitUnclear: () => (told.unclear += 1),
  };
  const pursuing = pursue(
    async () => {
      const step = steps[Math.min(attempts, steps.length - 1)] ?? "ok";
      attempts += 1;
      if (step !== "ok") throw THROWN[step];
      return "stored";
    },
    { observer, onUnclear: () => (unclear += 1), ...(retriesMax !== undefined && { retriesMax }) },
  );
  await vi.runAllTimersAsync();
  const pursuit = await pursuing;
  expect(told, "what the observer was told").toEqual({ retried: attempts - 1, unclear });
  return { pursuit, attempts, unclear };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("nobody need watch", async () => {
  let attempts = 0;
  const pursuing = pursue(
    async () => {
      attempts += 1;
      if (attempts === 1) throw THROWN.unclear;
      if (attempts === 2) throw THROWN.deadlock;
      return "stored";
    },
    { onUnclear: () => undefined },
  );
  await vi.runAllTimersAsync();
  expect(await pursuing).toEqual({ kind: "committed", result: "stored" });
});

describe("W2 a transaction that fails is run again, or not", () => {
  const error = (step: keyof typeof THROWN) => THROWN[step];
  const committed = { kind: "committed", result: "stored" };

  test.each<[steps: readonly Step[], pursuit: unknown, attempts: number, unclear: number]>([
    [["ok"], committed, 1, 0],
    [["unclear", "ok"], committed, 2, 1],
    [["unclear", "unclear", "lost", "ok"], committed, 4, 2],
    [["lost", "ok"], committed, 2, 0],
    [["deadlock", "lockTimeout", "ok"], committed, 3, 0],
    [["deadlock"], { kind: "contended", error: error("deadlock") }, 6, 0],
    [["standby"], { kind: "unavailable", error: error("standby") }, 1, 0],
    [["unclear", "standby"], { kind: "unavailable", error: error("standby") }, 2, 1],
    [["duplicate"], { kind: "unsound", error: error("duplicate") }, 1, 0],
    [["bug"], { kind: "unsound", error: error("bug") }, 1, 0],
  ])("%j", async (steps, pursuit, attempts, unclear) => {
    expect(await pursueSteps(steps)).toEqual({ pursuit, attempts, unclear });
  });

  test.each(["unclear", "lost"] as const)("a database that stays %s is given up", async (step) => {
    const startedAt = performance.now();
    const { pursuit, attempts } = await pursueSteps([step]);

    expect(pursuit).toEqual({ kind: "unavailable", error: error(step) });
    expect(attempts).toBeGreaterThan(100);
    expect(performance.now() - startedAt).toBeGreaterThan(10_000);
    expect(performance.now() - startedAt).toBeLessThan(10_200);
  });

  test("who can wait elsewhere does not try again", async () => {
    const { pursuit, attempts } = await pursueSteps(["lockTimeout", "ok"], 0);
    expect([pursuit.kind, attempts]).toEqual(["contended", 1]);
  });
});
