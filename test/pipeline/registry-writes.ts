/** Owns the commands of a tenant as tests send them: without any protocol around them. */
import { createHash } from "node:crypto";
import type { TenantId } from "../../src/ledger/ids.ts";
import type { RegistryWrite } from "../../src/pipeline/job.ts";
import { createCustomer } from "../../src/registry/create-customer.ts";
import type { Registry, RegistryNeed } from "../../src/registry/registry.ts";
import { TENANT } from "./ledger.ts";

let requests = 0;

export interface Over {
  readonly requestId?: string;
  readonly tenantId?: TenantId;
  readonly signal?: AbortSignal;
}

/** A command whose answer, text made by the verb, is kept as it is. */
export function registryWrite(
  needs: readonly RegistryNeed[],
  verb: (registry: Registry) => string,
  over: Over & { readonly fingerprint?: string } = {},
): RegistryWrite<string, string> {
  requests += 1;
  const id = over.requestId ?? `request-${requests}`;
  return {
    tenantId: over.tenantId ?? TENANT,
    request: {
      id,
      fingerprint: createHash("sha256")
        .update(over.fingerprint ?? id)
        .digest(),
    },
    needs,
    verb,
    answer: (text) => text,
    encode: (answer) => Buffer.from(answer),
    decode: (stored) => Buffer.from(stored).toString(),
    signal: over.signal ?? new AbortController().signal,
    sizeBytes: 100,
  };
}

/** Creates a customer and answers its id. What tells two such requests apart is the key. */
export function customerWrite(key: string, over: Over & { readonly name?: string } = {}) {
  const described = { key, name: over.name ?? "", metadata: { of: key } };
  return registryWrite(
    [{ kind: "customer_key", key }],
    (registry) => createCustomer(registry, described).id,
    { ...over, fingerprint: `CreateCustomer ${key}` },
  );
}
