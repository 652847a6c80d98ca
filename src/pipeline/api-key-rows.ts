/** Owns how rows of API keys become the noun. The hash of the secret stays in the table. */
import type { ApiKeyId, CustomerId } from "../ledger/ids.ts";
import type { Instant } from "../money/time.ts";
import type { ApiKey, Role } from "../registry/api-key.ts";

export interface ApiKeyRow {
  readonly api_key_id: ApiKeyId;
  readonly customer_id: CustomerId | null;
  readonly name: string;
  readonly role: Role;
  readonly prefix: string;
  readonly created_at: Instant;
  readonly expires_at: Instant | null;
  readonly revoked_at: Instant | null;
  readonly last_used_at: Instant | null;
}

export const API_KEY_COLUMNS = `k.api_key_id, k.customer_id, k.name, k.role, k.prefix,
  k.created_at, k.expires_at, k.revoked_at, k.last_used_at`;

export function apiKeyOf(row: ApiKeyRow): ApiKey {
  return {
    id: row.api_key_id,
    name: row.name,
    role: row.role,
    customerId: row.customer_id,
    prefix: row.prefix,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}
