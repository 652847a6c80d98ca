/** Owns the reads of customers themselves: one by id or key, many in the order of creation. */
import type { EntityManager } from "typeorm";
import type { CustomerProfile } from "../book/nouns.ts";
import { customerKeyNotFound, customerNotFound } from "../customer/customer-not-found.ts";
import { type CustomerRow, customerKeys, customers } from "../database/entities/customer.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import { profileOf } from "../pipeline/rows.ts";
import {
  bytesOfMetadata,
  bytesOfTexts,
  gatherPage,
  type OrderedPageRequest,
  type Page,
  ROW_BYTES,
} from "./page.ts";
import { isNumberPosition, makeToken, orderedBinding, readPageToken } from "./page-token.ts";
import { readSlice } from "./slice.ts";
import type { TenantReads } from "./tenant-reads.ts";

export async function getCustomer(
  reads: TenantReads,
  tenantId: TenantId,
  id: CustomerId,
): Promise<CustomerProfile> {
  const row = await reads.read(tenantId, (manager) => find(manager, tenantId, id));
  if (row === null) throw customerNotFound(id);
  return profileOf(row);
}

export async function getCustomerByKey(
  reads: TenantReads,
  tenantId: TenantId,
  key: string,
): Promise<CustomerProfile> {
  const row = await reads.read(tenantId, async (manager) => {
    const taken = await manager.getRepository(customerKeys).findOneBy({ tenant_id: tenantId, key });
    return taken === null ? null : find(manager, tenantId, taken.customer_id);
  });
  if (row === null) throw customerKeyNotFound(key);
  return profileOf(row);
}

function find(
  manager: EntityManager,
  tenantId: TenantId,
  id: CustomerId,
): Promise<CustomerRow | null> {
  return manager.getRepository(customers).findOneBy({ tenant_id: tenantId, customer_id: id });
}

/** By creation sequence (H4). With a customer named it is that one alone. */
export async function listCustomers(
  reads: TenantReads,
  of: { readonly tenantId: TenantId; readonly customerId: CustomerId | null },
  page: OrderedPageRequest,
): Promise<Page<CustomerProfile>> {
  const { tenantId, customerId } = of;
  const { rowsMax, token, order = "OLDEST_FIRST" } = page;
  const binding = orderedBinding(["customers", tenantId, customerId], order);
  const start = readPageToken(binding, token, isNumberPosition);
  const { rows, more } = await reads.read(tenantId, (manager) =>
    gatherPage<CustomerRow>({
      rowsMax,
      read: (last, limit) => {
        const query = manager
          .getRepository(customers)
          .createQueryBuilder("c")
          .where("c.tenant_id = :tenantId", { tenantId });
        if (customerId !== null) query.andWhere("c.customer_id = :customerId", { customerId });
        const after = last?.number.toString() ?? start;
        readSlice(query, "c.number", { after, until: null, limit, order });
        return query.getMany();
      },
      bytesOf: (row) =>
        ROW_BYTES + bytesOfTexts([row.key, row.name]) + bytesOfMetadata(row.metadata),
    }),
  );
  const last = more ? rows.at(-1) : undefined;
  const nextToken = last === undefined ? "" : makeToken(binding, last.number.toString());
  return { items: rows.map(profileOf), nextToken };
}
