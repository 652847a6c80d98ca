/**
 * Owns the promise R4: when draws, holds, voids, corrections, adjustments and expiries race on one
 * customer over three replicas, nothing is overspent, and the answers are those of some serial
 * order that does not contradict real time.
 */
import { type Account, takeNote } from "./account.ts";
import { checkBooks, type Superuser, withSuperuser } from "./books.ts";
import { checkAudit, makeCustomers } from "./customers.ts";
import { Deliverer, describe } from "./delivery.ts";
import type { Fleet } from "./fleet.ts";
import { type History, readHistory } from "./history.ts";
import { type Mix, makeOperation } from "./operation.ts";
import type { Random } from "./random.ts";
import { inParallel, type Run } from "./run.ts";
import { type Called, findContradictions } from "./serial-order.ts";
import type { Tally } from "./tally.ts";
import type { Outcome } from "./wire.ts";

/** A customer lives for some rounds; in each so many calls are made at once. */
const SIZES = {
  quick: { customers: 4, width: 8 },
  small: { customers: 50, width: 8 },
  large: { customers: 1_000, width: 16 },
} as const;

const REPLICAS = 3;
const ROUNDS_A_CUSTOMER = 10;
const CUSTOMERS_AT_ONCE = 2;
const HISTORY_LINES_MAX = 24;
const ROWS_NEAR = 8;

const MIX: Mix = {
  promote: 3,
  promoteShortly: 2,
  chargeCreditOnly: 30,
  charge: 5,
  hold: 12,
  settle: 10,
  cancel: 6,
  correct: 10,
  takeBack: 6,
  giveMore: 1,
  voidGrant: 2,
};

export async function race(run: Run): Promise<void> {
  const { customers, width } = SIZES[run.size];
  const fleet = await run.openFleet(REPLICAS);
  run.say(`${REPLICAS} replicas, ${width} calls at once on each customer`);
  await raceOn(fleet, run, { promise: "race", name: "race", customers, width });
  await checkAudit("race", fleet, run.tally);
  await checkBooks("race", fleet.superuser, run.tally);
}

export interface Races {
  /** Whose failures they are. */
  readonly promise: string;
  /** Begins the keys of the customers. */
  readonly name: string;
  readonly customers: number;
  readonly width: number;
}

/** Races on new customers of a fleet, and explains every history. */
export async function raceOn(
  fleet: Fleet,
  run: Run,
  { promise, name, customers, width }: Races,
): Promise<void> {
  const { tally } = run;
  const random = run.random.fork(name);
  const deliverer = new Deliverer(promise, tally, fleet);
  const accounts = await makeCustomers(fleet.any(), name, customers);
  await inParallel(customers, CUSTOMERS_AT_ONCE, async (number) => {
    const account = accounts[number];
    if (account === undefined || (number > 0 && run.isLate())) return;
    const own = random.fork(`customer ${number}`);
    const calls: Called[] = [];
    for (let round = 0; round < ROUNDS_A_CUSTOMER; round += 1) {
      const base = (number * ROUNDS_A_CUSTOMER + round) * width;
      calls.push(...(await raceOnce({ account, deliverer, own, base, width })));
      tally.races += 1;
      tally.operations += width;
    }
    await explain(fleet.superuser, { account, calls, promise, tally });
    for (const { outcome } of calls) {
      if (outcome.kind === "acked") tally.acks += 1;
      if (outcome.kind === "refused") tally.refusals += 1;
    }
    if (number % 5 === 4) run.say(`${tally.races} races, ${tally.historiesChecked} histories`);
  });
}

async function raceOnce({
  account,
  deliverer,
  own,
  base,
  width,
}: {
  readonly account: Account;
  readonly deliverer: Deliverer;
  readonly own: Random;
  readonly base: number;
  readonly width: number;
}): Promise<Called[]> {
  const asked = Array.from({ length: width }, (_, index) => {
    const number = base + index;
    // The first call of a round gives something to race for.
    const mix: Mix = index === 0 ? { promote: 1 } : MIX;
    return makeOperation(own, { number, name: `race-${account.id.slice(-6)}`, account, mix });
  });
  const called = await Promise.all(
    asked.map(async (operation): Promise<Called | undefined> => {
      const startedAtMs = performance.now();
      const outcome = await deliverer.once(operation, own.fork(`deliver ${operation.number}`));
      if (outcome === undefined) return undefined;
      return { operation, startedAtMs, endedAtMs: performance.now(), outcome };
    }),
  );
  const calls = called.filter((each) => each !== undefined);
  for (const { outcome } of calls) {
    if (outcome.kind === "acked") takeNote(account, outcome.answer);
  }
  return calls;
}

async function explain(
  superuser: Superuser,
  {
    account,
    calls,
    promise,
    tally,
  }: {
    readonly account: Account;
    readonly calls: readonly Called[];
    readonly promise: string;
    readonly tally: Tally;
  },
): Promise<void> {
  const history = await withSuperuser(superuser, (client) => readHistory(client, account.id));
  const found = findContradictions(history, calls);
  tally.historiesChecked += 1;
  if (found.length === 0) return;
  const lines = listConcerned(found, history, calls).slice(0, HISTORY_LINES_MAX);
  const what = `no serial order explains customer ${account.id}`;
  tally.fail({ promise, breach: "other", what, history: [...found.slice(0, 5), ...lines] });
}

/** The rows right before the first contradiction, and the calls that it names or that made them. */
function listConcerned(
  [first = ""]: readonly string[],
  { rows }: History,
  calls: readonly Called[],
): string[] {
  const sequence = Number(/^\d+/.exec(first)?.[0] ?? rows.length);
  const near = rows.filter(
    (row) => row.sequence <= sequence && row.sequence > sequence - ROWS_NEAR,
  );
  const shown = near.map(
    ({ sequence: at, event, debit, credit, grantId, chargeId, amount }) =>
      `${at} ${event} ${debit} → ${credit} ${amount}e-12 of ${grantId} for ${chargeId}`,
  );
  const ids = near.flatMap(({ chargeId, grantId }) => (chargeId === null ? [grantId] : [chargeId]));
  const concerned = calls
    .filter(({ operation }) => first.includes(operation.request.requestId))
    .concat(calls.filter(({ outcome }) => ids.some((id) => textOf(outcome).includes(id))));
  const told = concerned.map((each) => describe(each.operation, each.outcome));
  return [...shown, ...new Set(told)];
}

const textOf = (outcome: Outcome): string => (outcome.kind === "acked" ? outcome.text : "");
