/**
 * Owns the part of the promise R1 that needs a volume of its own: the disk of PostgreSQL is full
 * for a while. Nothing that was acknowledged may be lost by it, and when there is room again
 * everything must go on without a hand.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { checkBooks } from "./books.ts";
import { checkAudit, makeCustomers } from "./customers.ts";
import { type Acked, Deliverer } from "./delivery.ts";
import { fillVolume, mountVolume, unmountVolume } from "./disk.ts";
import { Fleet } from "./fleet.ts";
import { CHARGES, EVERYTHING, makeOperation } from "./operation.ts";
import { inParallel, type Run } from "./run.ts";
import { findLost } from "./stored-ids.ts";

const VOLUME_BYTES = 640 << 20;
const ROUNDS = 3;
const CUSTOMERS = 12;
const CALLS = 60;
const BUNDLES = 8;
const BUNDLE = 250;
const WIDTH = 24;
const FULL_MS = 4_000;

export async function fillUp(run: Run): Promise<void> {
  const { tally, random, scratch, say } = run;
  let dir: string | undefined;
  scratch.defer(async () => {
    if (dir !== undefined) unmountVolume(dir);
  });
  const fleet = new Fleet(run, { size: 1 });
  if (!mountVolume(fleet.dataDir, VOLUME_BYTES)) {
    tally.leftOut.add("a full disk: no volume can be mounted here");
    return;
  }
  dir = fleet.dataDir;
  await fleet.start();
  const accounts = await makeCustomers(fleet.any(), "full", CUSTOMERS);
  const deliverer = new Deliverer("crash", tally, fleet);
  for (let round = 0; round < ROUNDS; round += 1) {
    const own = random.fork(`full ${round}`);
    const acked: Acked[] = [];
    const make = (number: number, mix: typeof EVERYTHING) => {
      const account = own.fork(`account ${number}`).pick(accounts);
      return makeOperation(own, { number, name: `full-${round}`, account, mix });
    };
    const giveRoom = fillVolume(dir);
    tally.fault("full disk");
    const roomAgain = sleep(FULL_MS).then(giveRoom);
    await inParallel(CALLS + BUNDLES, WIDTH, async (index) => {
      if (index < CALLS) {
        const found = await deliverer.settle(make(index, EVERYTHING), own);
        if (found !== undefined) acked.push(found);
        return;
      }
      const from = CALLS + (index - CALLS) * BUNDLE;
      const numbers = Array.from({ length: BUNDLE }, (_, offset) => from + offset);
      const charges = numbers.map((number) => make(number, CHARGES));
      acked.push(...(await deliverer.settleBundle(charges, own)));
    });
    await roomAgain;
    await findLost("crash", fleet.superuser, { acked, tally });
    say(`full disk, ${round + 1} of ${ROUNDS}: ${acked.length} acks, all looked for`);
  }
  await checkAudit("crash", fleet, tally);
  await checkBooks("crash", fleet.superuser, tally);
}
