import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { obtainAdminKey } from "../../src/server/admin-key.ts";

let parent: string;
let dataDir: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "drawdown-key-"));
  dataDir = join(parent, "data");
});

afterEach(() => rmSync(parent, { recursive: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe("the admin key in the data folder", () => {
  test("is made at the first start, readable by the service's user alone", async () => {
    const key = await obtainAdminKey(dataDir);

    expect(key).toMatch(/^dda_[\w-]{43}$/);
    expect(readFileSync(join(dataDir, "admin.key"), "utf8")).toBe(`${key}\n`);
    expect(modeOf(join(dataDir, "admin.key"))).toBe(0o600);
    expect(modeOf(dataDir)).toBe(0o700);
  });

  test("stays the same at the next start", async () => {
    const key = await obtainAdminKey(dataDir);

    expect(await obtainAdminKey(dataDir)).toBe(key);
  });

  test("differs from folder to folder", async () => {
    expect(await obtainAdminKey(dataDir)).not.toBe(await obtainAdminKey(join(parent, "other")));
  });

  test("is one when several services start at once, and nothing else is left behind", async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => obtainAdminKey(dataDir)));

    expect(new Set(keys).size).toBe(1);
    expect(readdirSync(dataDir)).toEqual(["admin.key"]);
  });

  test("is closed to others when it was put there by hand", async () => {
    await obtainAdminKey(dataDir);
    const file = join(dataDir, "admin.key");
    writeFileSync(file, "chosen-by-the-operator");
    chmodSync(file, 0o644);

    expect(await obtainAdminKey(dataDir)).toBe("chosen-by-the-operator");
    expect(modeOf(file)).toBe(0o600);
  });

  test.each([
    ["empty", ""],
    ["too short", "k".repeat(15)],
    ["not one word", "a key of several words"],
  ])("is refused when the file is %s", async (_case, content) => {
    await obtainAdminKey(dataDir);
    writeFileSync(join(dataDir, "admin.key"), content);

    await expect(obtainAdminKey(dataDir)).rejects.toThrow(/admin\.key does not hold an admin key/);
  });
});
