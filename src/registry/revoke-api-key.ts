/** Owns the revocation of an API key, which is for good. */
import { refuse } from "../errors.ts";
import type { ApiKeyId } from "../ledger/ids.ts";
import type { ApiKey } from "./api-key.ts";
import type { Registry } from "./registry.ts";

export interface RevokeApiKey {
  readonly id: ApiKeyId;
}

export function revokeApiKey(registry: Registry, { id }: RevokeApiKey): ApiKey {
  const apiKey = registry.findApiKey(id);
  if (apiKey === undefined) throw apiKeyNotFound(id);
  if (apiKey.revokedAt !== null) return apiKey;

  const revoked = { ...apiKey, revokedAt: registry.now };
  registry.revokeApiKey(revoked);
  return revoked;
}

export function apiKeyNotFound(id: ApiKeyId) {
  return refuse("API_KEY_NOT_FOUND", "there is no such API key", { api_key_id: id });
}
