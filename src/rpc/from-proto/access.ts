/** Owns how requests about API keys become commands. */
import type { CreateApiKeyRequest } from "../../../gen/drawdown/v1/access_service_pb.ts";
import { Role as RoleEnum } from "../../../gen/drawdown/v1/role_pb.ts";
import type { CustomerId } from "../../ledger/ids.ts";
import type { Role } from "../../registry/api-key.ts";
import type { CreateApiKey } from "../../registry/create-api-key.ts";
import type { MadeSecret } from "../secret.ts";
import { fromProtoEnum } from "./enum.ts";
import { fromProtoId } from "./id.ts";
import { fromProtoTimestamp } from "./timestamp.ts";

export function fromProtoRole(role: number): Role {
  return fromProtoEnum(RoleEnum, role);
}

export function fromProtoCreateApiKey(
  { name, role, customerId, expiresAt }: CreateApiKeyRequest,
  { prefix, secretHash }: MadeSecret,
): CreateApiKey {
  return {
    name,
    role: fromProtoRole(role),
    customerId: customerId === "" ? null : fromProtoId<CustomerId>(customerId),
    expiresAt: fromProtoTimestamp(expiresAt, "expires_at"),
    prefix,
    secretHash,
  };
}
