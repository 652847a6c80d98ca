/** A process that logs much, and says what its memory grew by. */
import { setImmediate as turn } from "node:timers/promises";
import { createLogger } from "../../src/server/log.ts";

const LINES = 300_000;
const LINES_PER_TURN = 1_000;
const LINE = "x".repeat(1_000);

const logger = createLogger("info");
const before = process.memoryUsage().rss;
for (let line = 0; line < LINES; line += 1) {
  logger.info(LINE);
  if (line % LINES_PER_TURN === 0) await turn();
}
process.send?.({ logged: LINES * LINE.length, taken: process.memoryUsage().rss - before });
