/** Owns what this process remembers of currencies. */
import type { TenantId } from "../ledger/ids.ts";
import type { Currency, CurrencyCode } from "../money/currency.ts";

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
