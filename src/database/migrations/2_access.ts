/**
 * Owns the schema of who may call: API keys, and the functions that reach across tenants for them.
 * What a secret is cannot be read back from here: only its SHA-256 is kept.
 */
import type { MigrationInterface, QueryRunner } from "typeorm";
import { APPLICATION_ROLE } from "./1_ledger.ts";

const TIME = "timestamp with time zone";
/** As a subquery it is read once in a statement, not for every row. */
const TENANT = "(SELECT nullif(current_setting('app.tenant', true), '')::uuid)";
/** Held while a tenant is created: "tenants!" in ASCII. */
const TENANTS_LOCK = "8387231245791425313";

const TABLES = [
  "CREATE TYPE role AS ENUM ('ADMIN', 'WRITER', 'CHARGER', 'READER')",
  `CREATE TABLE api_key (
    number bigint NOT NULL,
    created_at ${TIME} NOT NULL,
    expires_at ${TIME},
    revoked_at ${TIME},
    last_used_at ${TIME},
    role role NOT NULL,
    tenant_id uuid NOT NULL,
    api_key_id uuid NOT NULL,
    customer_id uuid,
    name text NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    CONSTRAINT api_key_pkey PRIMARY KEY (api_key_id),
    CONSTRAINT api_key_hash_is_sha256 CHECK (octet_length(secret_hash) = 32),
    CONSTRAINT api_key_admin_of_no_customer CHECK (role <> 'ADMIN' OR customer_id IS NULL)
  ) WITH (fillfactor = 70)`,
  // Callers are found by how their secret begins.
  "CREATE UNIQUE INDEX api_key_prefix ON api_key (prefix)",
  "CREATE UNIQUE INDEX api_key_in_creation_order ON api_key (tenant_id, number)",
  "CREATE INDEX tenant_in_creation_order ON tenant (created_at, tenant_id)",
  "ALTER TABLE api_key ENABLE ROW LEVEL SECURITY",
  `CREATE POLICY api_key_of_tenant ON api_key
    USING (tenant_id = ${TENANT}) WITH CHECK (tenant_id = ${TENANT})`,
] as const;

/** What the application may do with each table that this migration makes. */
export const ACCESS_PRIVILEGES = { api_key: "SELECT, INSERT, UPDATE (revoked_at)" } as const;

const DEFINER = "SECURITY DEFINER SET search_path = public, pg_temp";

const FUNCTIONS = {
  // Who is calling: the API keys that open something now. Their tenants are not known before.
  "find_api_keys(text[])": `CREATE FUNCTION find_api_keys(prefixes text[])
    RETURNS TABLE (prefix text, secret_hash bytea, api_key_id uuid, tenant_id uuid,
      customer_id uuid, role role, expires_in_ms double precision)
    LANGUAGE sql STABLE ${DEFINER}
    AS 'SELECT k.prefix, k.secret_hash, k.api_key_id, k.tenant_id, k.customer_id, k.role,
        extract(epoch FROM k.expires_at - c.clock) * 1000
      FROM (SELECT ledger_clock() AS clock) c CROSS JOIN api_key k
      WHERE k.prefix = ANY(prefixes) AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > c.clock)'`,
  // To the minute or so. Replicas that tell of the same API key do not wait for one another.
  "record_api_key_use(uuid[])": `CREATE FUNCTION record_api_key_use(api_key_ids uuid[])
    RETURNS void
    LANGUAGE sql VOLATILE ${DEFINER}
    AS 'UPDATE api_key k SET last_used_at = ledger_clock()
      FROM (
        SELECT u.api_key_id FROM api_key u WHERE u.api_key_id = ANY(api_key_ids)
          AND (u.last_used_at IS NULL OR u.last_used_at < ledger_clock() - interval ''1 minute'')
        ORDER BY u.api_key_id FOR NO KEY UPDATE SKIP LOCKED
      ) f
      WHERE k.api_key_id = f.api_key_id'`,
  // An operator names an API key by its id alone.
  "tenant_of_api_key(uuid)": `CREATE FUNCTION tenant_of_api_key(sought_id uuid)
    RETURNS uuid
    LANGUAGE sql STABLE ${DEFINER}
    AS 'SELECT k.tenant_id FROM api_key k WHERE k.api_key_id = sought_id'`,
  "tenants_after(timestamptz, uuid, integer)": `CREATE FUNCTION tenants_after(
      after_created_at ${TIME}, after_tenant_id uuid, tenants_max integer)
    RETURNS TABLE (tenant_id uuid, name text, created_at ${TIME})
    LANGUAGE sql STABLE ${DEFINER}
    AS 'SELECT t.tenant_id, t.name, t.created_at FROM tenant t
      WHERE (t.created_at, t.tenant_id) > (after_created_at, after_tenant_id)
      ORDER BY t.created_at, t.tenant_id LIMIT tenants_max'`,
  // Tenants are created one after the other, so that none ever turns up before one already listed.
  "lock_tenants()": `CREATE FUNCTION lock_tenants()
    RETURNS TABLE (tenant_count bigint, newest_created_at ${TIME})
    LANGUAGE sql VOLATILE ${DEFINER}
    AS 'SELECT pg_advisory_xact_lock(${TENANTS_LOCK});
      SELECT count(*), max(t.created_at) FROM tenant t'`,
  "create_tenants(uuid[], text[], timestamptz[])": `CREATE FUNCTION create_tenants(
      tenant_ids uuid[], names text[], created_ats ${TIME}[])
    RETURNS SETOF uuid
    LANGUAGE sql VOLATILE ${DEFINER}
    AS 'INSERT INTO tenant (tenant_id, name, created_at)
      SELECT * FROM unnest(tenant_ids, names, created_ats) RETURNING tenant_id'`,
} as const;

export const ACCESS_FUNCTIONS = Object.keys(FUNCTIONS);

export class Access1763800000002 implements MigrationInterface {
  readonly name = "Access1763800000002";

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of TABLES) await runner.query(statement);
    for (const [table, privileges] of Object.entries(ACCESS_PRIVILEGES)) {
      await runner.query(`GRANT ${privileges} ON ${table} TO ${APPLICATION_ROLE}`);
    }
    for (const [signature, statement] of Object.entries(FUNCTIONS)) {
      await runner.query(statement);
      await runner.query(`REVOKE ALL ON FUNCTION ${signature} FROM PUBLIC`);
      await runner.query(`GRANT EXECUTE ON FUNCTION ${signature} TO ${APPLICATION_ROLE}`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const signature of Object.keys(FUNCTIONS)) {
      await runner.query(`DROP FUNCTION ${signature}`);
    }
    await runner.query("DROP INDEX tenant_in_creation_order");
    await runner.query("DROP TABLE api_key");
    await runner.query("DROP TYPE role");
  }
}
