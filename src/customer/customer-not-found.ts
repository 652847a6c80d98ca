/** Owns what is said of a customer who does not exist, or whom the caller may not know of (R8). */
import { type Refusal, refuse } from "../errors.ts";
import type { CustomerId } from "../ledger/ids.ts";

export function customerNotFound(customerId: CustomerId): Refusal {
  const facts = { customer_id: customerId };
  return refuse("CUSTOMER_NOT_FOUND", "there is no such customer", facts);
}

/** The same where the customer was named by key. */
export function customerKeyNotFound(key: string): Refusal {
  return refuse("CUSTOMER_NOT_FOUND", "there is no such customer", { key });
}
