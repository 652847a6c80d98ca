/** Owns the settlement states that are reported from outside (G5). */
import type { Book } from "../book/book.ts";
import { getGrant } from "../book/guards.ts";
import { refuse } from "../errors.ts";
import type { GrantId } from "../ledger/ids.ts";
import type { SettlementStatus } from "../ledger/lot.ts";
import type { CreditGrantResult } from "./create-credit-grant.ts";
import { authorizePayment, giveUpPayment, settlePayment, voidCredit } from "./payment.ts";

/** From each state, the states that may be reported; reporting the current one changes nothing. */
export const SETTLEMENT_STEPS = {
  PENDING: ["PENDING", "AUTHORIZED", "SETTLED", "FAILED"],
  AUTHORIZED: ["AUTHORIZED", "SETTLED", "FAILED"],
  SETTLED: ["SETTLED"],
  FAILED: ["FAILED"],
} as const satisfies Record<SettlementStatus, readonly SettlementStatus[]>;

export interface UpdateExternalSettlement {
  readonly grantId: GrantId;
  readonly status: SettlementStatus;
}

export function updateExternalSettlement(
  book: Book,
  command: UpdateExternalSettlement,
): CreditGrantResult {
  const lot = getGrant(book, command.grantId);
  const terms = book.getTerms(lot.id);
  const { status: to } = command;
  const from = lot.settlementStatus;
  if (lot.fundingMethod !== "EXTERNAL" || from === null) {
    const facts = { credit_grant_id: lot.id, funding_method: lot.fundingMethod };
    const message = "only an externally funded grant has an external settlement";
    throw refuse("NOT_EXTERNALLY_FUNDED", message, facts);
  }
  const steps: readonly SettlementStatus[] = SETTLEMENT_STEPS[from];
  if (!steps.includes(to)) {
    const facts = { credit_grant_id: lot.id, from, to };
    const message = `an external settlement cannot go from ${from} to ${to}`;
    throw refuse("SETTLEMENT_TRANSITION_REFUSED", message, facts);
  }

  if (from === to) return { lot, terms };
  if (to === "AUTHORIZED") authorizePayment(book, lot);
  if (to === "SETTLED") settlePayment(book, lot);
  if (to === "FAILED") {
    giveUpPayment(book, lot);
    voidCredit(book, lot, null);
  }
  return { lot, terms };
}
