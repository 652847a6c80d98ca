/**
 * Owns UpdateCustomer, the one RPC of CustomerService that writes to a customer's book; the others
 * write to the tenant's registry or read.
 */
import { CustomerService } from "../../gen/drawdown/v1/customer_service_pb.ts";
import { updateCustomer } from "../customer/update-customer.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { fromProtoUpdateCustomer } from "./from-proto/customer.ts";
import type { Handler } from "./method.ts";
import { toProtoCustomer } from "./to-proto/customer.ts";
import { compileWrite } from "./write.ts";

export function makeUpdateCustomer(
  pipeline: Pipeline,
): Handler<typeof CustomerService.method.updateCustomer> {
  return async (request, call) => pipeline.submit(updateCustomerWrite(request, call));
}

const updateCustomerWrite = compileWrite(CustomerService.method.updateCustomer, (request) => {
  const command = fromProtoUpdateCustomer(request);
  return {
    needs: [{ kind: "profile" }],
    verb: (book) => updateCustomer(book, command),
    answer: (profile) => ({ customer: toProtoCustomer(profile) }),
    keptIn: "request",
  };
});
