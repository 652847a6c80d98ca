/** Holds that no rule of the domain is without a test that names it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const FOLDER = import.meta.dirname;
/** How many rules there are of each letter: ledger, money and time, grants, draw-down, … */
const RULES = { L: 6, M: 6, G: 8, D: 9, B: 5, H: 5, I: 3, W: 3 };
const NAMED = /\b(?:describe|test|it|scenario|title)\b[^"'`]{0,80}["'`]([^"'`\n]+)["'`]/g;

test("every rule of the domain is named by a test", () => {
  const names = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts"))
    .flatMap((path) => [...readFileSync(join(FOLDER, path), "utf8").matchAll(NAMED)])
    .map(([, name = ""]) => name);
  const rules = Object.entries(RULES).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
  );

  expect(
    rules.filter((rule) => !names.some((name) => new RegExp(`\\b${rule}\\b`).test(name))),
  ).toEqual([]);
});
