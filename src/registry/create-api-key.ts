/** Owns the creation of an API key. The secret stays outside: only its hash comes in. */
import { refuse } from "../errors.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { Instant } from "../money/time.ts";
import type { ApiKey, Role } from "./api-key.ts";
import type { Registry } from "./registry.ts";

export interface CreateApiKey {
  readonly name: string;
  readonly role: Role;
  readonly customerId: CustomerId | null;
  readonly expiresAt: Instant | null;
  readonly prefix: string;
  readonly secretHash: Uint8Array;
}

export function createApiKey(registry: Registry, command: CreateApiKey): ApiKey {
  const { secretHash, ...described } = command;
  if (command.expiresAt !== null && command.expiresAt <= registry.now) {
    const message = "expires_at must lie after now";
    throw refuse("TIME_NOT_IN_FUTURE", message, {}, "expires_at");
  }

  return registry.addApiKey(described, secretHash);
}
