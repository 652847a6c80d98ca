/** Owns how ids and other texts that may be left out become values of the domain. */
import type { CustomerId } from "../../ledger/ids.ts";
import type { CustomerName } from "../../queries/customer-reads.ts";
import type { Call } from "../method.ts";

/** Ids are kept in small letters; a UUID may be written in capitals and is the same. */
export function fromProtoId<Id extends string>(text: string): Id {
  return text.toLowerCase() as Id;
}

/** The customer that a request of this call is about. */
export function fromProtoCustomerName(
  request: { readonly customerId: string },
  { tenantId }: Call,
): CustomerName {
  return { tenantId, customerId: fromProtoId<CustomerId>(request.customerId) };
}

/** A string that is empty when it is not set. */
export function fromProtoOptional(text: string): string | null {
  return text === "" ? null : text;
}
