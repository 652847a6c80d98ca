/** Owns the canceling of an open charge by request (D5, D9). */
import type { Book } from "../book/book.ts";
import { getCharge } from "../book/guards.ts";
import type { Charge } from "../book/nouns.ts";
import type { ChargeId } from "../ledger/ids.ts";
import { moveOfCharge } from "./moves.ts";
import { cancelOpenCharge, requireLots } from "./release-holds.ts";

export interface CancelCharge {
  readonly chargeId: ChargeId;
}

export function cancelCharge(book: Book, command: CancelCharge): Charge {
  const charge = getCharge(book, command.chargeId);
  if (moveOfCharge(charge, "cancel") === "repeat") return charge;
  requireLots(book, charge);

  cancelOpenCharge(book, charge);
  return charge;
}
