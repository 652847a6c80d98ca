/** Owns the reads of API keys: a tenant's in the order of creation, whose one is, who calls. */
import type { DataSource } from "typeorm";
import { type ApiKeyRow, apiKeys } from "../database/entities/api-key.ts";
import { tenants } from "../database/entities/tenant.ts";
import type { ApiKeyId, CustomerId, TenantId } from "../ledger/ids.ts";
import { apiKeyOf } from "../pipeline/api-key-rows.ts";
import type { ApiKey, Role } from "../registry/api-key.ts";
import { apiKeyNotFound } from "../registry/revoke-api-key.ts";
import { tenantNotFound } from "../registry/tenant.ts";
import { askDatabase } from "./ask-database.ts";
import { bytesOfTexts, gatherPage, type Page, type PageRequest, ROW_BYTES } from "./page.ts";
import { type Binding, isNumberPosition, makeToken, readPageToken } from "./page-token.ts";
import type { TenantReads } from "./tenant-reads.ts";

/** The oldest first, by creation sequence. */
export async function listApiKeys(
  reads: TenantReads,
  tenantId: TenantId,
  page: PageRequest,
): Promise<Page<ApiKey>> {
  const binding: Binding = ["api_keys", tenantId];
  const { rows, more } = await reads.read(tenantId, async (manager) => {
    const exists = await manager.getRepository(tenants).existsBy({ tenant_id: tenantId });
    if (!exists) throw tenantNotFound(tenantId);
    const start = readPageToken(binding, page.token, isNumberPosition) ?? "0";
    return gatherPage<ApiKeyRow>({
      rowsMax: page.rowsMax,
      read: (last, limit) =>
        manager
          .getRepository(apiKeys)
          .createQueryBuilder("k")
          .where("k.tenant_id = :tenantId", { tenantId })
          .andWhere("k.number > :after", { after: last?.number ?? start })
          .orderBy("k.number")
          .limit(limit)
          .getMany(),
      bytesOf: ({ name }) => ROW_BYTES + bytesOfTexts([name]),
    });
  });
  const last = more ? rows.at(-1) : undefined;
  const nextToken = last === undefined ? "" : makeToken(binding, last.number.toString());
  return { items: rows.map(apiKeyOf), nextToken };
}

const TENANT_OF_API_KEY = "SELECT tenant_of_api_key($1) AS tenant_id";

/** An operator names an API key by its id alone. */
export async function getTenantOfApiKey(reads: DataSource, id: ApiKeyId): Promise<TenantId> {
  const [row] = await askDatabase<{ tenant_id: TenantId | null }>(reads, TENANT_OF_API_KEY, [id]);
  if (row === undefined || row.tenant_id === null) throw apiKeyNotFound(id);
  return row.tenant_id;
}

const FIND_API_KEYS = `SELECT prefix, secret_hash, api_key_id, tenant_id, customer_id, role,
    expires_in_ms FROM find_api_keys($1)`;

/** An API key as callers are recognized by it. */
export interface FoundApiKey {
  readonly prefix: string;
  readonly secretHash: Buffer;
  readonly id: ApiKeyId;
  readonly tenantId: TenantId;
  readonly customerId: CustomerId | null;
  readonly role: Role;
  /** By the database's clock, so that a replica's own does not matter. Null for never. */
  readonly expiresInMs: number | null;
}

interface FoundRow {
  readonly prefix: string;
  readonly secret_hash: Buffer;
  readonly api_key_id: ApiKeyId;
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId | null;
  readonly role: Role;
  readonly expires_in_ms: number | null;
}

/** Finds those of the API keys, named by how their secrets begin, that open something now. */
export async function findApiKeys(
  reads: DataSource,
  prefixes: readonly string[],
): Promise<readonly FoundApiKey[]> {
  const rows = await askDatabase<FoundRow>(reads, FIND_API_KEYS, [prefixes]);
  return rows.map((row) => ({
    prefix: row.prefix,
    secretHash: row.secret_hash,
    id: row.api_key_id,
    tenantId: row.tenant_id,
    customerId: row.customer_id,
    role: row.role,
    expiresInMs: row.expires_in_ms,
  }));
}
