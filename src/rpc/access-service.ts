/**
 * Owns the RPCs of AccessService: convert, call, convert. They are the operator's, so what they are
 * about is not the tenant of the call but the one that the request names.
 */
import { AccessService } from "../../gen/drawdown/v1/access_service_pb.ts";
import type { ApiKeyId, TenantId } from "../ledger/ids.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { AccessReads } from "../queries/access-reads.ts";
import { createApiKey } from "../registry/create-api-key.ts";
import { createTenant } from "../registry/create-tenant.ts";
import { revokeApiKey } from "../registry/revoke-api-key.ts";
import { fromProtoCreateApiKey } from "./from-proto/access.ts";
import { fromProtoId } from "./from-proto/id.ts";
import { fromProtoPage } from "./from-proto/page.ts";
import { type ImplementedService, implement } from "./method.ts";
import { compileRegistryWrite } from "./registry-write.ts";
import { type MadeSecret, makeSecret } from "./secret.ts";
import { toProtoApiKey, toProtoTenant } from "./to-proto/access.ts";

export function makeAccessService(parts: {
  readonly pipeline: Pipeline;
  readonly reads: AccessReads;
}): ImplementedService {
  const { pipeline, reads } = parts;
  return implement(AccessService, {
    createTenant: async (request, call) =>
      pipeline.submitToRegistry(createTenantWrite(request, call)),
    listTenants: async (request) => {
      const page = await reads.listTenants(fromProtoPage(request));
      return { tenants: page.items.map(toProtoTenant), nextPageToken: page.nextToken };
    },
    createApiKey: async (request, call) => {
      const made = makeSecret();
      const write = createApiKeyWrite(request, call, made);
      const tenantId = fromProtoId<TenantId>(request.tenantId);
      const { apiKey } = await pipeline.submitToRegistry({ ...write, tenantId });
      // A replay answers the API key that was made first, to which another secret belongs.
      const isFirst = apiKey?.prefix === made.prefix;
      return { apiKey, secret: isFirst ? made.secret : "" };
    },
    listApiKeys: async (request) => {
      const tenantId = fromProtoId<TenantId>(request.tenantId);
      const page = await reads.listApiKeys(tenantId, fromProtoPage(request));
      const apiKeys = page.items.map((apiKey) => toProtoApiKey(tenantId, apiKey));
      return { apiKeys, nextPageToken: page.nextToken };
    },
    revokeApiKey: async (request, call) => {
      const tenantId = await reads.getTenantOfApiKey(fromProtoId(request.apiKeyId));
      const write = revokeApiKeyWrite(request, call, tenantId);
      return pipeline.submitToRegistry({ ...write, tenantId });
    },
  });
}

const createTenantWrite = compileRegistryWrite(AccessService.method.createTenant, ({ name }) => ({
  needs: [{ kind: "tenant_count" }],
  verb: (registry) => createTenant(registry, { name }),
  answer: (tenant) => ({ tenant: toProtoTenant(tenant) }),
}));

/** What is answered and kept from here has no secret in it: that never leaves the handler. */
const createApiKeyWrite = compileRegistryWrite(
  AccessService.method.createApiKey,
  (request, made: MadeSecret) => {
    const command = fromProtoCreateApiKey(request, made);
    const tenantId = fromProtoId<TenantId>(request.tenantId);
    return {
      ...(command.customerId !== null && { customerId: command.customerId }),
      needs: [{ kind: "api_key_count" }],
      verb: (registry) => createApiKey(registry, command),
      answer: (apiKey) => ({ apiKey: toProtoApiKey(tenantId, apiKey) }),
    };
  },
);

const revokeApiKeyWrite = compileRegistryWrite(
  AccessService.method.revokeApiKey,
  (request, tenantId: TenantId) => {
    const id = fromProtoId<ApiKeyId>(request.apiKeyId);
    return {
      needs: [{ kind: "api_key", id }],
      verb: (registry) => revokeApiKey(registry, { id }),
      answer: (apiKey) => ({ apiKey: toProtoApiKey(tenantId, apiKey) }),
    };
  },
);
