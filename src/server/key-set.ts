/**
 * Owns where the public keys of an identity provider come from: its URL, or a file that the
 * operator keeps. The URL is asked again when a token names a key that is not there, and now and
 * then; the file is read again soon after it has changed, so that a key that was taken out of it
 * opens nothing any more.
 */
import { readFile, stat } from "node:fs/promises";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type FetchImplementation,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import type { KeySetSource } from "../config-values.ts";

const FETCH_MS_MAX = 5_000;
/** Tokens that name unknown keys must not make the service ask all the time. */
const PAUSE_MS = 30_000;
const KEPT_MS_MAX = 600_000;
/** After it could not be reached, a provider is left alone for so long. */
const REST_MS = 1_000;
/** While keys cannot be had again, those that were had last are believed for so long. */
const BELIEVED_MS_MAX = 86_400_000;
/** Between two looks at a file. */
const LOOK_PAUSE_MS = 2_000;

/** Told when keys could not be had again. */
type Report = (error: unknown) => void;

/** A file that cannot be used is told at once; a URL is asked when the first token comes. */
export async function openKeySet(source: KeySetSource, report: Report): Promise<JWTVerifyGetKey> {
  if (source.kind === "file") return openFile(source.path, report);
  return createRemoteJWKSet(new URL(source.url), {
    timeoutDuration: FETCH_MS_MAX,
    cooldownDuration: PAUSE_MS,
    cacheMaxAge: KEPT_MS_MAX,
    [customFetch]: fetchOrRemember(report),
  });
}

function fetchOrRemember(report: Report): FetchImplementation {
  let last: { readonly body: string; readonly atMs: number } | undefined;
  let failed: { readonly error: unknown; readonly atMs: number } | undefined;
  return async (url, options) => {
    if (failed !== undefined && performance.now() - failed.atMs < REST_MS) throw failed.error;
    try {
      const response = await fetch(url, options);
      if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
      const body = await response.text();
      parseKeySet(body);
      last = { body, atMs: performance.now() };
    } catch (error) {
      if (last === undefined || performance.now() - last.atMs > BELIEVED_MS_MAX) {
        failed = { error, atMs: performance.now() };
        throw error;
      }
      report(error);
    }
    return new Response(last.body);
  };
}

async function openFile(path: string, report: Report): Promise<JWTVerifyGetKey> {
  let stamp = await stampOf(path);
  let keySet = parseKeySet(await readFile(path, "utf8"));
  let lookedAtMs = performance.now();
  let seenAtMs = lookedAtMs;
  const look = async () => {
    const found = await stampOf(path);
    if (found !== stamp) keySet = parseKeySet(await readFile(path, "utf8"));
    stamp = found;
    seenAtMs = performance.now();
  };
  return async (header, token) => {
    if (performance.now() - lookedAtMs >= LOOK_PAUSE_MS) {
      lookedAtMs = performance.now();
      // One that is being written is read at the next look.
      await look().catch(report);
    }
    if (performance.now() - seenAtMs > BELIEVED_MS_MAX) throw new Error(`${path} cannot be read`);
    return keySet(header, token);
  };
}

async function stampOf(path: string): Promise<string> {
  const { mtimeMs, ctimeMs, size, ino } = await stat(path);
  return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
}

function parseKeySet(text: string): ReturnType<typeof createLocalJWKSet> {
  return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
}
