/** Owns what every promise is given to run with, and how it tells how far it is. */
import type { Fleet } from "./fleet.ts";
import type { Random } from "./random.ts";
import type { Scratch } from "./scratch.ts";
import type { Tally } from "./tally.ts";

export const SIZES = ["quick", "small", "large"] as const;

export type Size = (typeof SIZES)[number];

/** What services are started with. */
export interface Stage {
  /** For which promise they run. */
  readonly promise: string;
  readonly tally: Tally;
  readonly scratch: Scratch;
  /** The compiled main.js of the sources under test. */
  readonly program: string;
}

export interface Run extends Stage {
  readonly seed: string;
  readonly size: Size;
  readonly random: Random;
  /** The root of the sources under test. */
  readonly root: string;
  /** Replicas over an embedded PostgreSQL, running; a quick run shares them. */
  openFleet(size: number): Promise<Fleet>;
  /** Says how far the run is. */
  say(text: string): void;
  /** Whether the time that was given to the promise is up: it then ends with what it has. */
  isLate(): boolean;
}

/** Runs the work for every number below the count, so many at a time, in order of numbers. */
export async function inParallel(
  count: number,
  width: number,
  work: (number: number) => Promise<void>,
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number).values();
  const lane = async () => {
    for (const number of numbers) await work(number);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}
