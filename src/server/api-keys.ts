/**
 * Owns what this process knows of API keys: those in use are kept for a few seconds, and asked for
 * again before the time is up, so that a call pays for a look-up in a map. Who has been revoked or
 * has expired is refused within 5 seconds, and loses the streams that it has open.
 */
import { timingSafeEqual } from "node:crypto";
import { refuse } from "../errors.ts";
import type { ApiKeyId } from "../ledger/ids.ts";
import type { FoundApiKey } from "../queries/api-keys.ts";
import { prefixOfSecret } from "../rpc/secret.ts";
import type { Presented } from "./authentication.ts";
import { Credential, notValid } from "./credential.ts";
import { SharedLookUp } from "./shared-look-up.ts";

/** Between the end of one check of those in use and the beginning of the next. */
const CHECK_PAUSE_MS = 1_500;
/** How long an answer of the database is believed, counted from when it was asked. */
const BELIEVED_MS_MAX = 4_000;
const KNOWN_MAX = 10_000;
/** The database is told of the use of an API key so often. */
const USE_INTERVAL_MS = 60_000;

/** What the database knows and is told of API keys. */
export interface ApiKeyStore {
  /** Those of them that open something now. */
  readonly find: (prefixes: readonly string[]) => Promise<readonly FoundApiKey[]>;
  readonly recordUse: (ids: readonly ApiKeyId[]) => Promise<void>;
}

interface Known {
  readonly prefix: string;
  readonly id: ApiKeyId;
  readonly credential: Credential;
  believedUntilMs: number;
  usedSinceCheck: boolean;
  useRecordedAtMs: number;
}

export class ApiKeys {
  readonly #store: ApiKeyStore;
  readonly #report: (error: unknown) => void;
  /** By the digest of the secret. */
  readonly #known = new Map<string, Known>();
  readonly #lookUp: SharedLookUp<FoundApiKey>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `report` is told when those in use could not be checked; the next check comes all the same. */
  constructor(store: ApiKeyStore, report: (error: unknown) => void) {
    this.#store = store;
    this.#report = report;
    this.#lookUp = new SharedLookUp(store.find, ({ prefix }) => prefix);
  }

  /** Undefined for what cannot be the secret of an API key. */
  readonly recognize = (presented: Presented): Credential | Promise<Credential> | undefined => {
    const known = this.#known.get(presented.digest);
    if (known !== undefined && performance.now() < known.believedUntilMs) {
      known.usedSinceCheck = true;
      return known.credential;
    }
    const prefix = prefixOfSecret(presented.secret);
    return prefix === undefined ? undefined : this.#find(prefix, presented.digest);
  };

  /** Checks nothing any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #find(prefix: string, digest: string): Promise<Credential> {
    const { found, askedAtMs } = await this.#lookUp.find(prefix);
    if (found === undefined || !isOf(digest, found)) throw notValid();
    const known = this.#known.get(digest) ?? this.#add(digest, found);
    known.believedUntilMs = believedUntil(found, askedAtMs);
    known.usedSinceCheck = true;
    return known.credential;
  }

  #add(digest: string, { prefix, id, tenantId, role, customerId }: FoundApiKey): Known {
    this.#makeRoom();
    const known: Known = {
      prefix,
      id,
      credential: new Credential(id, { tenantId, role, customerId }),
      believedUntilMs: 0,
      usedSinceCheck: true,
      useRecordedAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#known.set(digest, known);
    this.#schedule();
    return known;
  }

  /** The oldest goes whose streams need no watching. */
  #makeRoom(): void {
    if (this.#known.size < KNOWN_MAX) return;
    for (const [digest, { credential }] of this.#known) {
      if (credential.hasStreams) continue;
      this.#known.delete(digest);
      return;
    }
    throw refuse("OVERLOADED", "Too many API keys have streams open; try again soon.");
  }

  #schedule(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#checkAndGoOn(), CHECK_PAUSE_MS);
    // A process that has nothing else to do ends.
    this.#timer.unref();
  }

  async #checkAndGoOn(): Promise<void> {
    try {
      await this.#check();
    } catch (error) {
      if (!this.#closed) this.#report(error);
    }
    this.#timer = undefined;
    if (this.#known.size > 0) this.#schedule();
  }

  /** Asks for all that are in use in one statement, and forgets the rest. */
  async #check(): Promise<void> {
    const used: Known[] = [];
    for (const [digest, known] of this.#known) {
      if (known.usedSinceCheck) used.push(known);
      else if (!known.credential.hasStreams) this.#known.delete(digest);
      known.usedSinceCheck = false;
    }
    const askedAtMs = performance.now();
    const checked = [...this.#known];
    const prefixes = new Set(checked.map(([, { prefix }]) => prefix));
    if (prefixes.size === 0) return;
    const rows = await this.#store.find([...prefixes]);
    const found = new Map(rows.map((row) => [row.prefix, row]));
    for (const [digest, known] of checked) {
      const row = found.get(known.prefix);
      if (row !== undefined && isOf(digest, row)) {
        known.believedUntilMs = believedUntil(row, askedAtMs);
      } else {
        this.#known.delete(digest);
        known.credential.end();
      }
    }
    await this.#recordUse(used, askedAtMs);
  }

  async #recordUse(used: readonly Known[], nowMs: number): Promise<void> {
    const due = used.filter(({ useRecordedAtMs }) => nowMs - useRecordedAtMs >= USE_INTERVAL_MS);
    if (due.length === 0) return;
    await this.#store.recordUse(due.map(({ id }) => id));
    for (const known of due) known.useRecordedAtMs = nowMs;
  }
}

function isOf(digest: string, { secretHash }: FoundApiKey): boolean {
  return timingSafeEqual(Buffer.from(digest, "latin1"), secretHash);
}

function believedUntil({ expiresInMs }: FoundApiKey, askedAtMs: number): number {
  return askedAtMs + Math.min(expiresInMs ?? BELIEVED_MS_MAX, BELIEVED_MS_MAX);
}
