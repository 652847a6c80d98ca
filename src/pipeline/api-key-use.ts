/** Owns recording that API keys were used: of no book and no registry, it takes no lane. */
import type { DataSource } from "typeorm";
import { withConnection } from "../database/connection.ts";
import type { ApiKeyId } from "../ledger/ids.ts";

const RECORD_USE = "SELECT record_api_key_use($1)";

/** The database leaves out those whose use it was told of less than a minute ago. */
export async function recordApiKeyUse(writes: DataSource, ids: readonly ApiKeyId[]): Promise<void> {
  await withConnection(writes, ({ client }) => client.query(RECORD_USE, [ids]));
}
