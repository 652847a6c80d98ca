/** Owns the watching of balances: what they are now, and again whenever they have changed. */
import type { CurrencyCode } from "../money/currency.ts";
import type { BalanceAnswer, CurrencyBalance } from "./balance-answer.ts";
import type { Balances } from "./balances.ts";
import type { CustomerName } from "./customer-reads.ts";
import type { CustomerWatch } from "./customer-watch.ts";
import type { FeatureFilter } from "./feature-filter.ts";

/**
 * Some changes of what is upcoming make no transfer and are another process's: credit that is
 * granted for later, given up, or that waited longer than to its expiry. They are seen this late.
 */
const REREAD_INTERVAL_MS = 5_000;

export interface WatchAsk {
  readonly currency: CurrencyCode | null;
  readonly features: FeatureFilter | null;
}

/** Ends by throwing the signal's reason. Nothing is held while the reader takes its time. */
export async function* watchBalances(
  parts: { readonly balances: Balances; readonly watch: CustomerWatch },
  customer: CustomerName,
  ask: WatchAsk,
  signal: AbortSignal,
): AsyncGenerator<BalanceAnswer, void, undefined> {
  const watcher = parts.watch.open(customer.customerId);
  try {
    let last: BalanceAnswer | undefined;
    for (;;) {
      signal.throwIfAborted();
      const answer = await parts.balances.get(customer, { ...ask, asOf: null });
      watcher.seen = answer.sequence;
      if (last === undefined || differs(last, answer)) yield answer;
      last = answer;
      await watcher.wait(REREAD_INTERVAL_MS, signal);
    }
  } finally {
    watcher.close();
  }
}

/** The moment alone is no change. */
function differs(left: BalanceAnswer, right: BalanceAnswer): boolean {
  if (left.sequence !== right.sequence) return true;
  if (left.balances.length !== right.balances.length) return true;
  return left.balances.some((balance, index) => !isSame(balance, right.balances[index]));
}

function isSame(left: CurrencyBalance, right: CurrencyBalance | undefined): boolean {
  return (
    left.currency === right?.currency &&
    left.pending === right.pending &&
    left.held === right.held &&
    left.upcoming === right.upcoming
  );
}
