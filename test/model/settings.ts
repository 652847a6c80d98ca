/** Owns how long the comparisons run, and from which seed. */

/** How many times as many runs as by default: 20 for a long comparison. */
const TIMES = Number(process.env["DRAWDOWN_MODEL_TIMES"] ?? 1);

/** What everybody runs is the same for everybody; what looks further looks elsewhere each time. */
const EVERYDAY_SEED = 1;
const ANY_SEED = Date.now() % 2 ** 31;
export const SEED = Number(
  process.env["DRAWDOWN_MODEL_SEED"] ?? (TIMES > 1 ? ANY_SEED : EVERYDAY_SEED),
);

/** A failure is made as short as possible only where there is time for it. */
export const SHRINKS = process.env["DRAWDOWN_MODEL_SHRINK"] !== "no";

export const RUN_MS_MAX = 60_000;

export const runsOf = (count: number) => Math.ceil(count * TIMES);
