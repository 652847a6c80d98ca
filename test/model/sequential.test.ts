/**
 * Owns the sequential comparison: one call at a time, random ones, with time moved across expiries,
 * month ends and hold timeouts, the service must answer as the model does.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import { BEGINNINGS, FIRST, LAST } from "./beginnings.ts";
import { RANDOM_COMMANDS } from "./commands.ts";
import { type Command, Run } from "./run.ts";
import { RUN_MS_MAX, runsOf, SEED, SHRINKS } from "./settings.ts";
import { Sights } from "./sights.ts";
import { openSubject, type Subject } from "./subject.ts";

const RUNS = runsOf(35);

let subject: Subject;
const sights = new Sights();
let calls = 0;
beforeAll(async () => {
  subject = await openSubject();
});
afterAll(() => subject.close());

async function play(start: bigint, drawn: readonly Command[]): Promise<void> {
  await subject.newTenant();
  const run = new Run(start);
  for (const command of [...FIRST, ...drawn, ...LAST])
    sights.note(...(await run.play(command, subject)));
  calls += run.calls;
}

describe("the service answers as the reference model does", () => {
  test("one call at a time, whatever is called", { timeout: RUNS * RUN_MS_MAX }, async () => {
    console.log(`sequential comparison: seed ${SEED}, ${RUNS} runs`);
    await fc.assert(fc.asyncProperty(BEGINNINGS, RANDOM_COMMANDS, play), {
      numRuns: RUNS,
      seed: SEED,
      endOnFailure: !SHRINKS,
    });
    console.log(`sequential comparison: ${calls} calls compared, which met ${sights.tell()}`);
  });
});
