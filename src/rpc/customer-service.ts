/** Owns the RPCs of CustomerService: convert, call, convert. */
import {
  CustomerService,
  type GetCustomerRequest,
} from "../../gen/drawdown/v1/customer_service_pb.ts";
import type { CustomerProfile } from "../book/nouns.ts";
import { customerKeyNotFound } from "../customer/customer-not-found.ts";
import { assert } from "../errors.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { getCustomer, getCustomerByKey, listCustomers } from "../queries/customers.ts";
import type { TenantReads } from "../queries/tenant-reads.ts";
import { createCustomer } from "../registry/create-customer.ts";
import { fromProtoId } from "./from-proto/id.ts";
import { fromProtoOrderedPage } from "./from-proto/page.ts";
import { type Call, type ImplementedService, implement } from "./method.ts";
import { checkOwnCustomer } from "./own-customer.ts";
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
    getCustomer: async (request, call) => ({
      customer: toProtoCustomer(await getNamed(reads, call, request)),
    }),
    listCustomers: async (request, call) => {
      const page = await listCustomers(reads, call, fromProtoOrderedPage(request));
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

async function getNamed(
  reads: TenantReads,
  call: Call,
  { customer }: GetCustomerRequest,
): Promise<CustomerProfile> {
  const { tenantId } = call;
  if (customer.case === "key") {
    const found = await getCustomerByKey(reads, tenantId, customer.value);
    const isOthers = call.customerId !== null && call.customerId !== found.id;
    if (isOthers) throw customerKeyNotFound(customer.value);
    return found;
  }
  assert(customer.case === "customerId", "validation lets no request through that names nobody");
  checkOwnCustomer(call, customer.value);
  return getCustomer(reads, tenantId, fromProtoId<CustomerId>(customer.value));
}
