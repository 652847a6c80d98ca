/** Owns how callers are recognized: which kinds of credentials there are, and what each needs. */
import { ConfigError } from "./config.ts";
import type { WebTokenConfig } from "./config-web-tokens.ts";
import type { Database } from "./database/data-source.ts";
import { DEFAULT_TENANT_ID } from "./database/migrations/1_ledger.ts";
import type { TenantId } from "./ledger/ids.ts";
import { recordApiKeyUse } from "./pipeline/api-key-use.ts";
import { findApiKeys } from "./queries/api-keys.ts";
import { tenantExists } from "./queries/tenants.ts";
import { ApiKeys } from "./server/api-keys.ts";
import { type Authenticate, authenticateBy, recognizeAdminKey } from "./server/authentication.ts";
import { openKeySet } from "./server/key-set.ts";
import { type WebTokenParts, WebTokens } from "./server/web-tokens.ts";

export interface Callers {
  readonly authenticate: Authenticate;
  /** Nothing in the background is done any more. */
  close(): void;
}

/** `report` is told of what goes wrong in the background; the service goes on. */
export async function recognizeCallers(parts: {
  readonly connections: Pick<Database, "reads" | "writes">;
  readonly adminKey: string;
  readonly config: WebTokenConfig;
  readonly report: (error: unknown) => void;
}): Promise<Callers> {
  const { adminKey, config, report } = parts;
  const { reads, writes } = parts.connections;
  const store = {
    find: (prefixes: readonly string[]) => findApiKeys(reads, prefixes),
    recordUse: recordApiKeyUse.bind(undefined, writes),
  };
  const apiKeys = new ApiKeys(store, report);
  const webTokens = await openWebTokens(config, {
    tenantExists: (tenantId) => tenantExists(reads, tenantId),
    report,
  });
  const admin = recognizeAdminKey(adminKey, DEFAULT_TENANT_ID as TenantId);
  return {
    authenticate: authenticateBy(
      apiKeys.recognize,
      admin,
      ...(webTokens === undefined ? [] : [webTokens.recognize]),
    ),
    close() {
      apiKeys.close();
      webTokens?.close();
    },
  };
}

/** Undefined where no tokens are accepted: then issuer, audience and keys are all missing. */
async function openWebTokens(
  config: WebTokenConfig,
  parts: Pick<WebTokenParts, "tenantExists" | "report">,
): Promise<WebTokens | undefined> {
  const { jwtIssuer: issuer, jwtAudience: audience, jwtKeySet: source } = config;
  if (issuer === undefined || audience === undefined || source === undefined) return undefined;
  const rules = {
    issuer,
    audience,
    algorithms: config.jwtAlgorithms,
    clockToleranceS: config.jwtClockToleranceS,
    tenantClaim: config.jwtTenantClaim,
    roleClaim: config.jwtRoleClaim,
    customerClaim: config.jwtCustomerClaim,
  };
  const keySet = await openKeySet(source, parts.report).catch((error: Error) => {
    throw new ConfigError([`DRAWDOWN_JWT_JWKS cannot be used: ${error.message}`]);
  });
  return new WebTokens({ ...parts, rules, keySet });
}
