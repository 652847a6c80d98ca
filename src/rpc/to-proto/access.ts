/** Owns how tenants and API keys become messages of the contract. */
import type { ApiKey as ApiKeyMessage } from "../../../gen/drawdown/v1/api_key_pb.ts";
import { Role } from "../../../gen/drawdown/v1/role_pb.ts";
import type { Tenant as TenantMessage } from "../../../gen/drawdown/v1/tenant_pb.ts";
import type { TenantId } from "../../ledger/ids.ts";
import type { ApiKey } from "../../registry/api-key.ts";
import type { Tenant } from "../../registry/tenant.ts";
import { toProtoTimestamp } from "./timestamp.ts";

export function toProtoTenant({ id, name, createdAt }: Tenant): TenantMessage {
  return { $typeName: "drawdown.v1.Tenant", id, name, createdAt: toProtoTimestamp(createdAt) };
}

/** Makes the message as a literal, so that the compiler refuses a field that was forgotten. */
export function toProtoApiKey(tenantId: TenantId, apiKey: ApiKey): ApiKeyMessage {
  return {
    $typeName: "drawdown.v1.ApiKey",
    id: apiKey.id,
    tenantId,
    name: apiKey.name,
    role: Role[apiKey.role],
    customerId: apiKey.customerId ?? "",
    prefix: apiKey.prefix,
    createdAt: toProtoTimestamp(apiKey.createdAt),
    expiresAt: toProtoTimestamp(apiKey.expiresAt),
    revokedAt: toProtoTimestamp(apiKey.revokedAt),
    lastUsedAt: toProtoTimestamp(apiKey.lastUsedAt),
  };
}
