/** Owns the reads of credit grants: one by its id, many in the order of their creation. */
import type { EntityManager } from "typeorm";
import type { GrantTerms } from "../book/nouns.ts";
import { type CreditGrantRow, creditGrants } from "../database/entities/credit-grant.ts";
import { refuse } from "../errors.ts";
import type { GrantId } from "../ledger/ids.ts";
import type { FundingMethod, GrantStatus, Lot } from "../ledger/lot.ts";
import type { CurrencyCode } from "../money/currency.ts";
import { lotOf, termsOf } from "../pipeline/rows.ts";
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

export interface CreditGrant {
  readonly lot: Lot;
  readonly terms: GrantTerms;
}

/** Empty lists and null choose all. */
export interface CreditGrantFilter {
  readonly statuses: readonly GrantStatus[];
  readonly fundingMethods: readonly FundingMethod[];
  readonly currency: CurrencyCode | null;
}

export async function getCreditGrant(
  reads: CustomerReads,
  customer: CustomerName,
  id: GrantId,
): Promise<CreditGrant> {
  const { customerId } = customer;
  const row = await reads.read(customer, (manager) =>
    manager.getRepository(creditGrants).findOneBy({ customer_id: customerId, credit_grant_id: id }),
  );
  if (row !== null) return creditGrantOf(row);
  const facts = { credit_grant_id: id };
  throw refuse("CREDIT_GRANT_NOT_FOUND", "there is no such credit grant", facts);
}

/** Ids carry the creation sequence, so their order is that of creation (H4). */
export async function listCreditGrants(
  reads: CustomerReads,
  customer: CustomerName,
  filter: CreditGrantFilter,
  page: OrderedPageRequest,
): Promise<Page<CreditGrant>> {
  const { tenantId, customerId } = customer;
  const { statuses, fundingMethods, currency } = filter;
  const binding: Binding = [
    "credit_grants",
    tenantId,
    customerId,
    asSet(statuses),
    asSet(fundingMethods),
    currency,
  ];
  return reads.read(customer, async (manager) => {
    const list: FilteredList<CreditGrantRow> = {
      table: "credit_grant",
      id: "credit_grant_id",
      customerId,
      binding,
      isSearched: isSearched(filter),
      read: (slice) => selectGrants(manager, customer, filter, slice),
      idOf: (row) => row.credit_grant_id,
      bytesOf,
    };
    const { items, nextToken } = await readFilteredPage(manager, list, page);
    return { items: items.map(creditGrantOf), nextToken };
  });
}

/** Whether the filter passes over grants that stand in its way; two kinds have their own index. */
function isSearched({ statuses, fundingMethods, currency }: CreditGrantFilter): boolean {
  if (isOnly(statuses, "ACTIVE") || isOnly(statuses, "PENDING")) return false;
  return statuses.length > 0 || fundingMethods.length > 0 || currency !== null;
}

function selectGrants(
  manager: EntityManager,
  { customerId }: CustomerName,
  filter: CreditGrantFilter,
  slice: Slice,
): Promise<CreditGrantRow[]> {
  const { statuses, fundingMethods, currency } = filter;
  const query = manager
    .getRepository(creditGrants)
    .createQueryBuilder("g")
    .where("g.customer_id = :customerId", { customerId });
  readSlice(query, "g.credit_grant_id", slice);
  // What is active has credit left, and what has is found by an index of its own.
  if (isOnly(statuses, "ACTIVE")) query.andWhere("g.open");
  if (currency !== null) query.andWhere("g.currency = :currency", { currency });
  if (statuses.length > 0) query.andWhere("g.status IN (:...statuses)", { statuses });
  if (fundingMethods.length > 0) {
    query.andWhere("g.funding_method IN (:...fundingMethods)", { fundingMethods });
  }
  return query.getMany();
}

function creditGrantOf(row: CreditGrantRow): CreditGrant {
  return { lot: lotOf(row), terms: termsOf(row) };
}

function bytesOf(row: CreditGrantRow): number {
  const texts = [row.name, row.description, row.void_reason, ...row.features];
  return ROW_BYTES + bytesOfTexts(texts) + bytesOfMetadata(row.metadata);
}
