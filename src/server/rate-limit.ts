/**
 * Owns how many calls are let in: so many a second of each API key, and so many in all, of which
 * each tenant that calls has a fair share. What one tenant leaves of its share the others may use.
 * Each process counts for itself.
 */
import type { Limits } from "../config.ts";
import { type Refusal, refuse } from "../errors.ts";

const WINDOW_MS = 1_000;
/** Above so many keys, those whose buckets are full again are forgotten. */
const KEYS_MAX = 10_000;

export type RateLimits = Pick<Limits, "callsPerSecondPerKeyMax" | "callsPerSecondMax">;

export class RateLimit {
  readonly #keys: KeyBuckets | undefined;
  readonly #shares: FairShares | undefined;

  /** A limit of 0 is none. */
  constructor({ callsPerSecondPerKeyMax, callsPerSecondMax }: RateLimits) {
    if (callsPerSecondPerKeyMax > 0) this.#keys = new KeyBuckets(callsPerSecondPerKeyMax);
    if (callsPerSecondMax > 0) this.#shares = new FairShares(callsPerSecondMax);
  }

  /** Counts a call, or refuses it. */
  admit({ key, tenant, nowMs }: Calling): void {
    if (this.#keys?.take(key, nowMs) === false) throw rateLimited("API key");
    if (this.#shares?.take(tenant, nowMs) === false) throw rateLimited("tenant");
  }
}

export interface Calling {
  readonly key: string;
  readonly tenant: string;
  readonly nowMs: number;
}

function rateLimited(who: string): Refusal {
  return refuse("RATE_LIMITED", `The ${who} makes more calls than it may. Try again in a second.`);
}

interface Bucket {
  calls: number;
  atMs: number;
}

/** A bucket for each key: it holds the calls of one second, and fills up as time passes. */
class KeyBuckets {
  readonly #perSecond: number;
  readonly #buckets = new Map<string, Bucket>();
  #forgotAtMs = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  take(key: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? this.#add(key, nowMs);
    const gained = ((nowMs - bucket.atMs) / WINDOW_MS) * this.#perSecond;
    bucket.calls = Math.min(this.#perSecond, bucket.calls + gained);
    bucket.atMs = nowMs;
    if (bucket.calls < 1) return false;
    bucket.calls -= 1;
    return true;
  }

  #add(key: string, nowMs: number): Bucket {
    if (this.#buckets.size >= KEYS_MAX && nowMs - this.#forgotAtMs >= WINDOW_MS) {
      this.#forgotAtMs = nowMs;
      for (const [other, { atMs }] of this.#buckets) {
        if (nowMs - atMs >= WINDOW_MS) this.#buckets.delete(other);
      }
    }
    const bucket = { calls: this.#perSecond, atMs: nowMs };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

interface Share {
  /** What it may be expected to ask for in this second. */
  readonly expected: number;
  asked: number;
  used: number;
}

/**
 * Divides each second between the tenants that call. Up to its share a tenant is always let in; a
 * newcomer too, so that for the rest of its first second the total can be exceeded by its share.
 */
class FairShares {
  readonly #total: number;
  #shares = new Map<string, Share>();
  #beganAtMs = Number.NEGATIVE_INFINITY;
  #used = 0;
  /** What is kept free for tenants below their share who are expected to come. */
  #reserved = 0;

  constructor(total: number) {
    this.#total = total;
  }

  take(tenant: string, nowMs: number): boolean {
    if (nowMs - this.#beganAtMs >= WINDOW_MS) this.#beginWindow(nowMs);
    const share = this.#shares.get(tenant) ?? this.#add(tenant);
    share.asked += 1;
    const kept = this.#keptFor(share);
    const isWithinShare = share.used + 1 <= Math.max(1, this.#share);
    if (!isWithinShare && this.#used + this.#reserved + 1 > this.#total) return false;
    share.used += 1;
    this.#used += 1;
    this.#reserved -= kept - this.#keptFor(share);
    return true;
  }

  get #share(): number {
    return this.#total / this.#shares.size;
  }

  #keptFor({ expected, used }: Share): number {
    return Math.max(0, Math.min(this.#share, expected) - used);
  }

  /** Who called in the second before is expected to call again, and as often. */
  #beginWindow(nowMs: number): void {
    const isNext = nowMs - this.#beganAtMs < 2 * WINDOW_MS;
    const came = isNext ? [...this.#shares].filter(([, { asked }]) => asked > 0) : [];
    this.#shares = new Map(
      came.map(([tenant, { asked }]) => [tenant, { expected: asked, asked: 0, used: 0 }]),
    );
    this.#beganAtMs = nowMs;
    this.#used = 0;
    this.#reserve();
  }

  #add(tenant: string): Share {
    const share = { expected: this.#total, asked: 0, used: 0 };
    this.#shares.set(tenant, share);
    this.#reserve();
    return share;
  }

  #reserve(): void {
    this.#reserved = 0;
    for (const share of this.#shares.values()) this.#reserved += this.#keptFor(share);
  }
}
