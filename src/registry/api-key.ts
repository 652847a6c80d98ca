/** Owns the noun API key: what lets callers in, and the roles that say how far. */
import type { ApiKeyId, CustomerId } from "../ledger/ids.ts";
import type { Instant } from "../money/time.ts";

/** Each includes all that those after it allow. */
export const ROLES = ["ADMIN", "WRITER", "CHARGER", "READER"] as const;

export type Role = (typeof ROLES)[number];

/** Whether who has one role may do what another one is needed for. */
export function includesRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) <= ROLES.indexOf(needed);
}

export interface ApiKey {
  readonly id: ApiKeyId;
  readonly name: string;
  readonly role: Role;
  /** The only customer that it opens; null opens the whole tenant. */
  readonly customerId: CustomerId | null;
  /** How its secret begins: it is found by this, and opens nothing without the rest. */
  readonly prefix: string;
  readonly createdAt: Instant;
  /** From then on it is refused. */
  readonly expiresAt: Instant | null;
  readonly revokedAt: Instant | null;
  /** To the minute or so. */
  readonly lastUsedAt: Instant | null;
}
