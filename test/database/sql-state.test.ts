import pg from "pg";
import {
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
  QueryRunnerProviderAlreadyReleasedError,
} from "typeorm";
import { describe, expect, test } from "vitest";
import { constraintOf, databaseFailure, sqlStateOf } from "../../src/database/sql-state.ts";

function answered(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError("of the server", 0, "error");
  error.code = code;
  error.constraint = "a_constraint";
  return error;
}

describe("what an error of the database means", () => {
  test.each([
    ["08006", "connection_failure", "lost"],
    ["25P03", "idle_in_transaction_session_timeout", "lost"],
    ["57P01", "admin_shutdown", "lost"],
    ["57P03", "cannot_connect_now", "lost"],
    ["58030", "io_error", "lost"],
    ["XX000", "internal_error", "lost"],
    ["40001", "serialization_failure", "retryable"],
    ["40P01", "deadlock_detected", "retryable"],
    ["55P03", "lock_not_available", "retryable"],
    ["22003", "numeric_value_out_of_range", "data"],
    ["23505", "unique_violation", "data"],
    ["23514", "check_violation", "data"],
    ["25006", "read_only_sql_transaction", "unavailable"],
    ["53300", "too_many_connections", "unavailable"],
    ["57014", "query_canceled", "unavailable"],
    ["25P02", "in_failed_sql_transaction", "bug"],
    ["42601", "syntax_error", "bug"],
    ["42501", "insufficient_privilege", "bug"],
  ])("%s %s: %s", (code, _, failure) => {
    expect(databaseFailure(answered(code))).toBe(failure);
    const fromTypeorm = new QueryFailedError("SELECT 1", [], answered(code));
    expect(databaseFailure(fromTypeorm)).toBe(failure);
    expect(sqlStateOf(fromTypeorm)).toBe(code);
    expect(constraintOf(fromTypeorm)).toBe("a_constraint");
  });

  test.each([
    [
      "a reset",
      Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" }),
    ],
    // Five capitals, like a SQLSTATE.
    ["a broken pipe", Object.assign(new Error("write EPIPE"), { code: "EPIPE", syscall: "write" })],
    ["an end", new Error("Connection terminated unexpectedly")],
    ["an end by timeout", new Error("Connection terminated due to connection timeout")],
    ["an end before", new Error("Client has encountered a connection error and is not queryable")],
    ["a closed client", new Error("Client was closed and is not queryable")],
    ["no answer", new Error("Query read timeout")],
    ["an exhausted pool", new Error("timeout exceeded when trying to connect")],
    ["a closed pool", new Error("Cannot use a pool after calling end on the pool")],
    ["a closed data source", new Error("Driver not Connected")],
    ["a runner without its connection", new QueryRunnerAlreadyReleasedError()],
    ["a manager without its connection", new QueryRunnerProviderAlreadyReleasedError()],
    [
      "two addresses, both dead",
      new AggregateError([Object.assign(new Error(""), { syscall: "connect" })]),
    ],
  ])("%s is lost", (_, error) => {
    expect(databaseFailure(error)).toBe("lost");
    expect(databaseFailure(new QueryFailedError("SELECT 1", [], error))).toBe("lost");
    expect(sqlStateOf(error)).toBeUndefined();
  });

  test.each([
    ["a broken program", new TypeError("x is not a function")],
    ["nothing", undefined],
    ["a text", "Connection terminated"],
  ])("%s is a bug", (_, thrown) => {
    expect(databaseFailure(thrown)).toBe("bug");
  });
});
