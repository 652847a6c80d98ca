/**
 * Run as a process of its own that can ask for a collection: says how long it takes to defer a
 * callback after one, with the shape of such callbacks kept if its first word says so.
 */
import { setImmediate as turn } from "node:timers/promises";
import { keepTickShape } from "../../src/server/tick-shape.ts";

/** So many calls of a function that V8 begins to watch what it is called with. */
const WATCHED_CALLS = 200;
const CALLS = 1_000;
/** So many turns that V8 has compiled what it calls, and that one of them is not disturbed. */
const TURNS = 100;

function defer(times: number): void {
  for (let index = 0; index < times; index += 1) process.nextTick(() => undefined);
}

if (process.argv[2] === "kept") keepTickShape();
for (let index = 0; index < WATCHED_CALLS; index += 1) {
  defer(1);
  await turn();
}
for (let index = 0; index < 2; index += 1) {
  globalThis.gc?.();
  await turn();
}
let fastest_ms = Number.POSITIVE_INFINITY;
for (let index = 0; index < TURNS; index += 1) {
  const startedAt = performance.now();
  defer(CALLS);
  fastest_ms = Math.min(fastest_ms, performance.now() - startedAt);
  await turn();
}
process.send?.({ collects: globalThis.gc !== undefined, each_ns: (1e6 * fastest_ms) / CALLS });
