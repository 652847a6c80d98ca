/** Owns storing what a batch has added to a tenant's registry: a set-based write for each table. */
import type { RateCard } from "../book/nouns.ts";
import { arrayOf } from "../database/array-parameter.ts";
import type { TenantId } from "../ledger/ids.ts";
import type { Instant } from "../money/time.ts";
import { priceToJson } from "../pricing/price-json.ts";
import type { NewCustomer, RegisteredCurrency, Registry } from "../registry/registry.ts";
import {
  CREATE_TENANTS,
  createdValues,
  insertApiKeys,
  REVOKE_API_KEYS,
  revokedValues,
} from "./access-writes.ts";
import type { RequestKey } from "./job.ts";
import type { Session } from "./session.ts";
import type { Column, Statement } from "./statement.ts";
import { insertForTenant, type TenantInsert } from "./tenant-insert.ts";

export interface StoredTenantRequest {
  readonly request: RequestKey;
  readonly answer: Uint8Array;
  readonly createdAt: Instant;
}

const COUNT_CUSTOMERS: Statement = {
  name: "count_customers",
  text: "UPDATE tenant SET customer_count = $2::bigint WHERE tenant_id = $1::uuid",
};

const ID: Column<NewCustomer> = {
  name: "customer_id",
  type: "uuid",
  value: ({ profile }) => profile.id,
};
const KEY: Column<NewCustomer> = {
  name: "key",
  type: "text",
  value: ({ profile }) => profile.key,
};

/** A customer's time begins with it: nothing of it is dated before it was created (L3). */
const insertHeads = insertForTenant<NewCustomer>("customer_head", [
  ID,
  { name: "last_booked_at", type: "timestamptz", value: ({ profile }) => profile.createdAt },
]);

const insertKeys = insertForTenant<NewCustomer>("customer_key", [KEY, ID]);

const insertProfiles = insertForTenant<NewCustomer>("customer", [
  ID,
  { name: "number", type: "bigint", value: ({ number }) => number },
  { name: "created_at", type: "timestamptz", value: ({ profile }) => profile.createdAt },
  KEY,
  { name: "name", type: "text", value: ({ profile }) => profile.name },
  {
    name: "metadata",
    type: "text",
    cast: "jsonb",
    value: ({ profile }) => JSON.stringify(profile.metadata),
  },
]);

const insertCurrencies = insertForTenant<RegisteredCurrency>("currency", [
  { name: "code", type: "text", value: ({ code }) => code },
  { name: "name", type: "text", value: ({ name }) => name },
  { name: "exponent", type: "integer", value: ({ exponent }) => exponent },
  { name: "created_at", type: "timestamptz", value: ({ createdAt }) => createdAt },
]);

type NewRateCard = readonly [card: RateCard, number: bigint];

const insertRateCards = insertForTenant<NewRateCard>("rate_card", [
  { name: "created_at", type: "timestamptz", value: ([card]) => card.createdAt },
  { name: "archived_at", type: "timestamptz", value: ([card]) => card.archivedAt },
  { name: "number", type: "bigint", value: ([, number]) => number },
  { name: "version", type: "integer", value: ([card]) => card.version },
  {
    name: "settlement_mode",
    type: "text",
    cast: "settlement_mode",
    value: ([card]) => card.settlementMode,
  },
  { name: "key", type: "text", value: ([card]) => card.key },
  { name: "name", type: "text", value: ([card]) => card.name },
  { name: "feature_key", type: "text", value: ([card]) => card.featureKey },
  { name: "currency", type: "text", value: ([card]) => card.currency },
  {
    name: "price",
    type: "text",
    cast: "jsonb",
    value: ([card]) => JSON.stringify(priceToJson(card.price)),
  },
  { name: "minimum_amount", type: "numeric", value: ([card]) => card.minimumAmount },
  { name: "maximum_amount", type: "numeric", value: ([card]) => card.maximumAmount },
]);

const ARCHIVE_RATE_CARDS: Statement = {
  name: "archive_rate_cards",
  text: `UPDATE rate_card r SET archived_at = n.archived_at
    FROM unnest($2::text[], $3::integer[], $4::timestamptz[]) AS n(key, version, archived_at)
    WHERE r.tenant_id = $1::uuid AND r.key = ANY($2::text[])
      AND r.key = n.key AND r.version = n.version`,
};

const insertRequests = insertForTenant<StoredTenantRequest>("tenant_request", [
  { name: "created_at", type: "timestamptz", value: ({ createdAt }) => createdAt },
  { name: "request_id", type: "text", value: ({ request }) => request.id },
  {
    name: "fingerprint",
    type: "bytea",
    value: ({ request }) => request.fingerprint,
  },
  { name: "answer", type: "bytea", value: ({ answer }) => answer },
]);

/** Sends one statement for each table that changes, together, and checks every row count. */
export async function storeRegistry(
  session: Session,
  tenantId: TenantId,
  changes: {
    readonly registry: Registry;
    readonly requests: readonly StoredTenantRequest[];
    /** What the count of customers was when the tenant was locked. */
    readonly customerCount: bigint;
  },
): Promise<void> {
  const { registry, requests, customerCount } = changes;
  const sent: Promise<void>[] = [];
  const send = (statement: Statement, values: unknown[], rows: number) => {
    if (rows > 0) sent.push(session.store(statement, values, rows));
  };
  const insert = <Row>({ statement, values }: TenantInsert<Row>, rows: readonly Row[]) =>
    send(statement, values(tenantId, rows), rows.length);
  await session.begun;

  const counted = registry.customerCount === customerCount ? 0 : 1;
  send(COUNT_CUSTOMERS, [tenantId, registry.customerCount], counted);
  const customers = registry.newCustomers;
  insert(insertKeys, customers);
  insert(insertHeads, customers);
  insert(insertProfiles, customers);
  insert(insertCurrencies, registry.newCurrencies);
  insert(insertRateCards, [...registry.newRateCards]);
  const archived = [...registry.archivedRateCards];
  send(
    ARCHIVE_RATE_CARDS,
    [
      tenantId,
      arrayOf(
        "text",
        archived.map(({ key }) => key),
      ),
      arrayOf(
        "integer",
        archived.map(({ version }) => version),
      ),
      arrayOf(
        "timestamptz",
        archived.map(({ archivedAt }) => archivedAt),
      ),
    ],
    archived.length,
  );
  insert(insertApiKeys, registry.newApiKeys);
  const { revokedApiKeys: revoked, newTenants } = registry;
  send(REVOKE_API_KEYS, revokedValues(tenantId, revoked), revoked.length);
  send(CREATE_TENANTS, createdValues(newTenants), newTenants.length);
  insert(insertRequests, requests);
  await Promise.all(sent);
}
