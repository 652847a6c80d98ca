/**
 * Owns the promise R1: no acknowledged write is lost when the service, a session of the database
 * or the whole server is killed or frozen, or the disk returns errors, at any moment, under load.
 * Two services share the embedded PostgreSQL; what they acknowledged is looked for and asked for
 * again after each fault.
 */
import type { Account } from "./account.ts";
import { checkBooks } from "./books.ts";
import { checkAudit, giveCredit, makeCustomers } from "./customers.ts";
import { type Acked, Deliverer } from "./delivery.ts";
import { chooseFault, reviveAll, strike } from "./faults.ts";
import type { Fleet } from "./fleet.ts";
import { fillUp } from "./full-disk.ts";
import { CHARGES, EVERYTHING, type Mix, makeOperation, type Operation } from "./operation.ts";
import type { Random } from "./random.ts";
import { inParallel, type Run } from "./run.ts";
import { findLost, Register } from "./stored-ids.ts";

/**
 * The operations come in periods; each has some faults, at most `strikes`, or none. `calls` are
 * delivered one by one in every form; `bundles` are batches of charges, as a client of volume sends
 * them. `credit` is what each customer has to begin with.
 */
const SIZES = {
  quick: { periods: 5, customers: 24, credit: 20, calls: 90, bundles: 1, bundle: 50, strikes: 1 },
  small: {
    periods: 88,
    customers: 24,
    credit: 500,
    calls: 120,
    bundles: 4,
    bundle: 40,
    strikes: 2,
  },
  large: {
    periods: 200,
    customers: 200,
    credit: 1_000_000,
    calls: 60,
    bundles: 20,
    bundle: 275,
    strikes: 26,
  },
} as const;

type Plan = (typeof SIZES)[keyof typeof SIZES];

const REPLICAS = 2;
const WIDTH = 16;
/** Answers of earlier periods that are asked for again, besides those of the period itself. */
const EARLIER_REPLAYS = 20;
/** Which part of a bundle's charges is asked for again; all are looked for in the database. */
const BUNDLE_REPLAYS = 0.1;
const KEPT_MAX = 5_000;

export async function crash(run: Run): Promise<void> {
  const plan = SIZES[run.size];
  const { tally, random } = run;
  const fleet = await run.openFleet(REPLICAS);
  const accounts = await makeCustomers(fleet.any(), "crash", plan.customers);
  await giveCredit(fleet.any(), accounts, plan.credit);
  const deliverer = new Deliverer("crash", tally, fleet);
  const register = new Register("crash");
  run.say(`${REPLICAS} services over the embedded PostgreSQL, ${plan.customers} customers`);
  const kept: Acked[] = [];

  for (let period = 0; period < plan.periods; period += 1) {
    if (period > 0 && run.isLate()) break;
    const own = random.fork(`period ${period}`);
    // A quarter of the periods is free of faults.
    const strikes = period % 4 === 3 ? 0 : own.between(1, plan.strikes);
    const bench = { accounts, deliverer, fleet, own, random, run, plan };
    const acked = await runPeriod(bench, period, strikes);
    for (const { operation } of acked) register.acked(operation.number);
    await findLost("crash", fleet.superuser, { acked, tally });
    const { calls } = plan;
    const isCall = ({ operation: { number } }: Acked) => number % sizeOf(plan) < calls;
    const asked = acked.filter((each) => isCall(each) || own.chance(BUNDLE_REPLAYS));
    const again = [...asked, ...own.shuffle(kept).slice(0, EARLIER_REPLAYS)];
    await inParallel(again.length, WIDTH, async (number) => {
      const each = again[number];
      if (each !== undefined) await deliverer.replay(each, own);
    });
    kept.push(...asked);
    kept.splice(0, kept.length - KEPT_MAX);
    run.say(`period ${period + 1} of ${plan.periods}: ${tally.acks} acks, ${tally.kills} kills`);
  }
  await reviveAll(fleet);
  await register.compare(fleet.superuser, { givenUp: deliverer.givenUp, tally });
  await checkAudit("crash", fleet, tally);
  await checkBooks("crash", fleet.superuser, tally);
  if (run.size !== "quick") await fillUp(run);
}

const sizeOf = ({ calls, bundles, bundle }: Plan): number => calls + bundles * bundle;

interface Bench {
  readonly accounts: readonly Account[];
  readonly deliverer: Deliverer;
  readonly fleet: Fleet;
  readonly own: Random;
  readonly random: Random;
  readonly run: Run;
  readonly plan: Plan;
}

/** Runs the operations of a period, with its faults one after the other in the middle of them. */
async function runPeriod(
  { accounts, deliverer, fleet, own, random, run, plan }: Bench,
  period: number,
  strikes: number,
): Promise<Acked[]> {
  const { calls, bundles, bundle } = plan;
  const acked: Acked[] = [];
  const first = period * sizeOf(plan);
  const make = (number: number, mix: Mix): Operation => {
    const account = random.fork(`account ${number}`).pick(accounts);
    return makeOperation(random, { number, name: "crash", account, mix });
  };
  const jobs = [
    ...Array.from({ length: calls }, (_, offset) => async () => {
      const found = await deliverer.settle(make(first + offset, EVERYTHING), random);
      if (found !== undefined) acked.push(found);
    }),
    ...Array.from({ length: bundles }, (_, index) => async () => {
      const from = first + calls + index * bundle;
      const numbers = Array.from({ length: bundle }, (__, offset) => from + offset);
      const charges = numbers.map((number) => make(number, CHARGES));
      acked.push(...(await deliverer.settleBundle(charges, random)));
    }),
  ];
  const mixed = own.shuffle(jobs);
  // Each waits for the one before it, and for so many jobs to have ended: all meet work under way.
  const planned = Array.from({ length: strikes }, (_, turn) => ({
    after: 1 + Math.floor(((turn + own.next()) / strikes) * (jobs.length - WIDTH)),
    fault: chooseFault(own, run.size === "quick"),
    random: own.fork(`strike ${turn}`),
  }));
  let ended = 0;
  let struck = Promise.resolve();
  await inParallel(mixed.length, WIDTH, async (number) => {
    await mixed[number]?.();
    ended += 1;
    for (const { after, fault, random: chance } of planned) {
      if (after !== ended) continue;
      struck = struck.then(() => strike(fault, { fleet, random: chance, tally: run.tally }));
    }
  });
  await struck;
  return acked;
}
