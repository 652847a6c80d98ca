/** Owns the noun tenant: a business that uses the service. */
import { type Refusal, refuse } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import type { Instant } from "../money/time.ts";

export interface Tenant {
  readonly id: TenantId;
  readonly name: string;
  readonly createdAt: Instant;
}

export function tenantNotFound(id: TenantId): Refusal {
  return refuse("TENANT_NOT_FOUND", "there is no such tenant", { tenant_id: id });
}
