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

/** By number: whether a debit adds, and whether the account may stand below zero. */
export const IS_DEBIT_ACCOUNT: readonly boolean[] = ACCOUNT_NAMES.map(
  (account) => ACCOUNTS[account] === "debit",
);
export const MAY_BE_NEGATIVE: readonly boolean[] = ACCOUNT_NAMES.map((account) =>
  EITHER_SIGN.has(account),
);

/** A legal flow with its accounts by number. */
export interface NumberedFlow {
  readonly event: TransferEvent;
  readonly debit: number;
  readonly credit: number;
}

const flows: ReadonlyMap<string, NumberedFlow> = new Map(
  (Object.entries(FLOWS) as [TransferEvent, readonly Flow[]][]).flatMap(([event, legal]) =>
    legal.map(({ debit, credit }): [string, NumberedFlow] => [
      `${event} ${debit} ${credit}`,
      { event, debit: numberOf(debit), credit: numberOf(credit) },
    ]),
  ),
);

/** Finds a flow by its event and accounts, with blanks between them; illegal ones are not there. */
export function findFlow(words: string): NumberedFlow | undefined {
  return flows.get(words);
}
