/** Owns a quick comparison: `expect` is asked only to tell a difference. */
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";

export function same<Value>(actual: Value, expected: NoInfer<Value>, claim: string): void {
  if (actual === expected || isDeepStrictEqual(actual, expected)) return;
  expect(actual, claim).toStrictEqual(expected);
}
