/**
 * Owns the faults that befall the processes of a fleet while it is at work, and how the fleet is
 * on its feet again afterwards: by starting what was killed, and by nothing else.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { failDisk } from "./disk.ts";
import type { Fleet } from "./fleet.ts";
import { findPostmaster, listBackends, signal } from "./postmaster.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";

const FREEZE_MS_MAX = 1_500;
/** Longer than a session may idle in a transaction: the server ends those of who stands still. */
const LONG_FREEZE_MS = 17_000;
const RESTART_PAUSE_MS_MAX = 200;
const DISK_FAILS_MS = 400;

/** How often each befalls. */
const WEIGHTS = {
  "kill service": 40,
  "kill backend": 50,
  "kill postmaster": 40,
  "kill service and postmaster": 20,
  "immediate shutdown": 10,
  "freeze service": 8,
  "freeze service for long": 1,
  "freeze backend": 8,
  "freeze postmaster": 8,
  "hang up on all clients": 8,
  "rolling restart": 6,
  "disk error": 8,
} as const;

export type Fault = keyof typeof WEIGHTS;

/** Those from which a fleet is back within a second or two. */
const QUICK_WEIGHTS = { "kill service": 1, "kill backend": 2, "kill postmaster": 2 } as const;

export const chooseFault = (random: Random, isQuick: boolean): Fault =>
  isQuick ? random.weigh(QUICK_WEIGHTS) : random.weigh(WEIGHTS);

/** Lets a fault happen, and resolves when everybody is back. */
export async function strike(
  fault: Fault,
  { fleet, random, tally }: Omit<Scene, "index">,
): Promise<void> {
  const index = random.below(fleet.size);
  await sleep(random.below(20));
  fleet.note(fault);
  if (await ACTS[fault]({ fleet, random, index, tally })) tally.fault(fault);
  await sleep(random.below(RESTART_PAUSE_MS_MAX));
  await reviveAll(fleet);
}

interface Scene {
  readonly fleet: Fleet;
  readonly random: Random;
  /** The replica concerned. */
  readonly index: number;
  readonly tally: Tally;
}

type Act = (scene: Scene) => Promise<boolean> | boolean;

/** Each answers whether it found somebody to befall. */
const ACTS: Readonly<Record<Fault, Act>> = {
  "kill service": ({ fleet, index }) => killService(fleet, index),
  "kill backend": ({ fleet }) => signal(listBackends(fleet.dataDir)[0]?.pid, "SIGKILL"),
  "kill postmaster": ({ fleet }) => signal(findPostmaster(fleet.dataDir), "SIGKILL"),
  "kill service and postmaster": async ({ fleet, index }) => {
    const isKilled = signal(findPostmaster(fleet.dataDir), "SIGKILL");
    return (await killService(fleet, index)) && isKilled;
  },
  "immediate shutdown": ({ fleet }) => signal(findPostmaster(fleet.dataDir), "SIGQUIT"),
  "freeze service": ({ fleet, index, random }) =>
    freeze(fleet.find(index)?.pid, random.below(FREEZE_MS_MAX)),
  "freeze service for long": ({ fleet, index }) => freeze(fleet.find(index)?.pid, LONG_FREEZE_MS),
  "freeze backend": ({ fleet, random }) =>
    freeze(listBackends(fleet.dataDir)[0]?.pid, random.below(FREEZE_MS_MAX)),
  "freeze postmaster": ({ fleet, random }) =>
    freeze(findPostmaster(fleet.dataDir), random.below(FREEZE_MS_MAX)),
  "hang up on all clients": ({ fleet, index }) => fleet.hangUp(index),
  "rolling restart": async ({ fleet }) => {
    for (let index = 0; index < fleet.size; index += 1) {
      await fleet.find(index)?.end("SIGTERM");
      await fleet.startOne(index);
    }
    return true;
  },
  "disk error": async ({ fleet, tally }) => {
    if (findPostmaster(fleet.dataDir) === undefined) return false;
    const why = await failDisk(fleet.dataDir, DISK_FAILS_MS);
    if (why !== undefined) tally.leftOut.add(`disk errors: ${why}`);
    return why === undefined;
  },
};

/** Waits for its end: until then it would count as running, and nobody would start it again. */
async function killService(fleet: Fleet, index: number): Promise<boolean> {
  const replica = fleet.find(index);
  if (replica?.running !== true) return false;
  await replica.end("SIGKILL");
  return true;
}

async function freeze(pid: number | undefined, ms: number): Promise<boolean> {
  if (!signal(pid, "SIGSTOP")) return false;
  await sleep(ms);
  signal(pid, "SIGCONT");
  return true;
}

/** Starts again whoever has ended. */
export async function reviveAll(fleet: Fleet): Promise<void> {
  for (let index = 0; index < fleet.size; index += 1) {
    const replica = fleet.find(index);
    if (replica?.running === true) continue;
    await replica?.exited;
    await fleet.startOne(index);
  }
}
