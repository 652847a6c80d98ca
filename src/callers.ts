/** Owns how callers are recognized: which kinds of credentials there are, and what each needs. */
import type { Database } from "./database/data-source.ts";
import { DEFAULT_TENANT_ID } from "./database/migrations/1_ledger.ts";
import type { TenantId } from "./ledger/ids.ts";
import { recordApiKeyUse } from "./pipeline/api-key-use.ts";
import { findApiKeys } from "./queries/api-keys.ts";
import { ApiKeys } from "./server/api-keys.ts";
import { type Authenticate, authenticateBy, recognizeAdminKey } from "./server/authentication.ts";

export interface Callers {
  readonly authenticate: Authenticate;
  /** Nothing in the background is done any more. */
  close(): void;
}

/** `report` is told of what goes wrong in the background; the service goes on. */
export function recognizeCallers(parts: {
  readonly connections: Pick<Database, "reads" | "writes">;
  readonly adminKey: string;
  readonly report: (error: unknown) => void;
}): Callers {
  const { adminKey, report } = parts;
  const { reads, writes } = parts.connections;
  const store = {
    find: (prefixes: readonly string[]) => findApiKeys(reads, prefixes),
    recordUse: recordApiKeyUse.bind(undefined, writes),
  };
  const apiKeys = new ApiKeys(store, report);
  const admin = recognizeAdminKey(adminKey, DEFAULT_TENANT_ID as TenantId);
  return {
    authenticate: authenticateBy(apiKeys.recognize, admin),
    close: () => apiKeys.close(),
  };
}
