import { describe, expect, test } from "vitest";
import type { TenantId } from "../../src/ledger/ids.ts";
import { StreamTurns } from "../../src/queries/stream-turns.ts";

const [ONE, OTHER] = ["one", "other"] as readonly string[] as readonly [TenantId, TenantId];
const { signal: STAYS } = new AbortController();

/** Streams whose pages are read until they are told to end. */
class Pages {
  readonly #turns = new StreamTurns(12);
  readonly #ends = new Map<string, () => void>();

  get read(): readonly string[] {
    return [...this.#ends.keys()];
  }

  ask(name: string, tenantId: TenantId, signal: AbortSignal = STAYS): Promise<string> {
    return this.#turns.take(tenantId, signal, async () => {
      await new Promise<void>((resolve) => this.#ends.set(name, resolve));
      this.#ends.delete(name);
      if (name.endsWith("!")) throw new Error(name);
      return name;
    });
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await settled();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("pages of streams", () => {
  test("of a quarter of the connections are read at a time for a tenant, in the order in which they were asked for", async () => {
    const pages = new Pages();
    const asked = ["a", "b", "c!", "d", "e", "f"].map((name) => pages.ask(name, ONE));
    const failing = expect(asked[2]).rejects.toThrow("c!");
    await settled();
    expect(pages.read).toEqual(["a", "b", "c!"]);
    await pages.end("b");
    expect(pages.read).toEqual(["a", "c!", "d"]);
    // One that fails gives its turn back too.
    await pages.end("c!");
    await failing;
    expect(pages.read).toEqual(["a", "d", "e"]);
  });

  test("of one tenant leave turns to another's, and all together half of the connections", async () => {
    const pages = new Pages();
    for (const name of ["a", "b", "c", "d"]) void pages.ask(name, ONE);
    for (const name of ["o", "p", "q", "r"]) void pages.ask(name, OTHER);
    void pages.ask("x", "third" as TenantId);
    await settled();
    expect(pages.read).toEqual(["a", "b", "c", "o", "p", "q"]);
    await pages.end("o");
    expect(pages.read).toContain("x");
    await pages.end("a");
    expect(pages.read).toHaveLength(6);
  });

  test("of streams that have ended meanwhile are not read", async () => {
    const pages = new Pages();
    const leaving = new AbortController();
    for (const name of ["a", "b", "c"]) void pages.ask(name, ONE);
    const gone = expect(pages.ask("gone", ONE, leaving.signal)).rejects.toBe("left");
    const later = pages.ask("later", ONE);
    await settled();
    leaving.abort("left");
    await pages.end("a");
    await gone;
    expect(pages.read).toEqual(["b", "c", "later"]);
    await pages.end("later");
    expect(await later).toBe("later");
  });
});
