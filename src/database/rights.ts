/**
 * Owns the rights of the application's role: finds those that it lacks, and gives them. Migrations
 * give them with each table; a database that was restored where the role did not exist yet has all
 * tables and none of the rights.
 */
import type { QueryRunner } from "typeorm";
import { APPLICATION_ROLE, LEDGER_FUNCTIONS, PRIVILEGES } from "./migrations/1_ledger.ts";
import { ACCESS_FUNCTIONS, ACCESS_PRIVILEGES } from "./migrations/2_access.ts";

const ON_TABLES: Readonly<Record<string, string>> = { ...PRIVILEGES, ...ACCESS_PRIVILEGES };
const FUNCTIONS: readonly string[] = [...LEDGER_FUNCTIONS, ...ACCESS_FUNCTIONS];

export const TABLES: readonly string[] = Object.keys(ON_TABLES);

/** As they are granted: `UPDATE`, or `UPDATE (revoked_at)` for a column alone. */
const RIGHTS = Object.entries(ON_TABLES).flatMap(([table, privileges]) =>
  privileges.split(", ").map((right) => {
    const [, privilege = right, column = null] = /^(\w+) \((\w+)\)$/.exec(right) ?? [];
    return { table, privilege, column };
  }),
);

const LACKING = `SELECT DISTINCT n.name FROM (
    SELECT r.name, CASE WHEN r.column_name IS NULL
      THEN has_table_privilege($1, 'public.' || r.name, r.privilege)
      ELSE has_column_privilege($1, 'public.' || r.name, r.column_name, r.privilege) END AS given
    FROM unnest($2::text[], $3::text[], $4::text[]) r(name, privilege, column_name)
    UNION ALL SELECT f.name, has_function_privilege($1, 'public.' || f.name, 'EXECUTE')
    FROM unnest($5::text[]) f(name)
  ) n WHERE NOT n.given ORDER BY n.name`;

/** What a dump that was restored without its rights leaves open to every login. */
const OPEN = `SELECT f.name FROM unnest($1::text[]) f(name)
  JOIN pg_proc p ON p.oid = to_regprocedure('public.' || f.name)
  WHERE EXISTS (
    SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')
  ORDER BY f.name`;

/** The functions that everybody may call, and nobody but the application should. */
export async function listOpen(runner: QueryRunner): Promise<readonly string[]> {
  const rows: readonly { readonly name: string }[] = await runner.query(OPEN, [FUNCTIONS]);
  return rows.map(({ name }) => name);
}

/** The tables and functions on which a role lacks a right that the application needs. */
export async function listLacking(runner: QueryRunner, role: string): Promise<readonly string[]> {
  const rows: readonly { readonly name: string }[] = await runner.query(LACKING, [
    role,
    RIGHTS.map(({ table }) => table),
    RIGHTS.map(({ privilege }) => privilege),
    RIGHTS.map(({ column }) => column),
    FUNCTIONS,
  ]);
  return rows.map(({ name }) => name);
}

/** Gives the application's role what it lacks, and takes from everybody what is not theirs. */
export async function giveRights(runner: QueryRunner): Promise<void> {
  for (const name of await listOpen(runner)) {
    await runner.query(`REVOKE ALL ON FUNCTION ${name} FROM PUBLIC`);
  }
  for (const name of await listLacking(runner, APPLICATION_ROLE)) {
    const privileges = ON_TABLES[name];
    const what =
      privileges === undefined ? `EXECUTE ON FUNCTION ${name}` : `${privileges} ON ${name}`;
    await runner.query(`GRANT ${what} TO ${APPLICATION_ROLE}`);
  }
}
