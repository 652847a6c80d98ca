/** Owns how new and revoked API keys, and new tenants, are stored. */
import { arrayOf } from "../database/array-parameter.ts";
import type { TenantId } from "../ledger/ids.ts";
import type { ApiKey } from "../registry/api-key.ts";
import type { NewApiKey } from "../registry/registry.ts";
import type { Tenant } from "../registry/tenant.ts";
import type { Statement } from "./statement.ts";
import { insertForTenant } from "./tenant-insert.ts";

export const insertApiKeys = insertForTenant<NewApiKey>("api_key", [
  { name: "number", type: "bigint", value: ({ number }) => number },
  { name: "created_at", type: "timestamptz", value: ({ apiKey }) => apiKey.createdAt },
  { name: "expires_at", type: "timestamptz", value: ({ apiKey }) => apiKey.expiresAt },
  { name: "role", type: "text", cast: "role", value: ({ apiKey }) => apiKey.role },
  { name: "api_key_id", type: "uuid", value: ({ apiKey }) => apiKey.id },
  { name: "customer_id", type: "uuid", value: ({ apiKey }) => apiKey.customerId },
  { name: "name", type: "text", value: ({ apiKey }) => apiKey.name },
  { name: "prefix", type: "text", value: ({ apiKey }) => apiKey.prefix },
  { name: "secret_hash", type: "bytea", value: ({ secretHash }) => secretHash },
]);

export const REVOKE_API_KEYS: Statement = {
  name: "revoke_api_keys",
  text: `UPDATE api_key k SET revoked_at = n.revoked_at
    FROM unnest($2::uuid[], $3::timestamptz[]) AS n(api_key_id, revoked_at)
    WHERE k.tenant_id = $1::uuid AND k.api_key_id = ANY($2::uuid[])
      AND k.api_key_id = n.api_key_id`,
};

export function revokedValues(tenantId: TenantId, revoked: readonly ApiKey[]): unknown[] {
  const ids = revoked.map(({ id }) => id);
  const times = revoked.map(({ revokedAt }) => revokedAt);
  return [tenantId, arrayOf("uuid", ids), arrayOf("timestamptz", times)];
}

/** A tenant may not write another one's row, so its owner does. */
export const CREATE_TENANTS: Statement = {
  name: "create_tenants",
  text: "SELECT FROM create_tenants($1::uuid[], $2::text[], $3::timestamptz[])",
};

export function createdValues(created: readonly Tenant[]): unknown[] {
  const ids = created.map(({ id }) => id);
  const names = created.map(({ name }) => name);
  const times = created.map(({ createdAt }) => createdAt);
  return [arrayOf("uuid", ids), arrayOf("text", names), arrayOf("timestamptz", times)];
}
