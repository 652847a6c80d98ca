import { readFileSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { describe, expect, test } from "vitest";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.ts";
import { assert, REASONS, type Reason, Refusal, refuse } from "../../src/errors.ts";
import { CODE_BY_REASON } from "../../src/rpc/error-codes.ts";
import { failureOf, toConnectError } from "../../src/rpc/failure.ts";

/** The code that the contract's comment of each reason names. */
function documentedCodes(): Record<string, string> {
  const proto = readFileSync(
    new URL("../../proto/drawdown/v1/error_reason.proto", import.meta.url),
    "utf8",
  );
  const documented: Record<string, string> = {};
  let comment = "";
  for (const line of proto.split("\n").map((each) => each.trim())) {
    if (line.startsWith("//")) comment += ` ${line.slice(2).trim()}`;
    const reason = /^ERROR_REASON_(\w+) = /.exec(line)?.[1];
    if (reason !== undefined) documented[reason] = /Code ([A-Z_]+)/.exec(comment)?.[1] ?? "";
    if (!line.startsWith("//")) comment = "";
  }
  return documented;
}

describe("reasons and codes", () => {
  const documented = documentedCodes();

  test.each(REASONS)("%s has the code that the contract documents", (reason) => {
    const code = Code[CODE_BY_REASON[reason]].replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase();

    expect(code).toBe(documented[reason]);
  });
});

describe("what a caller is told", () => {
  function told(thrown: unknown) {
    const error = toConnectError(failureOf(thrown));
    return {
      message: error.rawMessage,
      code: error.code,
      info: error.findDetails(ErrorInfoSchema),
      violations: error.findDetails(BadRequestSchema).flatMap((each) => each.fieldViolations),
      retry: error.findDetails(RetryInfoSchema),
    };
  }

  test("a refusal keeps its reason, facts and fields", () => {
    const facts = { required: "10", available: "4" };
    const { code, info, violations, retry } = told(refuse("INSUFFICIENT_CREDITS", "No.", facts));

    expect(code).toBe(Code.FailedPrecondition);
    expect(info).toMatchObject([
      { reason: "INSUFFICIENT_CREDITS", domain: "drawdown.v1", metadata: facts },
    ]);
    expect([violations, retry]).toEqual([[], []]);
  });

  test.each<Reason>(["CURSOR_MISMATCH", "AMOUNT_OUT_OF_RANGE"])(
    "%s is INVALID_ARGUMENT and has a field violation even when no field was named",
    (reason) => {
      expect(told(refuse(reason, "Not so.")).violations).toMatchObject([
        { field: "", description: "Not so." },
      ]);
    },
  );

  test("only who is turned away for load is told when to come back", () => {
    expect(told(refuse("OVERLOADED", "Later.")).retry).toMatchObject([
      { retryDelay: { seconds: 1n } },
    ]);
    expect(told(refuse("DATABASE_UNAVAILABLE", "Gone.")).retry).toEqual([]);
  });

  test.each([
    ["an assertion", () => assert(false, "available is 42.5")],
    ["any other error", () => JSON.parse("42.5.")],
  ])("%s is INTERNAL, and its text stays inside", (_what, fail) => {
    let seen: ReturnType<typeof told> | undefined;
    try {
      fail();
    } catch (thrown) {
      seen = told(thrown);
    }

    expect(seen).toMatchObject({ code: Code.Internal, info: [{ reason: "INTERNAL" }] });
    expect(seen?.message).not.toContain("42.5");
  });

  test("what a caller wrote comes back in less than 8 KiB of headers, in any script", () => {
    for (const text of ["x".repeat(5_000), "\u6f22".repeat(5_000), "\u{1F600}".repeat(5_000)]) {
      const violation = { field: text, description: "d".repeat(5_000) };
      const violations = Array.from({ length: 500 }, () => violation);
      const refusal = new Refusal("INVALID_REQUEST", `${text}\ud800`, {}, violations);
      const trailers = setTrailerStatus(new Headers(), toConnectError(failureOf(refusal)));
      const bytes = [...trailers].reduce(
        (sum, [name, value]) => sum + name.length + value.length,
        0,
      );

      expect(bytes).toBeGreaterThan(2_000);
      expect(bytes).toBeLessThan(8 * 1024);
    }
  });
});
