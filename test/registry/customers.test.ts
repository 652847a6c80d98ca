import { describe, expect, test } from "vitest";
import { createCustomer } from "../../src/registry/create-customer.ts";
import { NOW, outcomeOf, registryOf } from "./registry-of.ts";

const described = (key: string) => ({ key, name: `The ${key}`, metadata: { plan: "gold" } });

describe("CreateCustomer", () => {
  test("gives an id that carries the creation sequence, and counts", () => {
    const registry = registryOf({ keys: ["ada", "bob"] }, { customerCount: 41n });

    const ada = createCustomer(registry, described("ada"));
    const bob = createCustomer(registry, described("bob"));

    expect(ada).toEqual({
      id: "01a202ea-c56b-7000-8000-002aabcdef01",
      key: "ada",
      name: "The ada",
      metadata: { plan: "gold" },
      createdAt: NOW,
    });
    expect(bob.id).toBe("01a202ea-c56b-7000-8000-002babcdef01");
    expect(registry.newCustomers).toEqual([
      { number: 42n, profile: ada },
      { number: 43n, profile: bob },
    ]);
    expect(registry.customerCount).toBe(43n);
  });

  test.each([
    ["stored", "ada"],
    ["created in the same batch", "bob"],
  ])("refuses a key that is taken: %s", (_, key) => {
    const registry = registryOf({ keys: ["ada", "bob"] });
    registry.takenKeys.add("ada");
    createCustomer(registry, described("bob"));

    const create = () => createCustomer(registry, described(key));

    expect(outcomeOf(create)).toEqual(["CUSTOMER_KEY_TAKEN", "key", { key }]);
    expect(registry.newCustomers).toHaveLength(1);
    expect(registry.customerCount).toBe(1n);
  });

  test("a key that was not loaded is a bug and never free", () => {
    expect(() => createCustomer(registryOf({ keys: ["ada"] }), described("bob"))).toThrow(
      "a verb says before it runs that it asks for customer_key bob",
    );
  });
});
