/**
 * Owns the question whether a caller may make a call. Which role each call needs and how it answers
 * a caller that is bound to one customer stand in the contract; a call that does not say so does
 * not let the service start.
 */
import {
  type DescMethod,
  getOption,
  hasOption,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import {
  CustomerScope,
  customer_scope as customerScope,
  required_role as requiredRole,
} from "../../gen/drawdown/v1/authorization_pb.ts";
import { refuse } from "../errors.ts";
import { includesRole } from "../registry/api-key.ts";
import { fromProtoRole } from "../rpc/from-proto/access.ts";
import { checkOwnCustomer } from "../rpc/own-customer.ts";
import type { Principal } from "./credential.ts";

export interface Authorization {
  /** Checks what does not depend on the request, before it is read. Throws what to answer. */
  check(principal: Principal): void;
  /** Checks the customer that a well-formed request names. Throws what to answer. */
  checkRequest(principal: Principal, request: Message): void;
}

export function compileAuthorization(method: DescMethod): Authorization {
  const name = `${method.parent.typeName}/${method.name}`;
  if (!hasOption(method, requiredRole)) throw new Error(`${name} does not say which role it needs`);
  const needed = fromProtoRole(getOption(method, requiredRole));
  const scope = getOption(method, customerScope);
  const field = method.input.fields.find((each) => each.name === "customer_id");
  const namesCustomer = scope === CustomerScope.UNSPECIFIED;
  if (namesCustomer && field?.scalar !== ScalarType.STRING) {
    throw new Error(`${name} names no customer and does not say whose it is`);
  }
  const isOfTenant = scope === CustomerScope.TENANT;
  return {
    check({ role, customerId }) {
      const isLesser = !includesRole(role, needed);
      const isTooFar = isOfTenant && customerId !== null;
      if (!isLesser && !isTooFar) return;
      const facts = { ...(isLesser && { role: needed }), ...(isTooFar && { scope: "tenant" }) };
      throw refuse("PERMISSION_DENIED", "The API key does not allow this call.", facts);
    },
    checkRequest({ customerId }, request) {
      if (customerId === null || !namesCustomer) return;
      const { customerId: named } = request as Message & { readonly customerId: string };
      if (named === "") {
        const message = "The API key is bound to one customer, and the request names none.";
        throw refuse("PERMISSION_DENIED", message, { scope: "tenant" });
      }
      checkOwnCustomer({ customerId }, named);
    },
  };
}
