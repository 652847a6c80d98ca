/**
 * Owns what an error of the database means for the one who ran the statement. Errors are told
 * apart by SQLSTATE where the server answered, and by where they come from where it did not.
 */
import pg from "pg";
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from "typeorm";
import { type Refusal, refuse } from "../errors.ts";

/**
 * - `lost`: the connection or the server failed. After COMMIT was sent the outcome is unknown.
 * - `retryable`: the server rolled back because of others; running again may succeed.
 * - `data`: the server refused a value or a constraint; running again will not help.
 * - `unavailable`: the server answered that it cannot now; nothing was written.
 * - `bug`: anything else, a broken statement for instance.
 */
export type DatabaseFailure = "lost" | "retryable" | "data" | "unavailable" | "bug";

/** The first row whose prefix the SQLSTATE starts with decides. */
const BY_SQL_STATE: readonly (readonly [prefix: string, failure: DatabaseFailure])[] = [
  ["08", "lost"],
  // The session was ended: it was idle in a transaction, or the transaction took too long.
  ["25P03", "lost"],
  ["25P04", "lost"],
  ["57P", "lost"],
  ["58", "lost"],
  ["XX", "lost"],
  ["40", "retryable"],
  ["55P03", "retryable"],
  ["22", "data"],
  ["23", "data"],
  // The server has become a standby, or the statement took too long, or memory, disk or
  // connections have run out.
  ["25006", "unavailable"],
  ["57014", "unavailable"],
  ["53", "unavailable"],
];

/** How pg's messages begin, which have no code, when a connection ended or none was to be had. */
const LOST_MESSAGES = [
  "Connection terminated",
  "Client has encountered a connection error",
  "Client was closed",
  "Query read timeout",
  "timeout exceeded when trying to connect",
  "Cannot use a pool after",
  "Driver not Connected",
];

/** Says what an error that a statement, or taking a connection, threw means. */
export function databaseFailure(thrown: unknown): DatabaseFailure {
  const error = thrown instanceof QueryFailedError ? thrown.driverError : thrown;
  const sqlState = sqlStateOf(error);
  if (sqlState !== undefined) {
    return BY_SQL_STATE.find(([prefix]) => sqlState.startsWith(prefix))?.[1] ?? "bug";
  }
  // TypeORM has given back a connection that reported its own end.
  if (error instanceof QueryRunnerAlreadyReleasedError) return "lost";
  if (error instanceof QueryRunnerProviderAlreadyReleasedError) return "lost";
  if (!(error instanceof Error)) return "bug";
  // Node's own errors of sockets and name resolution name the system call.
  if ("syscall" in error) return "lost";
  if (LOST_MESSAGES.some((beginning) => error.message.startsWith(beginning))) return "lost";
  if (error instanceof AggregateError) return error.errors.some(isLost) ? "lost" : "bug";
  return "bug";
}

const isLost = (error: unknown): boolean => databaseFailure(error) === "lost";

/** The SQLSTATE of an error that the server answered. */
export function sqlStateOf(thrown: unknown): string | undefined {
  const error = thrown instanceof QueryFailedError ? thrown.driverError : thrown;
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** The name of the constraint that refused a row. */
export function constraintOf(thrown: unknown): string | undefined {
  const error = thrown instanceof QueryFailedError ? thrown.driverError : thrown;
  return error instanceof pg.DatabaseError ? error.constraint : undefined;
}

/** The refusal for a request that the database could not serve and that wrote nothing. */
export function databaseUnavailable(cause: unknown): Refusal {
  const refusal = refuse("DATABASE_UNAVAILABLE", "the database cannot be reached or is overloaded");
  refusal.cause = cause;
  return refusal;
}
