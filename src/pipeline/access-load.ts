/**
 * Owns loading what commands about tenants and API keys look at: under the tenant's lock, and for a
 * new tenant under that of all tenants.
 */
import { assert } from "../errors.ts";
import type { ApiKeyId, CustomerId, TenantId } from "../ledger/ids.ts";
import type { Instant } from "../money/time.ts";
import type { Registry, RegistryNeed } from "../registry/registry.ts";
import { API_KEY_COLUMNS, type ApiKeyRow, apiKeyOf } from "./api-key-rows.ts";
import type { RegistryJob } from "./registry-batch.ts";
import type { Session } from "./session.ts";
import type { Statement } from "./statement.ts";

const LOAD_API_KEYS: Statement = {
  name: "load_api_keys",
  text: `SELECT ${API_KEY_COLUMNS} FROM api_key k
    WHERE k.tenant_id = $1::uuid AND k.api_key_id = ANY($2::uuid[])`,
};

const COUNT_API_KEYS: Statement = {
  name: "count_api_keys",
  text: `SELECT coalesce(max(k.number), 0) AS count FROM api_key k
    WHERE k.tenant_id = $1::uuid`,
};

const LOCK_TENANTS: Statement = {
  name: "lock_tenants",
  text: "SELECT tenant_count, newest_created_at FROM lock_tenants()",
};

const FIND_CUSTOMERS: Statement = {
  name: "find_customers",
  text: `SELECT h.customer_id FROM customer_head h
    WHERE h.tenant_id = $1::uuid AND h.customer_id = ANY($2::uuid[])`,
};

interface TenantsRow {
  readonly tenant_count: bigint;
  readonly newest_created_at: Instant;
}

/** Loads what the commands look at; the answer puts it into a registry. */
export async function loadAccess(
  session: Session,
  tenantId: TenantId,
  needs: readonly RegistryNeed[],
): Promise<(registry: Registry) => void> {
  const ids = new Set<ApiKeyId>();
  for (const need of needs) if (need.kind === "api_key") ids.add(need.id);
  const isNeeded = (kind: RegistryNeed["kind"]) => needs.some((need) => need.kind === kind);
  const [keyRows, counts, tenants] = await Promise.all([
    ids.size === 0 ? [] : session.rows<ApiKeyRow>(LOAD_API_KEYS, [tenantId, [...ids]]),
    isNeeded("api_key_count") ? session.rows<{ count: bigint }>(COUNT_API_KEYS, [tenantId]) : [],
    isNeeded("tenant_count") ? lockTenants(session) : undefined,
  ]);
  return (registry) => {
    for (const row of keyRows) registry.apiKeys.set(row.api_key_id, apiKeyOf(row));
    registry.apiKeyCount = counts[0]?.count ?? 0n;
    registry.tenants = tenants;
  };
}

async function lockTenants(session: Session): Promise<Registry["tenants"]> {
  const [row] = await session.rows<TenantsRow>(LOCK_TENANTS, []);
  assert(row !== undefined, "whoever creates a tenant belongs to one");
  return { count: row.tenant_count, newestCreatedAt: row.newest_created_at };
}

/** Which of the customers that commands name belong to the tenant. */
export async function findNamedCustomers(
  session: Session,
  tenantId: TenantId,
  jobs: readonly RegistryJob[],
): Promise<ReadonlySet<CustomerId>> {
  const named = new Set(jobs.flatMap(({ write: { customerId } }) => customerId ?? []));
  if (named.size === 0) return named;
  const values = [tenantId, [...named]];
  const rows = await session.rows<{ customer_id: CustomerId }>(FIND_CUSTOMERS, values);
  return new Set(rows.map(({ customer_id }) => customer_id));
}
