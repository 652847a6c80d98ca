import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { plant } from "./fault.ts";
import { RULE_FAULTS } from "./rule-faults.ts";
import { SERVICE_FAULTS } from "./service-faults.ts";

const root = join(import.meta.dirname, "..", "..");
const FAULTS = [...RULE_FAULTS, ...SERVICE_FAULTS];

describe("the faults that the tests must catch", () => {
  test("are enough, in the large size and in the small", () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(25);
    expect(FAULTS.filter(({ small }) => small).length).toBeGreaterThanOrEqual(10);
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
  });

  test.each(FAULTS.map((fault) => [fault.name, fault] as const))(
    "%s: its place in the code is still there, and so is its test",
    (_, fault) => {
      const source = readFileSync(join(root, fault.file), "utf8");

      expect(plant(source, fault)).not.toBe(source);
      expect(existsSync(join(root, fault.caughtBy))).toBe(true);
    },
  );

  test("one whose place has moved is refused", () => {
    const [fault] = FAULTS;
    expect(() => fault && plant("other code", fault)).toThrow("looks 0 times like its place");
  });
});
