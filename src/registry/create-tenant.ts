/** Owns the creation of a tenant, which has nothing yet. */
import type { Registry } from "./registry.ts";
import type { Tenant } from "./tenant.ts";

export interface CreateTenant {
  readonly name: string;
}

export function createTenant(registry: Registry, { name }: CreateTenant): Tenant {
  return registry.addTenant(name);
}
