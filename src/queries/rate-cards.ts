/** Owns the reads of rate cards: one version, the newest of each, or every version of one. */
import type { EntityManager } from "typeorm";
import type { RateCard } from "../book/nouns.ts";
import { rateCards } from "../database/entities/tenant.ts";
import { refuse } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import { RATE_CARD_COLUMNS, type RateCardRow, rateCardOf } from "../pipeline/rows.ts";
import { bytesOfTexts, gatherPage, type Page, type PageRequest, ROW_BYTES } from "./page.ts";
import { type Binding, isNumberPosition, makeToken, readPageToken } from "./page-token.ts";
import { selectRows } from "./statement.ts";
import type { TenantReads } from "./tenant-reads.ts";

/** Null: the newest version. */
export async function getRateCard(
  reads: TenantReads,
  tenantId: TenantId,
  { key, version }: { readonly key: string; readonly version: number | null },
): Promise<RateCard> {
  const row = await reads.read(tenantId, (manager) =>
    manager.getRepository(rateCards).findOne({
      where: { tenant_id: tenantId, key, ...(version !== null && { version }) },
      order: { version: "DESC" },
    }),
  );
  if (row !== null) return rateCardOf(row as RateCardRow);
  const facts = { rate_card_key: key, ...(version !== null && { version: String(version) }) };
  const which = version === null ? "" : ` version ${version} of`;
  throw refuse("RATE_CARD_NOT_FOUND", `there is no${which} rate card ${key}`, facts);
}

/** A row of a list, and its place there. */
type PlacedRow = RateCardRow & { readonly place: bigint };

/** A rate card keeps the place of its first version, whatever versions are added meanwhile. */
const LIST_NEWEST = `SELECT f.number AS place, r.* FROM rate_card f
  CROSS JOIN LATERAL (
    SELECT ${RATE_CARD_COLUMNS} FROM rate_card r
    WHERE r.tenant_id = f.tenant_id AND r.key = f.key ORDER BY r.version DESC LIMIT 1
  ) r
  WHERE f.tenant_id = $1 AND f.version = 1 AND f.number > $2 ORDER BY f.number LIMIT $3`;

const LIST_VERSIONS = `SELECT r.version::bigint AS place, ${RATE_CARD_COLUMNS} FROM rate_card r
  WHERE r.tenant_id = $1 AND r.version > $2::bigint AND r.key = $4 ORDER BY r.version LIMIT $3`;

/** The newest version of every rate card, or with a key every version of that one. */
export async function listRateCards(
  reads: TenantReads,
  tenantId: TenantId,
  key: string | null,
  page: PageRequest,
): Promise<Page<RateCard>> {
  const binding: Binding = ["rate_cards", tenantId, key];
  const start = readPageToken(binding, page.token, isNumberPosition) ?? "0";
  const { rows, more } = await reads.read(tenantId, (manager) =>
    gatherPage<PlacedRow>({
      rowsMax: page.rowsMax,
      read: (last, limit) => select(manager, [tenantId, last?.place ?? start, limit], key),
      bytesOf,
    }),
  );
  const last = more ? rows.at(-1) : undefined;
  const nextToken = last === undefined ? "" : makeToken(binding, last.place.toString());
  return { items: rows.map(rateCardOf), nextToken };
}

function select(
  manager: EntityManager,
  values: readonly unknown[],
  key: string | null,
): Promise<PlacedRow[]> {
  return key === null
    ? selectRows<PlacedRow>(manager, LIST_NEWEST, values)
    : selectRows<PlacedRow>(manager, LIST_VERSIONS, [...values, key]);
}

function bytesOf({ key, name, feature_key: featureKey, price }: PlacedRow): number {
  return ROW_BYTES + bytesOfTexts([key, name, featureKey, JSON.stringify(price)]);
}
