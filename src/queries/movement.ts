/** Owns the movement: a transfer that changes the settled balance, as the customer sees it (H1). */
import type { Metadata } from "../book/nouns.ts";
import { type CustomerId, makeId } from "../ledger/ids.ts";
import type { Transfer } from "../ledger/transfer.ts";

/** What a movement shows of its transfer. */
export type MovedTransfer = Omit<
  Transfer,
  "pendingAfter" | "grantRemainingAfter" | "grantHeldAfter"
>;

export interface Movement {
  readonly transfer: MovedTransfer;
  /** The grant's, the charge's or the note's own, by the event of the transfer (H2). */
  readonly description: string;
  readonly metadata: Metadata;
}

declare const movementIdBrand: unique symbol;

/** A UUIDv7 like all ids, with the customer's sequence as its counter. */
export type MovementId = string & { readonly [movementIdBrand]: "movement" };

/**
 * The id of a movement. The journal does not store one: moment, sequence and customer are in the
 * row already and are as unique, so a charge does not pay for sixteen more bytes per draw.
 * The customer's bits are turned over, so that no movement has the very id of its customer.
 */
export function movementId(customerId: CustomerId, transfer: MovedTransfer): MovementId {
  const customerBits = ~Number.parseInt(customerId.slice(-8), 16);
  return makeId(transfer.createdAt, transfer.sequence, customerBits) as string as MovementId;
}
