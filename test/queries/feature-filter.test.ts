import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  choosesFeatures,
  type FeatureFilter,
  featureBinding,
  featureCondition,
} from "../../src/queries/feature-filter.ts";
import { Parameters } from "../../src/queries/statement.ts";
import { openLedger, type TestLedger } from "../pipeline/ledger.ts";

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());

const anyOf = (...features: string[]): FeatureFilter => ({ kind: "any_of", features });
const noneOf = (...features: string[]): FeatureFilter => ({ kind: "none_of", features });
const contains = (...parts: string[]): FeatureFilter => ({ kind: "contains", parts });
const unrestricted: FeatureFilter = { kind: "unrestricted_only" };

describe("B3 credit is chosen by the features of its grant", () => {
  test.each<[filter: FeatureFilter | null, features: string[], chosen: boolean]>([
    [null, [], true],
    [null, ["api"], true],
    // Unrestricted credit, and credit whose set has one of them.
    [anyOf("api"), [], true],
    [anyOf("api"), ["api"], true],
    [anyOf("api", "chat"), ["seat", "chat"], true],
    [anyOf("api"), ["apis"], false],
    [anyOf("api"), ["chat"], false],
    // Restricted credit whose set has none of them.
    [noneOf("api"), [], false],
    [noneOf("api"), ["api"], false],
    [noneOf("api"), ["api", "chat"], false],
    [noneOf("api"), ["chat"], true],
    [noneOf("api", "chat"), ["seat", "chat"], false],
    // Unrestricted credit, and credit with a key that contains one of the strings.
    [contains("pi"), [], true],
    [contains("pi"), ["api.read"], true],
    [contains("PI"), ["api.read"], false],
    [contains("x", "read"), ["chat", "api.read"], true],
    [contains("%"), ["api"], false],
    [contains("a_i"), ["api"], false],
    [contains("\\"), ["api"], false],
    [contains("read"), ["chat"], false],
    [unrestricted, [], true],
    [unrestricted, ["api"], false],
  ])("%j, of %j: %s", async (filter, features, chosen) => {
    const parameters = new Parameters();
    const list = parameters.add(features);
    const condition = featureCondition(filter, "g", parameters);

    expect(choosesFeatures(filter, features)).toBe(chosen);
    const rows = await ledger.connections.reads.query<{ chosen: boolean }[]>(
      `SELECT ${condition} AS chosen FROM (SELECT ${list}::text[] AS features) g`,
      parameters.values,
    );
    expect(rows[0]?.chosen).toBe(chosen);
  });

  test("filters that choose the same are the same to a cursor, others are not", () => {
    expect(featureBinding(anyOf("b", "a"))).toEqual(featureBinding(anyOf("a", "b", "a")));
    const bindings = [null, anyOf("a"), noneOf("a"), contains("a"), anyOf("a", "b"), unrestricted];
    const texts = bindings.map((filter) => JSON.stringify(featureBinding(filter)));
    expect(new Set(texts).size).toBe(bindings.length);
  });
});
