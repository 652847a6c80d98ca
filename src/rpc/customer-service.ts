/** Owns the RPCs of CustomerService: convert, call, convert. */
import {
  CustomerService,
  type GetCustomerRequest,
} from "../../gen/drawdown/v1/customer_service_pb.ts";
import type { CustomerProfile } from "../book/nouns.ts";
import { assert } from "../errors.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { getCustomer, getCustomerByKey, listCustomers } from "../queries/customers.ts";
import type { TenantReads } from "../queries/tenant-reads.ts";
import { createCustomer } from "../registry/create-customer.ts";
import { fromProtoId } from "./from-proto/id.ts";
import { fromProtoPage } from "./from-proto/page.ts";
import { type ImplementedService, implement } from "./method.ts";
import { compileRegistryWrite } from "./registry-write.ts";
import { toProtoCustomer } from "./to-proto/customer.ts";
import { makeUpdateCustomer } from "./update-customer.ts";

export function makeCustomerService(parts: {
  readonly pipeline: Pipeline;
  readonly reads: TenantReads;
}): ImplementedService {
  const { pipeline, reads } = parts;
  return implement(CustomerService, {
    createCustomer: async (request, call) =>
      pipeline.submitToRegistry(createCustomerWrite(request, call)),
    getCustomer: async (request, { tenantId }) => ({
      customer: toProtoCustomer(await getNamed(reads, tenantId, request)),
    }),
    listCustomers: async (request, { tenantId }) => {
      const page = await listCustomers(reads, tenantId, fromProtoPage(request));
      return { customers: page.items.map(toProtoCustomer), nextPageToken: page.nextToken };
    },
    updateCustomer: makeUpdateCustomer(pipeline),
  });
}

const createCustomerWrite = compileRegistryWrite(
  CustomerService.method.createCustomer,
  ({ key, name, metadata }) => ({
    needs: [{ kind: "customer_key", key }],
    verb: (registry) => createCustomer(registry, { key, name, metadata }),
    answer: (profile) => ({ customer: toProtoCustomer(profile) }),
  }),
);

function getNamed(
  reads: TenantReads,
  tenantId: TenantId,
  { customer }: GetCustomerRequest,
): Promise<CustomerProfile> {
  if (customer.case === "key") return getCustomerByKey(reads, tenantId, customer.value);
  assert(customer.case === "customerId", "validation lets no request through that names nobody");
  return getCustomer(reads, tenantId, fromProtoId<CustomerId>(customer.value));
}
