/** Owns the list of promises that can be shown, by the name under which the command knows them. */
import { audit } from "./audit.ts";
import { clock } from "./clock.ts";
import { crash } from "./crash.ts";
import { cut } from "./cut.ts";
import { drain } from "./drain.ts";
import { memory } from "./memory.ts";
import { race } from "./race.ts";
import { replay } from "./replay.ts";
import type { Run } from "./run.ts";
import { teeth } from "./teeth.ts";

interface Promised {
  readonly about: string;
  /** Which part of a run's time it may take, weighed with the others; 0 leaves it out. */
  readonly shares: { readonly quick: number; readonly whole: number };
  readonly show: (run: Run) => Promise<void>;
}

export const PROMISES = {
  crash: {
    about: "R1: no acknowledged write is lost, whoever is killed",
    shares: { quick: 14, whole: 10 },
    show: crash,
  },
  replay: {
    about: "R2: no write is applied twice, however often and wherever it is delivered",
    shares: { quick: 9, whole: 4 },
    show: replay,
  },
  cut: {
    about: "R3: an unclear commit is never guessed: the link is cut at every byte of its exchange",
    shares: { quick: 11, whole: 5 },
    show: cut,
  },
  race: {
    about: "R4: no overspend, and some serial order explains what racing callers were answered",
    shares: { quick: 9, whole: 3 },
    show: race,
  },
  audit: {
    about: "R5: caches equal the replay of the journal, of ten million transfers within a minute",
    shares: { quick: 0, whole: 4 },
    show: audit,
  },
  drain: {
    about:
      "R10: SIGTERM under load breaks nothing; a restart over an orphaned server needs no hand",
    shares: { quick: 0, whole: 3 },
    show: drain,
  },
  memory: {
    about: "R7: memory stays bounded, however long a history is and however badly it is read",
    shares: { quick: 0, whole: 6 },
    show: memory,
  },
  clock: {
    about: "R11: results do not depend on a replica's clock",
    shares: { quick: 0, whole: 3 },
    show: clock,
  },
  teeth: {
    about: "R12: the tests have teeth: planted faults are each caught by a named test",
    shares: { quick: 0, whole: 4 },
    show: teeth,
  },
} as const satisfies Readonly<Record<string, Promised>>;

export type PromiseName = keyof typeof PROMISES;
