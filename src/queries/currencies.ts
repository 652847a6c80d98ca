/** Owns the read of the currencies that a tenant can use: those of ISO 4217 and its own units. */
import { currencies } from "../database/entities/tenant.ts";
import type { TenantId } from "../ledger/ids.ts";
import { type Currency, ISO_CURRENCIES } from "../money/currency.ts";
import type { RegisteredCurrency } from "../registry/registry.ts";
import type { TenantReads } from "./tenant-reads.ts";

/** All of them, ordered by code. */
export async function listCurrencies(
  reads: TenantReads,
  tenantId: TenantId,
): Promise<readonly (Currency | RegisteredCurrency)[]> {
  const rows = await reads.read(tenantId, (manager) =>
    manager.getRepository(currencies).findBy({ tenant_id: tenantId }),
  );
  const own = rows.map(
    ({ code, name, exponent, created_at: createdAt }): RegisteredCurrency => ({
      code,
      name,
      exponent,
      iso: false,
      createdAt,
    }),
  );
  return [...ISO_CURRENCIES, ...own].sort((left, right) => (left.code < right.code ? -1 : 1));
}
