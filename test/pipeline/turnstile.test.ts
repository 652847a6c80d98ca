import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Turnstile } from "../../src/pipeline/turnstile.ts";

const LONGER_THAN_A_BATCH_MS = 100;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const lane = (large = false) => ({ large });

/** Who has been let in by now. */
async function letIn(...entries: readonly Promise<void>[]): Promise<readonly boolean[]> {
  const passed = entries.map(() => false);
  for (const [index, entry] of entries.entries()) {
    void entry.then(() => {
      passed[index] = true;
    });
  }
  await vi.advanceTimersByTimeAsync(0);
  return passed;
}

describe("lanes with small batches", () => {
  test("run one after the other, in the order in which they came", async () => {
    const turnstile = new Turnstile();
    const lanes = [lane(), lane(), lane()] as const;
    const entries = lanes.map((each) => turnstile.enter(each));
    expect(await letIn(...entries)).toEqual([true, false, false]);
    turnstile.leave(lanes[0]);
    expect(await letIn(...entries)).toEqual([true, true, false]);
    turnstile.leave(lanes[1]);
    expect(await letIn(...entries)).toEqual([true, true, true]);
  });

  test("are not held up by one that takes longer than a batch does", async () => {
    const turnstile = new Turnstile();
    const quick = lane();
    const slow = turnstile.enter(lane());
    const first = turnstile.enter(quick);
    expect(await letIn(slow, first)).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(LONGER_THAN_A_BATCH_MS);
    expect(await letIn(slow, first)).toEqual([true, true]);
    turnstile.leave(quick);
    // Nor is any later batch, for as long as the slow one goes on.
    expect(await letIn(turnstile.enter(quick))).toEqual([true]);
    turnstile.leave(quick);
    expect(await letIn(turnstile.enter(quick))).toEqual([true]);
  });
});

describe("a lane with a large batch", () => {
  test("waits for nobody", async () => {
    const turnstile = new Turnstile();
    const entries = [turnstile.enter(lane()), turnstile.enter(lane(true))];
    expect(await letIn(...entries)).toEqual([true, true]);
  });

  test("waits no longer once it is large", async () => {
    const turnstile = new Turnstile();
    const gathering = { large: false };
    const entries = [turnstile.enter(lane()), turnstile.enter(gathering)];
    turnstile.hurry(gathering);
    expect(await letIn(...entries)).toEqual([true, false]);
    gathering.large = true;
    turnstile.hurry(gathering);
    expect(await letIn(...entries)).toEqual([true, true]);
  });
});
