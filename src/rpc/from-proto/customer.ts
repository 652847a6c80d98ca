/** Owns how requests about customers become commands. */
import type { UpdateCustomerRequest } from "../../../gen/drawdown/v1/customer_service_pb.ts";
import type { UpdateCustomer } from "../../customer/update-customer.ts";

/**
 * A mask says which fields are replaced, also by nothing. Without one, or with an empty one, those
 * that are set are replaced (AIP-134). The declared rules let only these two paths through.
 */
export function fromProtoUpdateCustomer(request: UpdateCustomerRequest): UpdateCustomer {
  const { name, metadata } = request;
  const paths = request.updateMask?.paths ?? [];
  const masked = paths.length > 0;
  const replacesName = masked ? paths.includes("name") : name !== "";
  const replacesMetadata = masked ? paths.includes("metadata") : Object.keys(metadata).length > 0;
  return {
    name: replacesName ? name : null,
    metadata: replacesMetadata ? metadata : null,
  };
}
