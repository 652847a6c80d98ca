/**
 * Owns the promise R2: no write is applied twice. Every request id is delivered up to ten times, at
 * once, to three replicas, over both edges, in many forms, by clients that sometimes hang up; and
 * again after replicas were killed or told to stop.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { checkBooks } from "./books.ts";
import { checkAudit, makeCustomers } from "./customers.ts";
import { type Acked, Deliverer } from "./delivery.ts";
import type { Fleet } from "./fleet.ts";
import { EVERYTHING, makeOperation, type Operation } from "./operation.ts";
import type { Random } from "./random.ts";
import { inParallel, type Run } from "./run.ts";
import type { Outcome } from "./wire.ts";

/** After each round of ids one replica is restarted. */
const SIZES = {
  quick: { rounds: 2, idsARound: 60 },
  small: { rounds: 20, idsARound: 250 },
  large: { rounds: 100, idsARound: 1_000 },
} as const;

const REPLICAS = 3;
const CUSTOMERS = 12;
const WIDTH = 8;
const DELIVERIES_MAX = 10;
const HANG_UP_PROBABILITY = 0.1;
const HANG_UP_MS_MAX = 20;
const KEPT_MAX = 3_000;

export async function replay(run: Run): Promise<void> {
  const { rounds, idsARound } = SIZES[run.size];
  const { tally, random } = run;
  const fleet = await run.openFleet(REPLICAS);
  const accounts = await makeCustomers(fleet.any(), "replay", CUSTOMERS);
  const deliverer = new Deliverer("replay", tally, fleet);
  run.say(`${REPLICAS} replicas over one PostgreSQL, ${CUSTOMERS} customers`);
  let kept: Acked[] = [];

  for (let round = 0; round < rounds; round += 1) {
    if (round > 0 && run.isLate()) break;
    const own = random.fork(`round ${round}`);
    const acked: Acked[] = [];
    await inParallel(idsARound, WIDTH, async (offset) => {
      const number = round * idsARound + offset;
      const account = random.fork(`account ${number}`).pick(accounts);
      const operation = makeOperation(random, { number, name: "replay", account, mix: EVERYTHING });
      const found = await deliverAtOnce(deliverer, operation, random.fork(`at once ${number}`));
      if (found !== undefined) acked.push(found);
    });
    await restartOne(fleet, own, tally.fault.bind(tally));
    kept = own.shuffle([...kept, ...acked]).slice(0, KEPT_MAX);
    const again = [...new Set([...acked, ...kept.slice(0, idsARound)])];
    await inParallel(again.length, WIDTH * 2, async (number) => {
      const each = again[number];
      if (each !== undefined) await deliverer.replay(each, own);
    });
    run.say(`round ${round + 1} of ${rounds}: ${tally.acks} acks, ${tally.replays} replays`);
  }
  await checkAudit("replay", fleet, tally);
  await checkBooks("replay", fleet.superuser, tally);
}

/** Delivers one id many times at once. All who are answered must have been answered the same. */
async function deliverAtOnce(
  deliverer: Deliverer,
  operation: Operation,
  random: Random,
): Promise<Acked | undefined> {
  const times = random.between(1, DELIVERIES_MAX);
  const sent = Array.from({ length: times }, (_, index) => {
    const own = random.fork(index);
    const hangUp = new AbortController();
    const patience = own.chance(HANG_UP_PROBABILITY) ? own.below(HANG_UP_MS_MAX) : undefined;
    const timer = patience === undefined ? undefined : setTimeout(() => hangUp.abort(), patience);
    return deliverer.once(operation, own, hangUp.signal).finally(() => clearTimeout(timer));
  });
  const outcomes = await Promise.all(sent);
  // Whoever got no answer asks again, until all is clear.
  const first = await deliverer.settle(operation, random);
  const answers = outcomes.filter((each): each is Outcome => each?.kind === "acked");
  if (first !== undefined) for (const each of answers) deliverer.compare(first, each);
  else for (const each of answers) deliverer.contradict(operation, each);
  return first;
}

/** One replica is killed or told to stop while the others go on. */
async function restartOne(
  fleet: Fleet,
  random: Random,
  count: (kind: string) => void,
): Promise<void> {
  const index = random.below(fleet.size);
  const kills = random.chance(0.6);
  await fleet.find(index)?.end(kills ? "SIGKILL" : "SIGTERM");
  count(kills ? "kill service" : "rolling restart");
  await sleep(random.below(50));
  await fleet.startOne(index);
}
