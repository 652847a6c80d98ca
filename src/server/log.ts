/**
 * Owns the log: one JSON line per event on stderr, so that stdout is left to the start banner. Each
 * RPC has one (rpc-log.ts). No line holds a key or a message to a caller.
 */
import { destination, type Logger, pino } from "pino";
import type { LogLevel } from "../config.ts";

export type { Logger } from "pino";

const STDERR = 2;
/** Lines are written together: a write for each would cost more than making it. */
const LINES_BYTES = 4_096;
const FLUSH_INTERVAL_MS = 250;
/** Whoever reads stderr and stalls loses lines, and the service no memory. */
const UNWRITTEN_BYTES_MAX = 16 * 1024 * 1024;

export function createLogger(level: LogLevel): Logger {
  return pino(
    { level, base: { service: "drawdown" } },
    destination({
      dest: STDERR,
      sync: false,
      minLength: LINES_BYTES,
      maxLength: UNWRITTEN_BYTES_MAX,
      periodicFlush: FLUSH_INTERVAL_MS,
    }),
  );
}
