/**
 * Owns where the public keys of an identity provider come from: its URL, or a file that the
 * operator keeps. Either is read again when a token names a key that is not there.
 */
import { readFile } from "node:fs/promises";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import type { KeySetSource } from "../config-values.ts";

const FETCH_MS_MAX = 5_000;
/** Tokens that name unknown keys must not make the service ask all the time. */
const PAUSE_MS = 30_000;
const KEPT_MS_MAX = 600_000;

/** A file that cannot be used is told at once; a URL is asked when the first token comes. */
export async function openKeySet(source: KeySetSource): Promise<JWTVerifyGetKey> {
  if (source.kind === "url") {
    return createRemoteJWKSet(new URL(source.url), {
      timeoutDuration: FETCH_MS_MAX,
      cooldownDuration: PAUSE_MS,
      cacheMaxAge: KEPT_MS_MAX,
    });
  }
  let keySet = await readKeySet(source.path);
  let readAtMs = performance.now();
  return async (header, token) => {
    try {
      return await keySet(header, token);
    } catch (error) {
      const isStale = performance.now() - readAtMs >= PAUSE_MS;
      if (!(error instanceof errors.JWKSNoMatchingKey) || !isStale) throw error;
      readAtMs = performance.now();
      keySet = await readKeySet(source.path);
      return keySet(header, token);
    }
  };
}

async function readKeySet(path: string) {
  return createLocalJWKSet(JSON.parse(await readFile(path, "utf8")) as JSONWebKeySet);
}
