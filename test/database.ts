/**
 * Owns the databases of the test files: each test file clones the migrated template and has the
 * clone for itself.
 */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { TEMPLATE, withDatabase } from "./database-url.ts";

export interface TestDatabase {
  readonly name: string;
  readonly superuserUrl: string;
  readonly ownerUrl: string;
  readonly appUrl: string;
  /** Removes the clone, cutting connections that a test forgot to close. */
  drop(): Promise<void>;
}

/** Clones the migrated template. Call it in `beforeAll`, and `drop` in `afterAll`. */
export async function cloneDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  await runAsSuperuser(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} OWNER drawdown_owner`);
  return {
    name,
    superuserUrl: withDatabase(inject("superuserUrl"), name),
    ownerUrl: withDatabase(inject("ownerUrl"), name),
    appUrl: withDatabase(inject("appUrl"), name),
    drop: () => runAsSuperuser(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function runAsSuperuser(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject("superuserUrl") });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
