/** Owns the list of tenants, for commands that go over all of them. */
import type { DataSource } from "typeorm";
import type { TenantId } from "../ledger/ids.ts";

export interface Tenant {
  readonly id: TenantId;
  readonly name: string;
}

export async function listTenants(reads: DataSource): Promise<readonly Tenant[]> {
  return await reads.query("SELECT tenant_id AS id, name FROM tenants() ORDER BY tenant_id");
}
