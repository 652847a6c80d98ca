/**
 * W2, for clients: the advice retries what is safe to send again, and nothing else. A request id
 * makes a mutation safe; the secret of an API key is shown once, so making one is not.
 */
import { readFileSync } from "node:fs";
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { AccessService } from "../gen/drawdown/v1/access_service_pb.ts";
import { CODE_BY_REASON } from "../src/rpc/error-codes.ts";
import { SERVICES } from "./contract/descriptors.ts";

const file = new URL("../examples/retry-service-config.json", import.meta.url);
const { methodConfig } = JSON.parse(readFileSync(file, "utf8")) as {
  readonly methodConfig: readonly {
    readonly name: readonly { readonly service: string; readonly method?: string }[];
    readonly waitForReady: boolean;
    readonly retryPolicy: { readonly retryableStatusCodes: readonly string[] };
  }[];
};

const ALL = [...new Set([...SERVICES, AccessService])].flatMap(({ methods }) => [...methods]);
const NOT_SAFE = ["CreateApiKey"];

function isRetried(service: string, method: string): boolean {
  return methodConfig.some(({ name }) =>
    name.some((each) => each.service === service && (each.method ?? method) === method),
  );
}

describe("W2 the retry advice", () => {
  test.each(ALL.map((method) => [method.name, method] as const))(
    "%s is retried exactly when it can be sent again",
    (name, method) => {
      const isSafe = method.idempotency !== IdempotencyLevel.IDEMPOTENCY_UNKNOWN;

      expect(isRetried(method.parent.typeName, name)).toBe(isSafe && !NOT_SAFE.includes(name));
    },
  );

  test("is about UNAVAILABLE, which is what an unknown outcome and a restart are told as", () => {
    for (const { retryPolicy } of methodConfig) {
      expect(retryPolicy.retryableStatusCodes).toEqual(["UNAVAILABLE"]);
    }
    for (const reason of [
      "OUTCOME_UNKNOWN",
      "DRAINING",
      "DATABASE_UNAVAILABLE",
      "IDENTITY_PROVIDER_UNAVAILABLE",
    ] as const) {
      expect(CODE_BY_REASON[reason]).toBe(Code.Unavailable);
    }
  });

  test("lets calls wait for a connection instead of failing while none is there", () => {
    expect(methodConfig.map(({ waitForReady }) => waitForReady)).toEqual([true]);
  });
});
