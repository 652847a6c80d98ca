/** Owns the creation of a customer, whose key is unique within the tenant. */
import type { CustomerProfile, Metadata } from "../book/nouns.ts";
import { refuse } from "../errors.ts";
import type { Registry } from "./registry.ts";

export interface CreateCustomer {
  readonly key: string;
  readonly name: string;
  readonly metadata: Metadata;
}

export function createCustomer(registry: Registry, command: CreateCustomer): CustomerProfile {
  const { key, name, metadata } = command;
  if (registry.isKeyTaken(key)) {
    throw refuse("CUSTOMER_KEY_TAKEN", "another customer has this key", { key }, "key");
  }

  return registry.addCustomer({ key, name, metadata });
}
