/** Owns who a read is about: the customer of the request, and only as the caller's tenant knows it. */
import type { CustomerName } from "../queries/customer-reads.ts";
import { fromProtoId } from "./from-proto/id.ts";
import type { Call } from "./method.ts";

export function customerOf(
  request: { readonly customerId: string },
  { tenantId }: Call,
): CustomerName {
  return { tenantId, customerId: fromProtoId(request.customerId) };
}
