/** Owns what a caller is told who is bound to one customer and asks for another (R8). */
import { customerNotFound } from "../customer/customer-not-found.ts";
import type { CustomerId } from "../ledger/ids.ts";
import { fromProtoId } from "./from-proto/id.ts";
import type { Call } from "./method.ts";

/** Answers any other customer as one that does not exist. */
export function checkOwnCustomer({ customerId }: Pick<Call, "customerId">, named: string): void {
  if (customerId === null) return;
  const id = fromProtoId<CustomerId>(named);
  if (id !== customerId) throw customerNotFound(id);
}
