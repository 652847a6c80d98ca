/**
 * Owns what happens when the transaction of a batch fails: what is run again, for how long, and
 * what then has to be told (W2).
 */
import { databaseFailure } from "../database/sql-state.ts";
import { UnclearCommit } from "./commit.ts";
import type { PipelineObserver } from "./observer.ts";

const RETRIES_MAX = 5;
/** How long a lost connection or an unclear commit is pursued before the caller is told. */
const RESOLVE_MAX_MS = 10_000;
const RESOLVE_PAUSE_MS = 50;

export type Pursuit<Result> =
  | { readonly kind: "committed"; readonly result: Result }
  /** Others were in the way, each time. */
  | { readonly kind: "contended"; readonly error: unknown }
  /** The database cannot be reached, or says that it cannot now. */
  | { readonly kind: "unavailable"; readonly error: unknown }
  /** The batch fails for a reason of its own: running it again as it is will not help. */
  | { readonly kind: "unsound"; readonly error: unknown };

/**
 * Runs a transaction until its outcome is known or time is up. After an unclear COMMIT the whole
 * of it is run again from the locks: only behind them is it known what was stored.
 */
export async function pursue<Result>(
  attempt: () => Promise<Result>,
  way: {
    /** Called when a COMMIT was not answered. */
    readonly onUnclear: () => void;
    readonly observer?: PipelineObserver | undefined;
    readonly retriesMax?: number;
  },
): Promise<Pursuit<Result>> {
  const { onUnclear, observer, retriesMax = RETRIES_MAX } = way;
  const startedAt = performance.now();
  for (let retries = 0; ; ) {
    try {
      return { kind: "committed", result: await attempt() };
    } catch (error) {
      const unclear = error instanceof UnclearCommit;
      if (unclear) {
        onUnclear();
        observer?.commitUnclear();
      }
      switch (unclear ? "lost" : databaseFailure(error)) {
        case "lost":
          if (performance.now() - startedAt > RESOLVE_MAX_MS) return { kind: "unavailable", error };
          observer?.batchRetried();
          await new Promise((resolve) => setTimeout(resolve, RESOLVE_PAUSE_MS));
          break;
        case "retryable":
          retries += 1;
          if (retries > retriesMax) return { kind: "contended", error };
          observer?.batchRetried();
          break;
        case "unavailable":
          return { kind: "unavailable", error };
        default:
          return { kind: "unsound", error };
      }
    }
  }
}
