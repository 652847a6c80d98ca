import { describe, expect, test } from "vitest";
import type { CustomerId, TenantId } from "../../src/ledger/ids.ts";
import { DueQueue } from "../../src/pipeline/due-queue.ts";

/** As the queue's own: a batch books what is due for so many customers. */
const DUE_CUSTOMERS_MAX = 256;

const tenant = (name: string) => name as TenantId;
const customers = (...names: readonly string[]) => names as readonly CustomerId[];
const NOBODY: ReadonlySet<CustomerId> = new Set();

/** Words such as `a1`: the tenant and the customer. Says which of them have been answered, how. */
function queueOf(...words: readonly string[]) {
  const queue = new DueQueue();
  const answered: string[] = [];
  const add = (word: string) => {
    const booked = queue.add(tenant(word.slice(0, 1)), word as CustomerId);
    booked.then(
      () => answered.push(`${word} booked`),
      (error) => answered.push(`${word} ${error}`),
    );
    return booked;
  };
  for (const word of words) void add(word);
  const next = () => queue.takeTenant()?.dueOnly.join(" ") ?? null;
  return { queue, answered, add, next };
}

describe("who waits for what has fallen due", () => {
  test("is taken once, by tenant, and tenants take turns", () => {
    const { add, next } = queueOf("a1", "b1", "a2");
    expect(next()).toBe("a1 a2");
    void add("a3");
    expect(next()).toBe("b1");
    expect(next()).toBe("a3");
    expect(next()).toBeNull();
  });

  test("waits for the same booking as others who ask for the same customer", async () => {
    const { queue, answered, add, next } = queueOf("a1");
    expect(add("a1")).toBe(add("a1"));
    expect(next()).toBe("a1");
    expect(next()).toBeNull();
    queue.settle(tenant("a"), customers("a1"), NOBODY);
    await Promise.resolve();
    expect(answered).toEqual(["a1 booked", "a1 booked", "a1 booked"]);
  });

  test("is left where it is as long as its tenant may not be taken", () => {
    const { queue } = queueOf("a1", "b1");
    const isOther = (id: TenantId) => id !== "a";
    expect(queue.takeTenant(isOther)).toEqual({ tenantId: "b", dueOnly: ["b1"] });
    expect(queue.takeTenant(isOther)).toBeNull();
    expect(queue.take(tenant("a"))).toEqual(["a1"]);
    expect(queue.take(tenant("a"))).toEqual([]);
    expect(queue.take(tenant("nobody"))).toEqual([]);
  });

  test("is taken together with so many others", () => {
    const names = Array.from({ length: DUE_CUSTOMERS_MAX + 2 }, (_, index) => `a${index}`);
    const { queue } = queueOf(...names);
    expect(queue.take(tenant("a"))).toEqual(names.slice(0, DUE_CUSTOMERS_MAX));
    expect(queue.take(tenant("a"))).toEqual(names.slice(DUE_CUSTOMERS_MAX));
  });

  test("takes its turn again behind all others when not all was booked", async () => {
    const { queue, answered, next } = queueOf("a1", "a2");
    expect(next()).toBe("a1 a2");
    queue.settle(tenant("a"), customers("a1", "a2"), new Set(customers("a1")));
    await Promise.resolve();
    expect(answered).toEqual(["a2 booked"]);
    expect(next()).toBe("a1");
    queue.settle(tenant("a"), customers("a1"), NOBODY);
    await Promise.resolve();
    expect(answered).toEqual(["a2 booked", "a1 booked"]);
    expect(next()).toBeNull();
  });

  test("is told when it cannot be booked, and may ask again", async () => {
    const { queue, answered, add, next } = queueOf("a1", "a2");
    queue.fail(tenant("a"), next()?.split(" ") as CustomerId[], "down");
    await Promise.resolve();
    expect(answered).toEqual(["a1 down", "a2 down"]);
    void add("a2");
    expect(next()).toBe("a2");
  });

  test("nobody is told of those who do not wait", () => {
    const { queue, answered } = queueOf("a1");
    for (const [of, whom] of [
      ["a", "a2"],
      ["b", "b1"],
    ] as const) {
      queue.settle(tenant(of), customers(whom), NOBODY);
      queue.fail(tenant(of), customers(whom), "down");
    }
    expect(answered).toEqual([]);
    expect(queue.take(tenant("a"))).toEqual(["a1"]);
  });
});
