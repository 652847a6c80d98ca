/** Owns what the operator reads: tenants, and the API keys of any of them. */
import type { DataSource } from "typeorm";
import type { ApiKeyId, TenantId } from "../ledger/ids.ts";
import type { ApiKey } from "../registry/api-key.ts";
import type { Tenant } from "../registry/tenant.ts";
import { getTenantOfApiKey, listApiKeys } from "./api-keys.ts";
import type { Page, PageRequest } from "./page.ts";
import { TenantReads } from "./tenant-reads.ts";
import { listTenants } from "./tenants.ts";

export class AccessReads {
  readonly #reads: DataSource;

  constructor(reads: DataSource) {
    this.#reads = reads;
  }

  listTenants(page: PageRequest): Promise<Page<Tenant>> {
    return listTenants(this.#reads, page);
  }

  listApiKeys(tenantId: TenantId, page: PageRequest): Promise<Page<ApiKey>> {
    return listApiKeys(new TenantReads(this.#reads), tenantId, page);
  }

  getTenantOfApiKey(id: ApiKeyId): Promise<TenantId> {
    return getTenantOfApiKey(this.#reads, id);
  }
}
