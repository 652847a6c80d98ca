/**
 * Owns the question who is calling. One admin key opens the tenant `default`; it is compared in
 * constant time and never kept in the clear.
 */
import { hash, timingSafeEqual } from "node:crypto";
import { refuse } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";

/** Says whose call it is by its `authorization` header, or refuses it. */
export type Authenticate = (authorization: string | undefined) => TenantId;

const BEARER = /^bearer +([\x21-\x7e]+) *$/i;

/** Makes the check that knows one key, which belongs to one tenant. */
export function authenticateByKey(key: string, tenantId: TenantId): Authenticate {
  const expected = hash("sha256", key, "buffer");
  return (authorization) => {
    if (authorization === undefined) {
      throw refuse("UNAUTHENTICATED", "Send an API key: authorization: Bearer <key>.");
    }
    const presented = BEARER.exec(authorization)?.[1] ?? "";
    // Both digests have the same length, so that not even the key's length can be measured.
    if (!timingSafeEqual(hash("sha256", presented, "buffer"), expected)) {
      throw refuse("UNAUTHENTICATED", "The API key is not valid.");
    }
    return tenantId;
  };
}
