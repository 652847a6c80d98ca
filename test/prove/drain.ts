/**
 * Owns the promise R10: a service that is told to stop under load breaks nothing that is in
 * flight and is gone within 10 s; and one that was killed is started again over the PostgreSQL
 * that it left behind, without a hand.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./account.ts";
import { checkBooks } from "./books.ts";
import { checkAudit, makeCustomers } from "./customers.ts";
import { type Acked, Deliverer, describe } from "./delivery.ts";
import type { Fleet } from "./fleet.ts";
import { EVERYTHING, makeOperation, type Operation } from "./operation.ts";
import type { Random } from "./random.ts";
import { inParallel, type Run } from "./run.ts";
import { type Lines, type Outcome, WAYS } from "./wire.ts";

const SIZES = { quick: { rounds: 1 }, small: { rounds: 10 }, large: { rounds: 100 } } as const;

const CUSTOMERS = 12;
const WIDTH = 24;
const OPERATIONS_A_ROUND = 600;
const EXIT_MS_MAX = 10_000;
const READY_MS_MAX = 60_000;
/**
 * What was sent so long before the signal, and longer than any other call took, has certainly been
 * read by the service.
 */
const SENT_BEFORE_MS = 100;
const ANSWERS_BEFORE = 100;
const LOAD_MS_MAX = 20_000;
const POLL_MS = 10;

interface Sent {
  readonly operation: Operation;
  readonly startedAtMs: number;
  readonly tookMs: number;
  readonly outcome: Outcome;
}

export async function drain(run: Run): Promise<void> {
  const { rounds } = SIZES[run.size];
  const { tally, random } = run;
  const fleet = await run.openFleet(1);
  const accounts = await makeCustomers(fleet.any(), "drain", CUSTOMERS);
  const deliverer = new Deliverer("drain", tally, fleet);
  const fail = (what: string, history: readonly string[] = []) =>
    tally.fail({ promise: "drain", breach: "other", what, history });
  let slowestMs = 0;
  run.say("one service over the embedded PostgreSQL, which it stops when it is told to stop");

  for (let round = 0; round < rounds && !run.isLate(); round += 1) {
    const own = random.fork(`round ${round}`);
    const isOrphaned = round % 3 === 1;
    const { sent, exit, readBeforeMs } = await loadAndEnd(fleet, isOrphaned, {
      accounts,
      random: own,
      from: round * OPERATIONS_A_ROUND,
    });
    tally.fault(isOrphaned ? "kill service, orphaning PostgreSQL" : "SIGTERM under load");
    if (!isOrphaned) {
      slowestMs = Math.max(slowestMs, exit.tookMs);
      if (exit.code !== 0) fail(`the service ended with ${exit.code ?? exit.signal}, not 0`);
      if (exit.tookMs > EXIT_MS_MAX) fail(`the service took ${exit.tookMs} ms to end`);
      for (const { operation, startedAtMs, outcome } of sent) {
        const isInFlight = startedAtMs < readBeforeMs;
        if (!isInFlight || outcome.kind !== "unclear") continue;
        fail("a call in flight was broken by the drain", [describe(operation, outcome)]);
      }
    }
    const replica = await fleet.startOne(0);
    if (replica.readyMs > READY_MS_MAX) fail(`the restart took ${replica.readyMs} ms`);
    const answered = sent.flatMap(({ operation, outcome }): Acked[] =>
      outcome.kind === "acked" ? [{ operation, text: outcome.text }] : [],
    );
    tally.operations += sent.length;
    tally.acks += answered.length;
    await inParallel(answered.length, WIDTH, async (number) => {
      const each = answered[number];
      if (each !== undefined) await deliverer.replay(each, own);
    });
    run.say(
      `round ${round + 1} of ${rounds}: ${sent.length} calls, exit in ${Math.round(exit.tookMs)} ms`,
    );
  }
  tally.figures.set("slowest exit", `${Math.round(slowestMs)} ms`);
  await checkAudit("drain", fleet, tally);
  await checkBooks("drain", fleet.superuser, tally);
}

/** Calls as fast as it goes, and ends the service in the middle of it. */
async function loadAndEnd(
  fleet: Fleet,
  isOrphaned: boolean,
  way: {
    readonly accounts: readonly Account[];
    readonly random: Random;
    readonly from: number;
  },
) {
  const replica = fleet.find(0);
  const lines = fleet.any();
  if (replica === undefined) throw new Error("the service is not running");
  const sent: Sent[] = [];
  const load = inParallel(OPERATIONS_A_ROUND, WIDTH, async (offset) => {
    if (!replica.running) return;
    sent.push(await send(lines, way.from + offset, way));
  });
  const giveUpAtMs = performance.now() + LOAD_MS_MAX;
  while (sent.length < ANSWERS_BEFORE && performance.now() < giveUpAtMs) await sleep(POLL_MS);
  const slowestMs = Math.max(...sent.map(({ tookMs }) => tookMs), SENT_BEFORE_MS);
  const readBeforeMs = performance.now() - slowestMs;
  const exit = await replica.end(isOrphaned ? "SIGKILL" : "SIGTERM");
  await load;
  return { sent, exit, readBeforeMs };
}

async function send(
  lines: Lines,
  number: number,
  { accounts, random }: { readonly accounts: readonly Account[]; readonly random: Random },
): Promise<Sent> {
  const account = random.fork(`account ${number}`).pick(accounts);
  const operation = makeOperation(random, { number, name: "drain", account, mix: EVERYTHING });
  const way = random.fork(`way ${number}`).pick(WAYS.filter((each) => each !== "batch"));
  const startedAtMs = performance.now();
  const outcome = await lines.call(operation.rpc, operation.request, way);
  return { operation, startedAtMs, tookMs: performance.now() - startedAtMs, outcome };
}
