import { DataSource } from "typeorm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entities } from "../../src/database/entities/all.ts";
import { cloneDatabase, type TestDatabase } from "../database.ts";
import { describeSchema } from "./describe-schema.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await cloneDatabase();
});
afterAll(() => database.drop());

async function withOwner<T>(work: (owner: DataSource) => Promise<T>): Promise<T> {
  const owner = new DataSource({
    type: "postgres",
    url: database.ownerUrl,
    entities: [...entities],
    installExtensions: false,
    // The schema builder asks many things at once.
    extra: { pipeline: true },
  });
  await owner.initialize();
  try {
    return await work(owner);
  } finally {
    await owner.destroy();
  }
}

/** What TypeORM would change to make the tables fit the entities. */
const drift = (): Promise<string[]> =>
  withOwner(async (owner) => {
    const { upQueries } = await owner.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  });

const run = (statement: string): Promise<void> => withOwner((owner) => owner.query(statement));

describe("the schema", () => {
  // `npx vitest -u test/database/schema.test.ts` writes the file anew.
  test("is the one that test/database/schema.sql shows", async () => {
    await expect(await describeSchema(database.ownerUrl)).toMatchFileSnapshot("schema.sql");
  });

  test("has exactly the tables, columns, constraints and indexes of the entities", async () => {
    expect(await drift()).toEqual([]);
  });

  test.each([
    ["a column that no entity has", "ALTER TABLE charge ADD COLUMN stray text", /stray/],
    ["a column that may be empty", "ALTER TABLE transfer ALTER amount DROP NOT NULL", /amount/],
    ["a missing check", "ALTER TABLE balance DROP CONSTRAINT balance_in_range", /balance_in_range/],
    ["a missing index", "DROP INDEX transfer_by_grant", /transfer_by_grant/],
    ["an index that no entity has", "CREATE INDEX stray ON charge (number)", /stray/],
    ["another state", "ALTER TYPE capture ADD VALUE 'NEVER'", /capture/],
  ])("does not drift unseen: %s", async (_, statement, found) => {
    const before = new Set(await drift());
    await run(statement);

    const added = (await drift()).filter((query) => !before.has(query));
    expect(added.join("\n")).toMatch(found);
  });
});
