/**
 * Owns what this process knows of API keys: those in use are kept for a few seconds, and asked for
 * again before the time is up, so that a call pays for a look-up in a map. Who has been revoked or
 * has expired is refused within 5 seconds, and loses the streams that it has open.
 */
import { timingSafeEqual } from "node:crypto";
import type { ApiKeyId } from "../ledger/ids.ts";
import type { FoundApiKey } from "../queries/api-keys.ts";
import { prefixOfSecret } from "../rpc/secret.ts";
import type { Recognize } from "./authentication.ts";
import { Credential, notValid } from "./credential.ts";
import { type Known, KnownCredentials } from "./known-credentials.ts";
import { SharedLookUp } from "./shared-look-up.ts";

/** How long an answer of the database is believed, counted from when it was asked. */
const BELIEVED_MS_MAX = 4_000;
/** The database is told of the use of an API key so often. */
const USE_INTERVAL_MS = 60_000;

/** What the database knows and is told of API keys. */
export interface ApiKeyStore {
  /** Those of them that open something now. */
  readonly find: (prefixes: readonly string[]) => Promise<readonly FoundApiKey[]>;
  readonly recordUse: (ids: readonly ApiKeyId[]) => Promise<void>;
}

interface KnownApiKey extends Known {
  readonly prefix: string;
  readonly id: ApiKeyId;
  usedSinceCheck: boolean;
  useRecordedAtMs: number;
}

export class ApiKeys {
  readonly #store: ApiKeyStore;
  readonly #known: KnownCredentials<KnownApiKey>;
  readonly #lookUp: SharedLookUp<FoundApiKey>;

  /** `report` is told when those in use could not be checked; the next check comes all the same. */
  constructor(store: ApiKeyStore, report: (error: unknown) => void) {
    this.#store = store;
    this.#known = new KnownCredentials(() => this.#check(), report);
    this.#lookUp = new SharedLookUp(store.find, ({ prefix }) => prefix);
  }

  /** Passes on what cannot be the secret of an API key. */
  readonly recognize: Recognize = ({ secret, digest }) => {
    const known = this.#known.findBelieved(digest);
    if (known !== undefined) {
      known.usedSinceCheck = true;
      return known.credential;
    }
    const prefix = prefixOfSecret(secret);
    return prefix === undefined ? undefined : this.#find(prefix, digest);
  };

  close(): void {
    this.#known.close();
  }

  async #find(prefix: string, digest: string): Promise<Credential> {
    const { found, askedAtMs } = await this.#lookUp.find(prefix);
    if (found === undefined || !isOf(digest, found)) throw notValid();
    const known = this.#known.getOrAdd(digest, () => knownOf(found));
    known.believedUntilMs = believedUntil(found, askedAtMs);
    known.usedSinceCheck = true;
    return known.credential;
  }

  /** Asks for all that are in use in one statement, and forgets the rest. */
  async #check(): Promise<void> {
    const used: KnownApiKey[] = [];
    for (const [digest, known] of this.#known.entries()) {
      if (known.usedSinceCheck) used.push(known);
      else if (!known.credential.hasStreams) this.#known.forget(digest);
      known.usedSinceCheck = false;
    }
    const checked = this.#known.entries();
    if (checked.length === 0) return;
    const askedAtMs = performance.now();
    const rows = await this.#store.find(checked.map(([, { prefix }]) => prefix));
    const found = new Map(rows.map((row) => [row.prefix, row]));
    for (const [digest, known] of checked) {
      const row = found.get(known.prefix);
      if (row !== undefined && isOf(digest, row)) {
        known.believedUntilMs = believedUntil(row, askedAtMs);
      } else {
        this.#known.forget(digest);
        known.credential.end();
      }
    }
    await this.#recordUse(used, askedAtMs);
  }

  async #recordUse(used: readonly KnownApiKey[], nowMs: number): Promise<void> {
    const due = used.filter(({ useRecordedAtMs }) => nowMs - useRecordedAtMs >= USE_INTERVAL_MS);
    if (due.length === 0) return;
    await this.#store.recordUse(due.map(({ id }) => id));
    for (const known of due) known.useRecordedAtMs = nowMs;
  }
}

function knownOf({ prefix, id, tenantId, role, customerId }: FoundApiKey): KnownApiKey {
  return {
    prefix,
    id,
    credential: new Credential(id, { tenantId, role, customerId }),
    believedUntilMs: 0,
    usedSinceCheck: true,
    useRecordedAtMs: Number.NEGATIVE_INFINITY,
  };
}

function isOf(digest: string, { secretHash }: FoundApiKey): boolean {
  return timingSafeEqual(Buffer.from(digest, "latin1"), secretHash);
}

function believedUntil({ expiresInMs }: FoundApiKey, askedAtMs: number): number {
  return askedAtMs + Math.min(expiresInMs ?? BELIEVED_MS_MAX, BELIEVED_MS_MAX);
}
