/** Owns making API keys over the wire, as the operator does, and calling with them. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { Role } from "../../src/registry/api-key.ts";
import { type Caller, callerOver, valueAt } from "../wire/caller.ts";

export interface MadeKey {
  readonly apiKeyId: string;
  readonly secret: string;
}

let requests = 0;

/** A request id of its own: nothing is a repetition unless a test says so. */
export function freshId(): string {
  requests += 1;
  return `access-${requests}`;
}

export async function makeKey(
  operator: Caller,
  key: {
    readonly tenantId: string;
    readonly role: Role;
    readonly customerId?: string;
    readonly expiresAt?: string;
  },
): Promise<MadeKey> {
  const { role, ...rest } = key;
  const request = { requestId: freshId(), name: "of a test", role: `ROLE_${role}`, ...rest };
  const answer = await operator.call("CreateApiKey", request as JsonObject);
  return {
    apiKeyId: String(valueAt(answer, "apiKey.id")),
    secret: String(valueAt(answer, "secret")),
  };
}

export async function revokeKey(operator: Caller, { apiKeyId }: MadeKey): Promise<void> {
  await operator.call("RevokeApiKey", { requestId: freshId(), apiKeyId });
}

export const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

export const callerWith = (transport: Transport, { secret }: { readonly secret: string }) =>
  callerOver(transport, bearer(secret));
