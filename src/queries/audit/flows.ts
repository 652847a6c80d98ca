/** Owns the chart of accounts in the form in which millions of transfers are replayed by it. */
import {
  ACCOUNTS,
  type Account,
  EITHER_SIGN,
  FLOWS,
  type Flow,
  type TransferEvent,
} from "../../ledger/chart.ts";

/** Accounts by number. The customer's two come first: below 2 an account is part of settled. */
export const ACCOUNT_NAMES = Object.keys(ACCOUNTS) as readonly Account[];

const numberOf = (account: Account) => ACCOUNT_NAMES.indexOf(account);

export const CUSTOMER_CREDIT = numberOf("customer_credit");
export const CUSTOMER_HELD = numberOf("customer_held");
export const RECEIVABLE_OPEN = numberOf("receivable_open");
export const ACCRUED = numberOf("accrued");
export const PROMOTION = numberOf("promotion");
export const EARNINGS = numberOf("earnings");
export const BREAKAGE = numberOf("breakage");

/** By number: whether a debit adds, and whether the account may stand below zero. */
export const IS_DEBIT_ACCOUNT: readonly boolean[] = ACCOUNT_NAMES.map(
  (account) => ACCOUNTS[account] === "debit",
);
export const MAY_BE_NEGATIVE: readonly boolean[] = ACCOUNT_NAMES.map((account) =>
  EITHER_SIGN.has(account),
);

/** Which transfers name a charge: those of a charge, and endings of what it gave back (D6, H2). */
const OF_CHARGE: ReadonlySet<TransferEvent> = new Set([
  "HELD",
  "RELEASED",
  "CONSUMED",
  "CORRECTED",
]);
const ENDINGS: ReadonlySet<TransferEvent> = new Set(["EXPIRED", "VOIDED"]);

/** What time brings about may have fallen due before it is booked (L3, M6). */
const MAY_FALL_DUE: ReadonlySet<TransferEvent> = new Set([
  "FUNDED",
  "EXPIRED",
  "RELEASED",
  "VOIDED",
]);

/** A legal flow with its accounts by number, and what is asked of its transfers. */
export interface NumberedFlow {
  readonly event: TransferEvent;
  readonly debit: number;
  readonly credit: number;
  /** Whether it adds to or takes from what the customer has. Between held and free it does both. */
  readonly gains: boolean;
  readonly loses: boolean;
  readonly namesCharge: "always" | "after_return" | "never";
  readonly mayFallDue: boolean;
  /** Whether a charge gives credit back to its grant, where it may end at once. */
  readonly givesBack: boolean;
  /** Whether it books a payment fact, which is of the grant's whole amount. */
  readonly isPayment: boolean;
}

function numberFlow(event: TransferEvent, { debit, credit }: Flow): NumberedFlow {
  const [from, to] = [numberOf(debit), numberOf(credit)];
  return {
    event,
    debit: from,
    credit: to,
    gains: to <= CUSTOMER_HELD,
    loses: from <= CUSTOMER_HELD,
    namesCharge: OF_CHARGE.has(event) ? "always" : ENDINGS.has(event) ? "after_return" : "never",
    mayFallDue: MAY_FALL_DUE.has(event),
    givesBack: event === "RELEASED" || event === "CORRECTED",
    isPayment: debit === "receivable_authorized" || credit === "receivable_authorized",
  };
}

const flows: ReadonlyMap<string, NumberedFlow> = new Map(
  (Object.entries(FLOWS) as [TransferEvent, readonly Flow[]][]).flatMap(([event, legal]) =>
    legal.map((flow): [string, NumberedFlow] => [
      `${event} ${flow.debit} ${flow.credit}`,
      numberFlow(event, flow),
    ]),
  ),
);

/** Finds a flow by its event and accounts, with blanks between them; illegal ones are not there. */
export function findFlow(words: string): NumberedFlow | undefined {
  return flows.get(words);
}
