import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { makeSecret, prefixOfSecret } from "../../src/rpc/secret.ts";

describe("the secret of an API key", () => {
  test("is one word with a mark, and is found by its prefix", () => {
    const { secret, prefix } = makeSecret();

    expect(secret).toMatch(/^ddk_[0-9A-Za-z]{48}$/);
    expect(prefix).toBe(secret.slice(0, 14));
    expect(prefixOfSecret(secret)).toBe(prefix);
  });

  test("is kept as its SHA-256", () => {
    const { secret, secretHash } = makeSecret();

    expect(Buffer.from(secretHash)).toEqual(createHash("sha256").update(secret).digest());
  });

  test("never comes twice, and uses every character in every random place", () => {
    const made = Array.from({ length: 2_000 }, () => makeSecret().secret);

    expect(new Set(made).size).toBe(made.length);
    for (let place = 4; place < 46; place += 1) {
      expect(new Set(made.map((secret) => secret.charAt(place))).size).toBe(62);
    }
  });

  const { secret } = makeSecret();
  const other = (character: string) => (character === "a" ? "b" : "a");
  test.each([
    ["nothing", ""],
    ["another mark", `dda_${secret.slice(4)}`],
    ["the prefix alone", secret.slice(0, 14)],
    ["one character too few", secret.slice(0, -1)],
    ["one character too many", `${secret}a`],
    ["a character that none has", `${secret.slice(0, 20)}-${secret.slice(21)}`],
    ["another checksum", secret.slice(0, -1) + other(secret.slice(-1))],
    ["two characters swapped", swapped(secret)],
  ])("is known to be none without a look: %s", (_what, text) => {
    expect(prefixOfSecret(text)).toBeUndefined();
  });

  test("is known to be none when any one character is mistyped", () => {
    for (let place = 0; place < secret.length; place += 1) {
      const mistyped = `${secret.slice(0, place)}${other(secret.charAt(place))}`;
      expect(prefixOfSecret(mistyped + secret.slice(place + 1)), `at ${place}`).toBeUndefined();
    }
  });
});

/** The first two neighbours that differ change places. */
function swapped(text: string): string {
  for (let place = 14; place < text.length - 1; place += 1) {
    const [one, two] = [text.charAt(place), text.charAt(place + 1)];
    if (one !== two) return text.slice(0, place) + two + one + text.slice(place + 2);
  }
  return text;
}
