/**
 * Owns the comparison of calls that race on one customer, over replicas of one database: some order
 * that real time allows must explain every answer, reads as well as writes.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BEGINNINGS, FIRST, LAST } from "./beginnings.ts";
import { RANDOM_ROUNDS, type Round } from "./commands.ts";
import { findOrder, type Seen, tell } from "./order.ts";
import { type Call, type Command, Run } from "./run.ts";
import { RUN_MS_MAX, runsOf, SEED } from "./settings.ts";
import { openSubject, type Subject } from "./subject.ts";

const RUNS = runsOf(8);
const REPLICAS = 2;

let subject: Subject;
const met = { rounds: 0, calls: 0, racingWrites: 0 };

beforeAll(async () => {
  subject = await openSubject(REPLICAS);
});
afterAll(() => subject.close());

describe("calls that race on a customer are answered as in some order", () => {
  test("over two replicas, whatever races", { timeout: RUNS * RUN_MS_MAX }, async () => {
    console.log(`races: seed ${SEED}, ${RUNS} runs`);
    await fc.assert(fc.asyncProperty(BEGINNINGS, RANDOM_ROUNDS, race), {
      numRuns: RUNS,
      seed: SEED,
      endOnFailure: true,
    });
    console.log(`races: ${JSON.stringify(met)}`);
    expect(met.racingWrites).toBeGreaterThan(0);
  });
});

async function race(
  start: bigint,
  { credit, rounds }: { readonly credit: readonly Command[]; readonly rounds: readonly Round[] },
): Promise<void> {
  await subject.newTenant();
  const run = new Run(start);
  for (const command of [...FIRST, ...credit]) await run.play(command, subject);
  for (const { wait, callers } of rounds) {
    await run.pass(wait, subject);
    const calls = callers.map((commands) => commands.map((command) => run.resolve(command)));
    // A client that does not trust its connection sends everything twice.
    const twice = [...calls, calls[0] ?? []];
    const seen = await Promise.all(twice.map((own, replica) => callAll(run, own, replica)));
    const after = LAST.map((command) => run.resolve(command));
    explain(run, [...seen.flat(), ...(await callAll(run, after, 0))]);
  }
}

/** Makes the calls of one caller, one after the other. */
async function callAll(run: Run, calls: readonly Call[], replica: number): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const call of calls) {
    const startedAtMs = performance.now();
    const outcome = await subject.call(call.method, run.names.translate(call.ask), replica);
    seen.push({ ...call, startedAtMs, endedAtMs: performance.now(), outcome });
  }
  return seen;
}

/** Goes on from the order that explains what was seen. */
function explain(run: Run, seen: readonly Seen[]): void {
  const found = findOrder(run, seen, run.clock);
  if ("differences" in found) {
    const told = seen.map((each) => {
      const times = `${each.startedAtMs.toFixed(3)} to ${each.endedAtMs.toFixed(3)}`;
      return `${times} ${tell(each)}\n    ${JSON.stringify(each.outcome).slice(0, 1_000)}`;
    });
    const order = found.order.map(tell);
    throw run.disagreement(["no order of", ...told, "beyond", ...order, ...found.differences]);
  }
  run.model = found.model;
  run.names = found.names;
  for (const { expected, ...call } of found.order) run.remember(call, expected);
  met.rounds += 1;
  met.calls += seen.length;
  const writes = found.order.filter(
    (each) => "requestId" in each.ask && "answers" in each.expected,
  );
  const isRacing = (one: Seen, other: Seen) =>
    one !== other && one.startedAtMs < other.endedAtMs && other.startedAtMs < one.endedAtMs;
  met.racingWrites += writes.filter((one) => writes.some((other) => isRacing(one, other))).length;
}
