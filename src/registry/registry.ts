/**
 * Owns what a tenant has registered, as far as one batch of commands looks at it: which customer
 * keys and currency codes are taken, the newest version of rate cards, API keys, and how many there
 * are; the operator's also takes new tenants. A verb asks the registry and adds to it; what it may
 * ask for was said before it runs (`needs`).
 */
import type { CustomerProfile, RateCard } from "../book/nouns.ts";
import { assert } from "../errors.ts";
import { type ApiKeyId, type CustomerId, makeId, type TenantId } from "../ledger/ids.ts";
import { type Currency, type CurrencyCode, isoCurrency } from "../money/currency.ts";
import { type Instant, instant, laterOf } from "../money/time.ts";
import type { ApiKey } from "./api-key.ts";
import type { Tenant } from "./tenant.ts";

/** What a verb can ask the registry for. */
export type RegistryNeed =
  | { readonly kind: "customer_key"; readonly key: string }
  | { readonly kind: "currency"; readonly code: CurrencyCode }
  | { readonly kind: "rate_card"; readonly key: string }
  | { readonly kind: "api_key"; readonly id: ApiKeyId }
  /** How many there are, to number the next. */
  | { readonly kind: "api_key_count" }
  | { readonly kind: "tenant_count" };

/** A credit unit of the tenant's own. */
export interface RegisteredCurrency extends Currency {
  readonly createdAt: Instant;
}

export interface NewCustomer {
  /** The creation sequence among the tenant's customers, which orders their list. */
  readonly number: bigint;
  readonly profile: CustomerProfile;
}

export interface NewApiKey {
  /** The creation sequence among the tenant's API keys, which orders their list. */
  readonly number: bigint;
  readonly apiKey: ApiKey;
  readonly secretHash: Uint8Array;
}

export class Registry {
  /** The moment at which the commands of the batch happen. */
  readonly now: Instant;
  /** What was loaded of what was asked for; the rest does not exist. */
  readonly takenKeys = new Set<string>();
  readonly currencies = new Map<CurrencyCode, Currency>();
  /** The newest version of each rate card. */
  readonly rateCards = new Map<string, RateCard>();
  readonly apiKeys = new Map<ApiKeyId, ApiKey>();

  /** What must be written. */
  readonly newCustomers: NewCustomer[] = [];
  readonly newCurrencies: RegisteredCurrency[] = [];
  /** New versions, each with its creation sequence among the tenant's rate cards. */
  readonly newRateCards = new Map<RateCard, bigint>();
  /** Versions that were stored before and are archived now. */
  readonly archivedRateCards = new Set<RateCard>();
  readonly newApiKeys: NewApiKey[] = [];
  readonly revokedApiKeys: ApiKey[] = [];
  readonly newTenants: Tenant[] = [];

  /** Counts the customers created so far. */
  customerCount: bigint;
  /** Counts the versions of rate cards created so far; 0 unless a rate card was asked for. */
  rateCardCount = 0n;
  /** Counts the API keys created so far; 0 unless it was asked for. */
  apiKeyCount = 0n;
  /** Of all tenants, if it was asked for: each is created later than the one before. */
  tenants: { readonly count: bigint; readonly newestCreatedAt: Instant } | undefined;
  readonly #asked = new Set<string>();
  readonly #random32: () => number;

  constructor(start: {
    readonly now: Instant;
    readonly customerCount: bigint;
    readonly needs: readonly RegistryNeed[];
    readonly random32: () => number;
  }) {
    this.now = start.now;
    this.customerCount = start.customerCount;
    this.#random32 = start.random32;
    for (const need of start.needs) this.#asked.add(nameOf(need));
  }

  isKeyTaken(key: string): boolean {
    this.#expectLoaded({ kind: "customer_key", key });
    return this.takenKeys.has(key);
  }

  findCurrency(code: CurrencyCode): Currency | undefined {
    this.#expectLoaded({ kind: "currency", code });
    return isoCurrency(code) ?? this.currencies.get(code);
  }

  findNewestRateCard(key: string): RateCard | undefined {
    this.#expectLoaded({ kind: "rate_card", key });
    return this.rateCards.get(key);
  }

  /** Takes the next creation sequence and makes the customer whose id carries it. */
  addCustomer(described: Pick<CustomerProfile, "key" | "name" | "metadata">): CustomerProfile {
    this.customerCount += 1n;
    const number = this.customerCount;
    const id = makeId<CustomerId>(this.now, number, this.#random32());
    const profile = { id, ...described, createdAt: this.now };
    this.takenKeys.add(profile.key);
    this.newCustomers.push({ number, profile });
    return profile;
  }

  addCurrency(currency: RegisteredCurrency): void {
    this.currencies.set(currency.code, currency);
    this.newCurrencies.push(currency);
  }

  /** Adds a version, which is the newest one from now on. */
  addRateCard(card: RateCard): void {
    this.rateCardCount += 1n;
    this.rateCards.set(card.key, card);
    this.newRateCards.set(card, this.rateCardCount);
  }

  /** Puts an archived version in the place of the newest one, which it was. */
  archiveNewest(archived: RateCard): void {
    const card = this.findNewestRateCard(archived.key);
    assert(card?.version === archived.version, "the newest version is archived");
    this.rateCards.set(archived.key, archived);
    const number = this.newRateCards.get(card);
    if (number === undefined) {
      this.archivedRateCards.add(archived);
    } else {
      this.newRateCards.delete(card);
      this.newRateCards.set(archived, number);
    }
  }

  findApiKey(id: ApiKeyId): ApiKey | undefined {
    this.#expectLoaded({ kind: "api_key", id });
    return this.apiKeys.get(id);
  }

  addApiKey(
    described: Pick<ApiKey, "name" | "role" | "customerId" | "expiresAt" | "prefix">,
    secretHash: Uint8Array,
  ): ApiKey {
    this.#expectLoaded({ kind: "api_key_count" });
    this.apiKeyCount += 1n;
    const number = this.apiKeyCount;
    const id = makeId<ApiKeyId>(this.now, number, this.#random32());
    const apiKey = {
      id,
      ...described,
      createdAt: this.now,
      revokedAt: null,
      lastUsedAt: null,
    };
    this.newApiKeys.push({ number, apiKey, secretHash });
    return apiKey;
  }

  revokeApiKey(revoked: ApiKey): void {
    this.apiKeys.set(revoked.id, revoked);
    this.revokedApiKeys.push(revoked);
  }

  addTenant(name: string): Tenant {
    this.#expectLoaded({ kind: "tenant_count" });
    assert(this.tenants !== undefined, "what is asked for is loaded");
    const count = this.tenants.count + 1n;
    const createdAt = laterOf(this.now, instant(this.tenants.newestCreatedAt + 1n));
    const tenant = { id: makeId<TenantId>(createdAt, count, this.#random32()), name, createdAt };
    this.tenants = { count, newestCreatedAt: createdAt };
    this.newTenants.push(tenant);
    return tenant;
  }

  #expectLoaded(need: RegistryNeed): void {
    const name = nameOf(need);
    assert(this.#asked.has(name), `a verb says before it runs that it asks for ${name}`);
  }
}

function nameOf(need: RegistryNeed): string {
  switch (need.kind) {
    case "currency":
      return `currency ${need.code}`;
    case "api_key":
      return `api_key ${need.id}`;
    case "api_key_count":
    case "tenant_count":
      return need.kind;
    default:
      return `${need.kind} ${need.key}`;
  }
}
