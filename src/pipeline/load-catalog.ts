/** Owns loading what a tenant's customers share: currencies and rate cards. */
import type { TenantId } from "../ledger/ids.ts";
import { type Currency, type CurrencyCode, isoCurrency } from "../money/currency.ts";
import type { Asked, LoadContext } from "./load.ts";
import * as statements from "./load-statements.ts";
import { type RateCardRow, rateCardOf } from "./rows.ts";

/**
 * The tenants' own currencies that this process has seen. A currency never changes once it is
 * registered, so what was found once is true for ever; what was not found is asked again.
 */
export class CurrencyCache {
  static readonly #TENANTS_MAX = 10_000;
  readonly #currencies = new Map<TenantId, Map<CurrencyCode, Currency>>();

  ofTenant(tenantId: TenantId): Map<CurrencyCode, Currency> {
    const found = this.#currencies.get(tenantId);
    if (found !== undefined) return found;
    if (this.#currencies.size >= CurrencyCache.#TENANTS_MAX) this.#currencies.clear();
    const fresh = new Map<CurrencyCode, Currency>();
    this.#currencies.set(tenantId, fresh);
    return fresh;
  }
}

interface CurrencyRow {
  readonly code: CurrencyCode;
  readonly name: string;
  readonly exponent: number;
}

export async function loadCurrencies(
  { session, tenantId, currencies }: LoadContext,
  asked: readonly Asked<"currency">[],
): Promise<void> {
  const known = currencies.ofTenant(tenantId);
  const unknown = new Set<CurrencyCode>();
  for (const { need } of asked) {
    if (!known.has(need.code) && isoCurrency(need.code) === undefined) unknown.add(need.code);
  }
  if (unknown.size > 0) {
    const values = [tenantId, [...unknown]];
    for (const row of await session.rows<CurrencyRow>(statements.LOAD_CURRENCIES, values)) {
      known.set(row.code, { ...row, iso: false });
    }
  }
  for (const { book, need } of asked) {
    const currency = known.get(need.code) ?? isoCurrency(need.code) ?? null;
    book.currencies.set(need.code, currency);
  }
}

export async function loadRateCards(
  { session, tenantId }: LoadContext,
  asked: readonly Asked<"rate_card">[],
): Promise<void> {
  const newest = new Set<string>();
  const versions = new Map<string, { key: string; version: number }>();
  for (const { need } of asked) {
    if (need.version === null) newest.add(need.key);
    else versions.set(`${need.key}@${need.version}`, { key: need.key, version: need.version });
  }
  const [newestRows, versionRows] = await Promise.all([
    newest.size === 0
      ? []
      : session.rows<RateCardRow>(statements.LOAD_NEWEST_RATE_CARDS, [tenantId, [...newest]]),
    versions.size === 0
      ? []
      : session.rows<RateCardRow>(statements.LOAD_RATE_CARD_VERSIONS, [
          tenantId,
          [...versions.values()].map(({ key }) => key),
          [...versions.values()].map(({ version }) => version),
        ]),
  ]);
  const newestCards = new Map(newestRows.map((row) => [row.key, rateCardOf(row)]));
  const versionCards = new Map(
    versionRows.map((row) => [`${row.key}@${row.version}`, rateCardOf(row)]),
  );
  for (const { book, need } of asked) {
    if (need.version === null) {
      book.rateCards.set(need.key, newestCards.get(need.key) ?? null);
    } else {
      const key = `${need.key}@${need.version}`;
      book.rateCards.set(key, versionCards.get(key) ?? null);
    }
  }
}
