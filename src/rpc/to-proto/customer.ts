/** Owns how a customer becomes a message of the contract. */
import type { Customer } from "../../../gen/drawdown/v1/customer_pb.ts";
import type { CustomerProfile } from "../../book/nouns.ts";
import { toProtoTimestamp } from "./timestamp.ts";

/** Makes the message as a literal, so that the compiler refuses a field that was forgotten. */
export function toProtoCustomer(profile: CustomerProfile): Customer {
  return {
    $typeName: "drawdown.v1.Customer",
    id: profile.id,
    key: profile.key,
    name: profile.name,
    metadata: profile.metadata,
    createdAt: toProtoTimestamp(profile.createdAt),
  };
}
