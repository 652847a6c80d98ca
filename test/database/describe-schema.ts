/**
 * Owns how a schema is written down for people: what stands in PostgreSQL's catalog, as statements
 * in an order that does not depend on when they ran. The embedded server brings no pg_dump.
 */
import pg from "pg";

const ENUMS = `SELECT format('CREATE TYPE %s AS ENUM (%s);', t.typname,
    string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)) AS line
  FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
  WHERE t.typnamespace = 'public'::regnamespace GROUP BY t.typname ORDER BY t.typname`;

const TABLES = `SELECT c.oid::integer, c.relname AS name,
    coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '') AS storage,
    CASE WHEN c.relrowsecurity THEN 'ENABLE' ELSE 'DISABLE' END AS security,
    c.relforcerowsecurity AS forced
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  ORDER BY c.relname`;

const COLUMNS = `SELECT format('  %s %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
    coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')) AS line
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

// The catalog of PostgreSQL 18 also lists NOT NULL, which stands with the column already.
const CONSTRAINTS = `SELECT format('  CONSTRAINT %s %s', conname, pg_get_constraintdef(oid)) AS line
  FROM pg_constraint WHERE conrelid = $1 AND contype <> 'n' ORDER BY contype DESC, conname`;

const INDEXES = `SELECT pg_get_indexdef(i.indexrelid) || ';' AS line
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = $1 AND NOT i.indisprimary ORDER BY c.relname`;

const POLICIES = `SELECT format('CREATE POLICY %s ON %s USING (%s) WITH CHECK (%s);', p.polname,
    p.polrelid::regclass, pg_get_expr(p.polqual, p.polrelid),
    pg_get_expr(p.polwithcheck, p.polrelid)) AS line
  FROM pg_policy p WHERE p.polrelid = $1 ORDER BY p.polname`;

const GRANTS = `SELECT format('GRANT %s ON %s TO %s;',
    string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type), c.relname,
    coalesce(nullif(g.grantee, 0)::regrole::text, 'PUBLIC')) AS line
  FROM pg_class c, aclexplode(c.relacl) g
  WHERE c.oid = $1 AND g.grantee <> c.relowner GROUP BY c.relname, g.grantee ORDER BY 1`;

const COLUMN_GRANTS = `SELECT format('GRANT %s (%s) ON %s TO %s;', g.privilege_type,
    string_agg(a.attname, ', ' ORDER BY a.attnum), c.relname, g.grantee::regrole) AS line
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) g
  WHERE c.oid = $1 GROUP BY g.privilege_type, c.relname, g.grantee ORDER BY 1`;

const FUNCTIONS = `SELECT trim(pg_get_functiondef(p.oid)) || ';' || coalesce((
    SELECT string_agg(format(E'\\nGRANT %s ON FUNCTION %s TO %s;', g.privilege_type,
      p.oid::regprocedure, coalesce(nullif(g.grantee, 0)::regrole::text, 'PUBLIC')), '' ORDER BY 1)
    FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
    WHERE g.grantee <> p.proowner), '') AS line
  FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace ORDER BY p.proname`;

/** The schema of a database as text. */
export async function describeSchema(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const lines = async (statement: string, values: readonly unknown[] = []): Promise<string[]> =>
      (await client.query(statement, [...values])).rows.map(({ line }) => line);
    const parts = [(await lines(ENUMS)).join("\n")];
    for (const { oid, name, storage, security, forced } of (await client.query(TABLES)).rows) {
      const body = [...(await lines(COLUMNS, [oid])), ...(await lines(CONSTRAINTS, [oid]))];
      parts.push(
        [
          `CREATE TABLE ${name} (\n${body.join(",\n")}\n)${storage};`,
          `ALTER TABLE ${name} ${security} ROW LEVEL SECURITY;`,
          ...(forced ? [`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY;`] : []),
          ...(await lines(POLICIES, [oid])),
          ...(await lines(GRANTS, [oid])),
          ...(await lines(COLUMN_GRANTS, [oid])),
          ...(await lines(INDEXES, [oid])),
        ].join("\n"),
      );
    }
    parts.push(...(await lines(FUNCTIONS)));
    return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
  } finally {
    await client.end();
  }
}
