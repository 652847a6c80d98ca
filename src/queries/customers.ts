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
  type Page,
  type PageRequest,
  ROW_BYTES,
} from "./page.ts";
import { type Binding, makeToken, readToken } from "./page-token.ts";
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

/** The oldest first, by creation sequence (H4). With a customer named it is that one alone. */
export async function listCustomers(
  reads: TenantReads,
  of: { readonly tenantId: TenantId; readonly customerId: CustomerId | null },
  page: PageRequest,
): Promise<Page<CustomerProfile>> {
  const { tenantId, customerId } = of;
  const binding: Binding = ["customers", tenantId, customerId];
  const start = page.token === "" ? "0" : readToken(binding, page.token, "page_token");
  const { rows, more } = await reads.read(tenantId, (manager) =>
    gatherPage<CustomerRow>({
      rowsMax: page.rowsMax,
      read: (last, limit) =>
        manager
          .getRepository(customers)
          .createQueryBuilder("c")
          .where("c.tenant_id = :tenantId", { tenantId })
          .andWhere("c.number > :after", { after: last?.number ?? start })
          .andWhere(customerId === null ? "true" : "c.customer_id = :customerId", { customerId })
          .orderBy("c.number")
          .limit(limit)
          .getMany(),
      bytesOf: (row) =>
        ROW_BYTES + bytesOfTexts([row.key, row.name]) + bytesOfMetadata(row.metadata),
    }),
  );
  const last = more ? rows.at(-1) : undefined;
  const nextToken = last === undefined ? "" : makeToken(binding, last.number.toString());
  return { items: rows.map(profileOf), nextToken };
}
