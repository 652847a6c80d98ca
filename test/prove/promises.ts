/** Owns the list of promises that can be shown, by the name under which the command knows them. */
import { crash } from "./crash.ts";
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
} as const satisfies Readonly<Record<string, Promised>>;

export type PromiseName = keyof typeof PROMISES;
