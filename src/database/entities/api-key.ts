/** Owns the rows of API keys. Of the secret there is only a hash, and how it begins. */
import { EntitySchema } from "typeorm";
import type { ApiKeyId, CustomerId, TenantId } from "../../ledger/ids.ts";
import type { Instant } from "../../money/time.ts";
import type { Role } from "../../registry/api-key.ts";
import * as column from "./columns.ts";

export interface ApiKeyRow {
  readonly tenant_id: TenantId;
  readonly api_key_id: ApiKeyId;
  /** The creation sequence among the tenant's API keys. */
  readonly number: bigint;
  readonly customer_id: CustomerId | null;
  readonly name: string;
  readonly role: Role;
  readonly prefix: string;
  readonly secret_hash: Buffer;
  readonly created_at: Instant;
  readonly expires_at: Instant | null;
  readonly revoked_at: Instant | null;
  readonly last_used_at: Instant | null;
}

export const apiKeys = new EntitySchema<ApiKeyRow>({
  name: "api_key",
  columns: {
    tenant_id: column.uuid,
    api_key_id: column.keyOf("api_key", column.uuid),
    number: column.bigint,
    customer_id: column.optional(column.uuid),
    name: column.text,
    role: column.role,
    prefix: column.text,
    secret_hash: column.bytes,
    created_at: column.time,
    expires_at: column.optional(column.time),
    revoked_at: column.optional(column.time),
    last_used_at: column.optional(column.time),
  },
  indices: [
    { name: "api_key_prefix", columns: ["prefix"], unique: true },
    { name: "api_key_in_creation_order", columns: ["tenant_id", "number"], unique: true },
  ],
  checks: [
    { name: "api_key_hash_is_sha256", expression: "octet_length(secret_hash) = 32" },
    {
      name: "api_key_admin_of_no_customer",
      expression: "role <> 'ADMIN' OR customer_id IS NULL",
    },
  ],
});
