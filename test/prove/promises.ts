/** Owns the list of promises that can be shown, by the name under which the command knows them. */
import { audit } from "./audit.ts";
import { crash } from "./crash.ts";
import { cut } from "./cut.ts";
import { drain } from "./drain.ts";
import { race } from "./race.ts";
import { replay } from "./replay.ts";
import type { Run } from "./run.ts";

interface Promised {
  readonly about: string;
  /** Which part of a quick run's time it may take; 0 leaves it out. */
  readonly quickShare: number;
  readonly show: (run: Run) => Promise<void>;
}

export const PROMISES = {
  crash: {
    about: "R1: no acknowledged write is lost, whoever is killed",
    quickShare: 14,
    show: crash,
  },
  replay: {
    about: "R2: no write is applied twice, however often and wherever it is delivered",
    quickShare: 9,
    show: replay,
  },
  cut: {
    about: "R3: an unclear commit is never guessed: the link is cut at every byte of its exchange",
    quickShare: 11,
    show: cut,
  },
  race: {
    about: "R4: no overspend, and some serial order explains what racing callers were answered",
    quickShare: 9,
    show: race,
  },
  audit: {
    about: "R5: caches equal the replay of the journal, of ten million transfers within a minute",
    quickShare: 0,
    show: audit,
  },
  drain: {
    about:
      "R10: SIGTERM under load breaks nothing; a restart over an orphaned server needs no hand",
    quickShare: 0,
    show: drain,
  },
} as const satisfies Readonly<Record<string, Promised>>;

export type PromiseName = keyof typeof PROMISES;
