/**
 * Owns the question who is calling: it takes what stands behind "Bearer" to whoever may know it.
 * Secrets are compared by their digests, in constant time, and never kept in the clear.
 */
import { hash, timingSafeEqual } from "node:crypto";
import { refuse } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import { Credential, notValid } from "./credential.ts";

/** Says whose call it is by its `authorization` header, or refuses it. */
export type Authenticate = (authorization: string | undefined) => Credential | Promise<Credential>;

/** What a caller presents, and its SHA-256 as 32 characters of one byte each. */
export interface Presented {
  readonly secret: string;
  readonly digest: string;
}

/** Knows one kind of credential; undefined for what is surely none of that kind. */
export type Recognize = (presented: Presented) => Credential | Promise<Credential> | undefined;

const BEARER = /^bearer +([\x21-\x7e]+) *$/i;

/** Asks each kind in turn. */
export function authenticateBy(...kinds: readonly Recognize[]): Authenticate {
  return (authorization) => {
    if (authorization === undefined) {
      throw refuse("UNAUTHENTICATED", "Send an API key: authorization: Bearer <key>.");
    }
    const secret = BEARER.exec(authorization)?.[1] ?? "";
    const presented = { secret, digest: hash("sha256", secret, "binary") };
    for (const recognize of kinds) {
      const credential = recognize(presented);
      if (credential !== undefined) return credential;
    }
    throw notValid();
  };
}

/** Knows the operator's key, which opens everything and belongs to one tenant. */
export function recognizeAdminKey(key: string, tenantId: TenantId): Recognize {
  const expected = hash("sha256", key, "buffer");
  const credential = new Credential("admin key", { tenantId, role: "ADMIN", customerId: null });
  return ({ digest }) => {
    // Both digests have the same length, so that not even the key's length can be measured.
    return timingSafeEqual(Buffer.from(digest, "latin1"), expected) ? credential : undefined;
  };
}

/** Makes the check that knows the operator's key only. */
export function authenticateByKey(key: string, tenantId: TenantId): Authenticate {
  return authenticateBy(recognizeAdminKey(key, tenantId));
}
