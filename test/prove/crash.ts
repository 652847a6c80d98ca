/**
 * Owns the promise R1: no acknowledged write is lost when the service, a session of the database
 * or the whole server is killed, at any moment, under load. Two services share the embedded
 * PostgreSQL; what they acknowledged is asked for again after each fault.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./account.ts";
import { checkBooks } from "./books.ts";
import { checkAudit, makeCustomers } from "./customers.ts";
import { type Acked, Deliverer } from "./delivery.ts";
import type { Fleet } from "./fleet.ts";
import { EVERYTHING, makeOperation } from "./operation.ts";
import { findPostmaster, listBackends, signal } from "./postmaster.ts";
import type { Random } from "./random.ts";
import { inParallel, type Run } from "./run.ts";

/** The operations come in periods; each has one fault, or none. */
const SIZES = {
  quick: { periods: 5, operationsAPeriod: 140 },
  small: { periods: 80, operationsAPeriod: 300 },
  large: { periods: 1_340, operationsAPeriod: 850 },
} as const;

const REPLICAS = 2;
const CUSTOMERS = 24;
const WIDTH = 32;
/** Answers of earlier periods that are asked for again, besides all of the period's own. */
const EARLIER_REPLAYS = 20;
const KEPT_MAX = 5_000;
const FREEZE_MS_MAX = 700;
const RESTART_PAUSE_MS_MAX = 200;

const FAULTS = {
  "kill service": 4,
  "kill backend": 4,
  "kill postmaster": 3,
  "kill service and postmaster": 2,
  "immediate shutdown": 2,
  "freeze service": 1,
} as const;

export async function crash(run: Run): Promise<void> {
  const { periods, operationsAPeriod } = SIZES[run.size];
  const { tally, random } = run;
  const fleet = await run.openFleet(REPLICAS);
  const accounts = await makeCustomers(fleet.any(), "crash", CUSTOMERS);
  const deliverer = new Deliverer("crash", tally, fleet);
  run.say(`${REPLICAS} services over the embedded PostgreSQL, ${CUSTOMERS} customers`);
  const kept: Acked[] = [];

  for (let period = 0; period < periods && !run.isLate(); period += 1) {
    const own = random.fork(`period ${period}`);
    // A quarter of the periods is free of faults.
    const fault = period % 4 === 3 ? undefined : own.weigh(FAULTS);
    const acked = await runPeriod(
      { accounts, deliverer, fault, fleet, own, random },
      {
        from: period * operationsAPeriod,
        count: operationsAPeriod,
      },
    );
    if (fault !== undefined) tally.fault(fault);
    const earlier = own.shuffle(kept).slice(0, EARLIER_REPLAYS);
    const again = [...acked, ...earlier];
    await inParallel(again.length, WIDTH, async (number) => {
      const each = again[number];
      if (each !== undefined) await deliverer.replay(each, own);
    });
    kept.push(...acked);
    kept.splice(0, kept.length - KEPT_MAX);
    run.say(`period ${period + 1} of ${periods}: ${fault ?? "no fault"}, ${tally.acks} acks`);
  }
  await reviveAll(fleet);
  await checkAudit("crash", fleet, tally);
  await checkBooks("crash", fleet.superuserUrl, tally);
}

interface Period {
  readonly accounts: readonly Account[];
  readonly deliverer: Deliverer;
  readonly fault: keyof typeof FAULTS | undefined;
  readonly fleet: Fleet;
  readonly own: Random;
  readonly random: Random;
}

/** Runs the operations of a period, with its fault somewhere in the middle of them. */
async function runPeriod(
  { accounts, deliverer, fault, fleet, own, random }: Period,
  { from, count }: { readonly from: number; readonly count: number },
): Promise<Acked[]> {
  const acked: Acked[] = [];
  const strikeAfter = own.between(Math.floor(count / 8), Math.floor(count / 2));
  let settled = 0;
  let recovered: Promise<void> | undefined;
  await inParallel(count, WIDTH, async (offset) => {
    const number = from + offset;
    const account = random.fork(`account ${number}`).pick(accounts);
    const operation = makeOperation(random, { number, name: "crash", account, mix: EVERYTHING });
    const found = await deliverer.settle(operation, random);
    if (found !== undefined) acked.push(found);
    settled += 1;
    if (fault !== undefined && settled === strikeAfter) recovered = strike(fault, fleet, own);
  });
  await recovered;
  return acked;
}

async function strike(fault: keyof typeof FAULTS, fleet: Fleet, random: Random): Promise<void> {
  const index = random.below(fleet.size);
  const victim = fleet.find(index);
  await sleep(random.below(20));
  switch (fault) {
    case "kill service":
      victim?.signal("SIGKILL");
      break;
    case "kill backend":
      signal(listBackends(fleet.dataDir)[0]?.pid, "SIGKILL");
      break;
    case "kill postmaster":
      signal(findPostmaster(fleet.dataDir), "SIGKILL");
      break;
    case "kill service and postmaster":
      signal(findPostmaster(fleet.dataDir), "SIGKILL");
      victim?.signal("SIGKILL");
      break;
    case "immediate shutdown":
      signal(findPostmaster(fleet.dataDir), "SIGQUIT");
      break;
    case "freeze service":
      victim?.signal("SIGSTOP");
      await sleep(random.below(FREEZE_MS_MAX));
      victim?.signal("SIGCONT");
      break;
  }
  await sleep(random.below(RESTART_PAUSE_MS_MAX));
  await reviveAll(fleet);
}

/** Starts again whoever was killed. Nothing else is done by hand. */
async function reviveAll(fleet: Fleet): Promise<void> {
  for (let index = 0; index < fleet.size; index += 1) {
    const replica = fleet.find(index);
    if (replica?.running === true) continue;
    await replica?.exited;
    await fleet.startOne(index);
  }
}
