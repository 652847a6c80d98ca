/** Owns loading what a tenant's customers share: currencies and rate cards. */
import { versionKey } from "../book/book.ts";
import { type CurrencyCode, isoCurrency } from "../money/currency.ts";
import { type Asked, type Keep, type LoadSource, needsWithBooks } from "./load-context.ts";
import * as statements from "./load-statements.ts";
import { type RateCardRow, rateCardOf } from "./rows.ts";

interface CurrencyRow {
  readonly code: CurrencyCode;
  readonly name: string;
  readonly exponent: number;
}

export async function loadCurrencies(
  { session, tenantId, currencies }: LoadSource,
  asked: readonly Asked<"currency">[],
): Promise<Keep> {
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
  return (context) => {
    for (const [book, { code }] of needsWithBooks(context, asked)) {
      book.currencies.set(code, known.get(code) ?? isoCurrency(code) ?? null);
    }
  };
}

export async function loadRateCards(
  { session, tenantId }: LoadSource,
  asked: readonly Asked<"rate_card">[],
): Promise<Keep> {
  const newest = new Set<string>();
  const versions = new Map<string, { key: string; version: number }>();
  for (const { need } of asked) {
    if (need.version === null) newest.add(need.key);
    else versions.set(versionKey(need.key, need.version), { key: need.key, version: need.version });
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
    versionRows.map((row) => [versionKey(row.key, row.version), rateCardOf(row)]),
  );
  return (context) => {
    for (const [book, { key, version }] of needsWithBooks(context, asked)) {
      if (version === null) {
        book.newestRateCards.set(key, newestCards.get(key) ?? null);
      } else {
        const name = versionKey(key, version);
        book.rateCardVersions.set(name, versionCards.get(name) ?? null);
      }
    }
  };
}
