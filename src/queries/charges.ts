/** Owns the reads of charges: one by its id, many in the order of their creation. */
import type { EntityManager } from "typeorm";
import type { Charge, ChargeStatus } from "../book/nouns.ts";
import { type ChargeRow, charges } from "../database/entities/charge.ts";
import { refuse } from "../errors.ts";
import type { ChargeId } from "../ledger/ids.ts";
import type { CurrencyCode } from "../money/currency.ts";
import { chargeOf } from "../pipeline/rows.ts";
import type { CustomerName, CustomerReads } from "./customer-reads.ts";
import { type FilteredList, isOnly, readFilteredPage } from "./filtered-page.ts";
import {
  bytesOfMetadata,
  bytesOfTexts,
  type OrderedPageRequest,
  type Page,
  ROW_BYTES,
} from "./page.ts";
import { asSet, type Binding } from "./page-token.ts";
import { readSlice, type Slice } from "./slice.ts";

/** Empty lists and null choose all. */
export interface ChargeFilter {
  readonly statuses: readonly ChargeStatus[];
  readonly currency: CurrencyCode | null;
  readonly featureKey: string | null;
}

/** What one allocation has on the wire, about. */
const ALLOCATION_BYTES = 100;

export async function getCharge(
  reads: CustomerReads,
  customer: CustomerName,
  id: ChargeId,
): Promise<Charge> {
  const { customerId } = customer;
  const row = await reads.read(customer, (manager) =>
    manager.getRepository(charges).findOneBy({ customer_id: customerId, charge_id: id }),
  );
  if (row !== null) return chargeOf(row);
  throw refuse("CHARGE_NOT_FOUND", "there is no such charge", { charge_id: id });
}

/** Ids carry the creation sequence, so their order is that of creation (H4). */
export async function listCharges(
  reads: CustomerReads,
  customer: CustomerName,
  filter: ChargeFilter,
  page: OrderedPageRequest,
): Promise<Page<Charge>> {
  const { tenantId, customerId } = customer;
  const { statuses, currency, featureKey } = filter;
  const binding: Binding = ["charges", tenantId, customerId, asSet(statuses), currency, featureKey];
  return reads.read(customer, async (manager) => {
    const list: FilteredList<ChargeRow> = {
      table: "charge",
      id: "charge_id",
      customerId,
      binding,
      isSearched: isSearched(filter),
      read: (slice) => selectCharges(manager, customer, filter, slice),
      idOf: (row) => row.charge_id,
      bytesOf,
    };
    const { items, nextToken } = await readFilteredPage(manager, list, page);
    return { items: items.map(chargeOf), nextToken };
  });
}

/** Whether the filter passes over charges that stand in its way; open ones have their own index. */
function isSearched({ statuses, currency, featureKey }: ChargeFilter): boolean {
  if (isOnly(statuses, "OPEN")) return false;
  return statuses.length > 0 || currency !== null || featureKey !== null;
}

function selectCharges(
  manager: EntityManager,
  { customerId }: CustomerName,
  { statuses, currency, featureKey }: ChargeFilter,
  slice: Slice,
): Promise<ChargeRow[]> {
  const query = manager
    .getRepository(charges)
    .createQueryBuilder("c")
    .where("c.customer_id = :customerId", { customerId });
  readSlice(query, "c.charge_id", slice);
  if (currency !== null) query.andWhere("c.currency = :currency", { currency });
  if (featureKey !== null) query.andWhere("c.feature_key = :featureKey", { featureKey });
  if (statuses.length > 0) query.andWhere("c.status IN (:...statuses)", { statuses });
  return query.getMany();
}

function bytesOf(row: ChargeRow): number {
  const texts = [row.description, row.feature_key, row.rate_card_key];
  const allocations = row.draw_amounts.length * ALLOCATION_BYTES;
  return ROW_BYTES + allocations + bytesOfTexts(texts) + bytesOfMetadata(row.metadata);
}
