/**
 * Owns what the secret of an API key looks like: `ddk_`, ten characters by which it is found, 32
 * that nobody can guess (190 bits), and a checksum, so that one that was mistyped or cut off is
 * refused without asking the database. It is one word, which a double click selects.
 */
import { hash, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

const MARK = "ddk_";
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const FINDER_CHARACTERS = 10;
const RANDOM_CHARACTERS = 32;
/** 62^6 exceeds 2^32. */
const CHECKSUM_CHARACTERS = 6;
const PREFIX_CHARACTERS = MARK.length + FINDER_CHARACTERS;
const CHECKED_CHARACTERS = PREFIX_CHARACTERS + RANDOM_CHARACTERS;
const SECRET = new RegExp(
  `^${MARK}[0-9A-Za-z]{${FINDER_CHARACTERS + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS}}$`,
);

export interface MadeSecret {
  readonly secret: string;
  readonly prefix: string;
  readonly secretHash: Uint8Array;
}

export function makeSecret(): MadeSecret {
  let checked = MARK;
  while (checked.length < CHECKED_CHARACTERS) checked += ALPHABET.charAt(randomInt(62));
  const secret = checked + checksumOf(checked);
  const prefix = secret.slice(0, PREFIX_CHARACTERS);
  return { secret, prefix, secretHash: hash("sha256", secret, "buffer") };
}

/** By what the secret's API key is found; undefined for what cannot be the secret of any. */
export function prefixOfSecret(text: string): string | undefined {
  if (!SECRET.test(text)) return undefined;
  const checked = text.slice(0, CHECKED_CHARACTERS);
  return text.endsWith(checksumOf(checked)) ? text.slice(0, PREFIX_CHARACTERS) : undefined;
}

function checksumOf(text: string): string {
  let rest = crc32(text);
  let checksum = "";
  for (let place = 0; place < CHECKSUM_CHARACTERS; place += 1) {
    checksum = ALPHABET.charAt(rest % 62) + checksum;
    rest = Math.floor(rest / 62);
  }
  return checksum;
}
