/**
 * Owns the log: one JSON line per event on stderr, so that stdout is left to the start banner. A
 * line names methods, codes and reasons. It never holds a key, an amount or a message to a caller.
 */
import { destination, type Logger, pino } from "pino";
import type { LogLevel } from "../config.ts";

export type { Logger } from "pino";

const STDERR = 2;

export function createLogger(level: LogLevel): Logger {
  return pino({ level, base: { service: "drawdown" } }, destination({ dest: STDERR, sync: false }));
}
