import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Refusal, refuse } from "../../src/errors.ts";
import type { ApiKeyId, CustomerId, TenantId } from "../../src/ledger/ids.ts";
import type { FoundApiKey } from "../../src/queries/api-keys.ts";
import { type MadeSecret, makeSecret } from "../../src/rpc/secret.ts";
import { ApiKeys } from "../../src/server/api-keys.ts";
import { authenticateBy } from "../../src/server/authentication.ts";
import type { Credential } from "../../src/server/credential.ts";
import { SharedLookUp } from "../../src/server/shared-look-up.ts";
import { CUSTOMER_ID, TENANT_ID } from "./edges.ts";

/** A store that a test can change, and what it was asked and told. */
class Store {
  readonly rows = new Map<string, FoundApiKey>();
  readonly asked: (readonly string[])[] = [];
  readonly used: ApiKeyId[] = [];
  failure: Error | undefined;

  add(made: MadeSecret, over: Partial<FoundApiKey> = {}): void {
    const { prefix, secretHash } = made;
    this.rows.set(prefix, {
      prefix,
      secretHash: Buffer.from(secretHash),
      id: `id of ${prefix}` as ApiKeyId,
      tenantId: TENANT_ID as TenantId,
      customerId: CUSTOMER_ID as CustomerId,
      role: "READER",
      expiresInMs: null,
      ...over,
    });
  }

  readonly find = async (prefixes: readonly string[]): Promise<readonly FoundApiKey[]> => {
    this.asked.push(prefixes);
    if (this.failure !== undefined) throw this.failure;
    return prefixes.flatMap((prefix) => this.rows.get(prefix) ?? []);
  };

  readonly recordUse = async (ids: readonly ApiKeyId[]): Promise<void> => {
    this.used.push(...ids);
  };
}

let store: Store;
let reported: unknown[];
let apiKeys: ApiKeys;
let made: MadeSecret;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  store = new Store();
  reported = [];
  apiKeys = new ApiKeys(store, (error) => reported.push(error));
  made = makeSecret();
  store.add(made);
});
afterEach(() => {
  apiKeys.close();
  vi.useRealTimers();
});

const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** What a caller is told: whom it was recognized as, or why it was refused. */
async function present(secret: string): Promise<Credential | string> {
  try {
    return await authenticateBy(apiKeys.recognize)(`Bearer ${secret}`);
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

/** Something that ends when its credential does. */
async function openStream(): Promise<{ readonly ended: Refusal[] }> {
  const credential = await present(made.secret);
  if (typeof credential === "string") throw new Error(credential);
  const ended: Refusal[] = [];
  credential.enter({ abort: (reason) => ended.push(reason) });
  return { ended };
}

describe("an API key", () => {
  test("says whose call it is, and how far it may go", async () => {
    expect(await present(made.secret)).toMatchObject({
      principal: { tenantId: TENANT_ID, customerId: CUSTOMER_ID, role: "READER" },
    });
  });

  test("is looked up once, and then known at once", async () => {
    const first = await present(made.secret);
    expect(apiKeys.recognize(presentedOf(made.secret))).toBe(first);
    expect(store.asked).toEqual([[made.prefix]]);
  });

  test("is refused when only its beginning is right, whatever is known of it", async () => {
    const other = makeSecret();
    store.add({ ...other, secretHash: made.secretHash });
    expect(await present(other.secret)).toBe("UNAUTHENTICATED");
    expect(await present(makeSecret().secret)).toBe("UNAUTHENTICATED");
    store.add(other);
    expect(await present(other.secret)).not.toBe("UNAUTHENTICATED");
  });

  test("that was mistyped is refused without a look", async () => {
    const last = made.secret.endsWith("a") ? "b" : "a";
    expect(await present(made.secret.slice(0, -1) + last)).toBe("UNAUTHENTICATED");
    expect(await present("dda_no-api-key")).toBe("UNAUTHENTICATED");
    expect(store.asked).toEqual([]);
  });

  test("in use is never waited for: it is asked for again before the time is up", async () => {
    await present(made.secret);
    for (let second = 0; second < 30; second += 1) {
      await wait(1_000);
      expect(apiKeys.recognize(presentedOf(made.secret))).not.toBeInstanceOf(Promise);
    }
    expect(store.asked.length).toBeLessThan(30);
  });

  test("out of use is forgotten, and nothing more is asked", async () => {
    await present(made.secret);
    await wait(5_000);
    const { length } = store.asked;
    await wait(60_000);
    expect(store.asked).toHaveLength(length);
    expect(apiKeys.recognize(presentedOf(made.secret))).toBeInstanceOf(Promise);
  });

  test("that was revoked is refused within 5 seconds, in use or not", async () => {
    await present(made.secret);
    store.rows.clear();
    for (let ms = 0; ms < 4_900; ms += 100) {
      await wait(100);
      if ((await present(made.secret)) === "UNAUTHENTICATED") return;
    }
    expect.fail("it was still let in");
  });

  test("that was revoked loses its streams within 5 seconds, used meanwhile or not", async () => {
    const { ended } = await openStream();
    await wait(20_000);
    expect(ended).toEqual([]);
    store.rows.clear();
    await wait(4_900);
    expect(ended.map(({ reason }) => reason)).toEqual(["UNAUTHENTICATED"]);
  });

  test("is not believed for long when the database cannot be asked", async () => {
    await present(made.secret);
    store.failure = refuse("DATABASE_UNAVAILABLE", "away");
    for (let ms = 0; ms < 4_900; ms += 700) {
      await present(made.secret);
      await wait(700);
    }
    expect(await present(made.secret)).toBe("DATABASE_UNAVAILABLE");
    expect(reported).not.toEqual([]);
    store.failure = undefined;
    expect(await present(made.secret)).not.toBe("DATABASE_UNAVAILABLE");
  });

  test("that expires is refused from that moment, by the database's clock", async () => {
    store.add(made, { expiresInMs: 700 });
    await present(made.secret);
    const { ended } = await openStream();
    store.rows.clear();
    await wait(699);
    expect(await present(made.secret)).not.toBe("UNAUTHENTICATED");
    await wait(1);
    expect(await present(made.secret)).toBe("UNAUTHENTICATED");
    await wait(2_000);
    expect(ended).toHaveLength(1);
  });

  test("has its use recorded soon, then once a minute, and never by the call itself", async () => {
    await present(made.secret);
    expect(store.used).toEqual([]);
    for (let tenths = 0; tenths < 1_500; tenths += 1) {
      await wait(100);
      await present(made.secret);
    }
    expect(store.used).toEqual(Array.from({ length: 3 }, () => `id of ${made.prefix}`));
  });
});

describe("many callers at once", () => {
  test("share one look-up", async () => {
    const others = Array.from({ length: 40 }, () => makeSecret());
    for (const other of others) store.add(other);
    const known = await Promise.all(
      [...others, ...others, made].map(({ secret }) => present(secret)),
    );
    expect(known.filter((each) => typeof each === "string")).toEqual([]);
    expect(store.asked.map(({ length }) => length)).toEqual([1, 41]);
  });

  test("are refused when more are waiting than may", async () => {
    const stuck = new SharedLookUp<string>(
      () => new Promise(() => undefined),
      (name) => name,
    );
    const waiting = Array.from({ length: 10_001 }, (_, number) => `name ${number}`);
    for (const name of waiting) void stuck.find(name);
    expect(() => stuck.find("one more")).toThrow("Too many callers");
  });
});

function presentedOf(secret: string) {
  let presented: Parameters<typeof apiKeys.recognize>[0] | undefined;
  try {
    authenticateBy((each) => {
      presented = each;
      return undefined;
    })(`Bearer ${secret}`);
  } catch {
    // Nobody recognizes it: only what was presented is of interest.
  }
  if (presented === undefined) throw new Error("nothing was presented");
  return presented;
}
