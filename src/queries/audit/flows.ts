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

type Flows = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, NumberedFlow>>>;

const flows: Flows = new Map(
  (Object.entries(FLOWS) as [TransferEvent, readonly Flow[]][]).map(([event, legal]) => [
    event,
    new Map(
      [...Map.groupBy(legal, ({ debit }) => debit)].map(([debit, same]) => [
        debit,
        new Map(
          same.map(({ credit }) => [
            credit,
            { event, debit: numberOf(debit), credit: numberOf(credit) },
          ]),
        ),
      ]),
    ),
  ]),
);

/** Finds a flow by the words of a row; undefined when it is not legal (L5). */
export function findFlow(event: string, debit: string, credit: string): NumberedFlow | undefined {
  return flows.get(event)?.get(debit)?.get(credit);
}
