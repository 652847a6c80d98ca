/** Owns what a single value of the environment may be, and how it is read. */
import { isIP } from "node:net";

/** What is wrong with one value. It never repeats a value that may hold a password. */
export class BadValue extends Error {}

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

const PORT_MAX = 65_535;
const ADMIN_KEY_CHARACTERS_MAX = 256;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
/** What can stand behind "Bearer " in a header without being changed on the way. */
const ADMIN_KEY = /^[\x21-\x7e]+$/;

export function parseDatabaseUrl(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol !== "postgres:" && url?.protocol !== "postgresql:") {
    throw new BadValue("is not a URL like postgres://user:password@host:5432/database");
  }
  if (url.pathname.length < 2) throw new BadValue("names no database (…host:5432/database)");
  return value;
}

export function parseDir(value: string): string {
  if (value.includes("\0")) throw new BadValue("is not a path");
  return value;
}

export function parseFile(value: string): string | undefined {
  return parseDir(value);
}

/** Whether only this machine reaches what listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

export function parseHost(value: string): string {
  if (isIP(value) === 0 && !HOST_NAME.test(value)) {
    throw new BadValue(`is not an address or host name: ${JSON.stringify(value)}`);
  }
  return value;
}

/** Origins as browsers send them: a scheme, a host and, where it is not the usual one, a port. */
export function parseOrigins(value: string): readonly string[] {
  return value.split(",").map((part) => {
    const origin = part.trim();
    if (!/^https?:/.test(origin) || !URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new BadValue(
        `is not a list like https://a.example.com,http://localhost:5173: ${value}`,
      );
    }
    return origin;
  });
}

export function parsePort(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (!(port <= PORT_MAX)) {
    throw new BadValue(`is not a port from 0 to ${PORT_MAX}: ${JSON.stringify(value)}`);
  }
  return port;
}

export function parseYesNo(value: string): boolean {
  if (value !== "true" && value !== "false") {
    throw new BadValue(`is neither true nor false: ${JSON.stringify(value)}`);
  }
  return value === "true";
}

/** Makes the reader of a whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) {
      throw new BadValue(
        `is not a whole number from ${least} to ${most}: ${JSON.stringify(value)}`,
      );
    }
    return number;
  };
}

export function parseAdminKey(value: string): string | undefined {
  if (!ADMIN_KEY.test(value)) {
    throw new BadValue("has characters other than visible ASCII, which no header carries safely");
  }
  if (value.length > ADMIN_KEY_CHARACTERS_MAX) {
    throw new BadValue(`is longer than ${ADMIN_KEY_CHARACTERS_MAX} characters`);
  }
  return value;
}

export function parseText(value: string): string | undefined {
  return value;
}

/** Where the public keys of an issuer of tokens are. */
export type KeySetSource =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "file"; readonly path: string };

/** Keys that come in the clear could be anybody's, unless they never leave the machine. */
export function parseKeySet(value: string): KeySetSource | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return { kind: "file", path: parseDir(value) };
  const { protocol = "", hostname = "" } = URL.canParse(value) ? new URL(value) : {};
  const isLocal = isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"));
  if (protocol === "https:" || (protocol === "http:" && isLocal))
    return { kind: "url", url: value };
  throw new BadValue("is neither a file nor an https URL (http only on this machine)");
}

/** Signatures that only the issuer can make; what a shared secret signs is not among them. */
const ALGORITHMS = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split(" ");

export function parseAlgorithms(value: string): readonly string[] {
  const algorithms = value.split(",").map((each) => each.trim());
  const other = algorithms.find((each) => !ALGORITHMS.includes(each));
  if (other === undefined) return algorithms;
  throw new BadValue(
    `names ${JSON.stringify(other)}, which is not one of ${ALGORITHMS.join(", ")}`,
  );
}

export function parseLogLevel(value: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === value);
  if (level === undefined) {
    throw new BadValue(`is not one of ${LOG_LEVELS.join(", ")}: ${JSON.stringify(value)}`);
  }
  return level;
}
