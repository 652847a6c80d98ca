import { describe, expect, test } from "vitest";
import { Refusal } from "../../src/errors.ts";
import {
  asSet,
  type Binding,
  isIdPosition,
  isNumberPosition,
  makeToken,
  readToken,
} from "../../src/queries/page-token.ts";

const BINDING: Binding = ["grants", "tenant", "customer", ["ACTIVE"], null, 5n];

function refusalOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [error.reason, error.fieldViolations.map(({ field }) => field)];
  }
}

const ANY = { field: "page_token", isPosition: () => true };
const MISMATCH = ["CURSOR_MISMATCH", ["page_token"]];

describe("H4 a token is bound to what it was made for", () => {
  test.each(["", "7", "o12", "01900000-0000-7000-8000-000000000001"])(
    "it gives back its position %j",
    (position) => {
      expect(readToken(BINDING, makeToken(BINDING, position), ANY)).toBe(position);
    },
  );

  test.each<[what: string, binding: Binding]>([
    ["another list", ["charges", "tenant", "customer", ["ACTIVE"], null, 5n]],
    ["another tenant", ["grants", "other", "customer", ["ACTIVE"], null, 5n]],
    ["another customer", ["grants", "tenant", "other", ["ACTIVE"], null, 5n]],
    ["another filter", ["grants", "tenant", "customer", ["EXPIRED"], null, 5n]],
    ["a filter where there was none", ["grants", "tenant", "customer", ["ACTIVE"], "USD", 5n]],
    ["another moment", ["grants", "tenant", "customer", ["ACTIVE"], null, 6n]],
    ["the same values in other places", ["grants", "tenant", "customer", null, ["ACTIVE"], 5n]],
  ])("it is refused for %s", (_, binding) => {
    const token = makeToken(BINDING, "7");

    expect(refusalOf(() => readToken(binding, token, ANY))).toEqual(MISMATCH);
  });

  const token = makeToken(BINDING, "7");
  test.each([
    ["is not a token", "hello"],
    ["is too short", token.slice(0, 10)],
    ["has a changed position", `${token.slice(0, -2)}OA`],
    ["has something behind it", `${token}=`],
    ["has a blank in it", ` ${token}`],
    ["is in the other alphabet", Buffer.from(token, "base64url").toString("base64").concat("+")],
  ])("one that %s is refused", (_, text) => {
    expect(refusalOf(() => readToken(BINDING, text, ANY))).toEqual(MISMATCH);
  });

  test.each<[what: string, position: string, isPosition: (text: string) => boolean]>([
    ["a number that is too large", "9999999999999999999999", isNumberPosition],
    ["a word", "x", isNumberPosition],
    ["nothing", "", isNumberPosition],
    ["a number", "7", isIdPosition],
    ["a part of an id", "01900000-0000-7000-8000", isIdPosition],
  ])(
    "one that somebody made of %s is refused, where that is no position",
    (_, text, isPosition) => {
      const forged = makeToken(BINDING, text);
      const read = () => readToken(BINDING, forged, { field: "page_token", isPosition });
      expect(refusalOf(read)).toEqual(MISMATCH);
    },
  );

  test("a filter's values may be named in any order, and twice", () => {
    expect(asSet(["b", "a", "b"])).toEqual(asSet(["a", "b"]));
  });
});
