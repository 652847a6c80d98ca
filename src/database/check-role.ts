/**
 * Owns the check, before anything is served, that the database itself will hold the service to its
 * promises: the role is bound by row-level security and cannot change a transfer (L2).
 */
import type { DataSource } from "typeorm";
import { listLacking, listOpen, TABLES } from "./rights.ts";

/** What keeps the service from starting on this database, one sentence a line. */
export class RoleError extends Error {
  override readonly name = "RoleError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The database cannot be used:\n${problems.map((each) => `  ${each}`).join("\n")}`);
    this.problems = problems;
  }
}

const APPEND_ONLY = ["transfer", "movement_note", "request", "tenant_request"] as const;

const ROLE = `SELECT current_user AS name, r.rolsuper, r.rolbypassrls
  FROM pg_roles r WHERE r.rolname = current_user`;

const MISSING = `SELECT t.name FROM unnest($1::text[]) t(name)
  WHERE to_regclass('public.' || t.name) IS NULL`;

// Who belongs to the role that owns a table is exempt from its row-level security like the owner.
const OWNED = `SELECT c.relname AS name FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND pg_has_role(c.relowner, 'USAGE') ORDER BY 1`;

const UNPROTECTED = `SELECT t.name FROM unnest($1::text[]) t(name)
  WHERE NOT row_security_active(to_regclass('public.' || t.name)) ORDER BY 1`;

const CHANGEABLE = `SELECT t.name, p.privilege
  FROM unnest($1::text[]) t(name), unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) p(privilege)
  WHERE has_table_privilege('public.' || t.name, p.privilege)
    OR p.privilege = 'UPDATE' AND has_any_column_privilege('public.' || t.name, 'UPDATE')
  ORDER BY 1, 2`;

/** Whether the database answers, and has the tables of this version. */
export async function isMigrated(pool: DataSource): Promise<boolean> {
  return (await pool.query(MISSING, [TABLES])).length === 0;
}

/** Throws a RoleError that names everything that is wrong with the role or the schema. */
export async function checkRole(pool: DataSource): Promise<void> {
  const runner = pool.createQueryRunner();
  try {
    const named = async (statement: string): Promise<string[]> => {
      const rows = await runner.query(statement, statement.includes("$1") ? [TABLES] : []);
      return rows.map(({ name }: { name: string }) => name);
    };
    const [role] = await runner.query(ROLE);
    const missing = await named(MISSING);
    if (missing.length > 0) {
      throw new RoleError([
        `It has no table ${missing.join(", ")}: run \`drawdown migrate\` with ` +
          "DRAWDOWN_OWNER_DATABASE_URL.",
      ]);
    }

    const owned = await named(OWNED);
    const problems: string[] = [];
    const say = (what: string) => problems.push(`The role ${role.name} ${what}.`);
    if (role.rolsuper) {
      // Nothing binds a superuser: all that follows would be said too, and tell no more.
      say("is a superuser");
      throw new RoleError(problems);
    }
    if (role.rolbypassrls) say("bypasses row-level security");
    if (owned.length > 0) say(`owns or belongs to the owner of ${owned.join(", ")}`);
    const unprotected = await named(UNPROTECTED);
    if (unprotected.length > 0)
      say(`is not bound by row-level security on ${unprotected.join(", ")}`);
    for (const { name, privilege } of await runner.query(CHANGEABLE, [APPEND_ONLY])) {
      say(`may ${privilege} ${name}`);
    }
    const lacking = await listLacking(runner, role.name);
    if (lacking.length > 0) {
      say(
        `lacks rights on ${lacking.join(", ")}: run \`drawdown migrate\` with ` +
          "DRAWDOWN_OWNER_DATABASE_URL",
      );
    }
    const open = await listOpen(runner);
    if (open.length > 0) {
      problems.push(`Everybody may call ${open.join(", ")}: run \`drawdown migrate\`.`);
    }
    if (problems.length > 0) throw new RoleError(problems);
  } finally {
    await runner.release();
  }
}
