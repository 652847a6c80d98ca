/**
 * Owns balances as of a future moment: what the books would show if nobody did anything (B2). What
 * falls due until then is booked by the pure code on a copy of the book, and what the copy did not
 * touch is read from the rows.
 */
import type { Book } from "../book/book.ts";
import type { Need } from "../book/need.ts";
import { refuse } from "../errors.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import type { Lot } from "../ledger/lot.ts";
import type { Instant } from "../money/time.ts";
import {
  type BalanceAnswer,
  type CurrencyBalance,
  checkCurrency,
  chooseCurrency,
} from "./balance-answer.ts";
import { sumGrants } from "./balance-sums.ts";
import type { CustomerName, CustomerReads } from "./customer-reads.ts";
import { choosesFeatures, type FeatureFilter } from "./feature-filter.ts";

/** Runs a pure function on a copy of the book on which everything due until then is booked. */
export type LookAhead = <Result>(ask: {
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly needs: readonly Need[];
  readonly until: Instant;
  readonly look: (book: Book) => Result;
}) => Promise<Result>;

/** Where others keep writing between copy and rows, the forecast is given up after so many. */
const ROUNDS_MAX = 10;

/** What a copy of the book looked like at the moment. */
interface Ahead {
  /** The sequence at which the copy was taken. */
  readonly takenAt: bigint;
  readonly balances: readonly CurrencyBalance[];
  /** All lots of the copy, changed or not; the others stand as their rows say. */
  readonly lots: readonly Lot[];
}

export interface ForecastAsk {
  readonly moment: Instant;
  readonly currency: string | null;
  readonly features: FeatureFilter | null;
}

/** Answers undefined when the moment has passed meanwhile. */
export async function forecastBalances(
  parts: { readonly customers: CustomerReads; readonly lookAhead: LookAhead },
  customer: CustomerName,
  ask: ForecastAsk,
): Promise<BalanceAnswer | undefined> {
  const { moment, currency, features } = ask;
  const { tenantId, customerId } = customer;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const look = { tenantId, customerId, needs: [], until: moment, look: aheadOf };
    const ahead = await parts.lookAhead(look);
    const outcome = await parts.customers.read(customer, async (manager, head) => {
      if (moment < head.now) return "passed";
      if (head.sequence !== ahead.takenAt) return "changed";
      await checkCurrency(manager, tenantId, currency);
      const except = ahead.lots.map((lot) => lot.id);
      const sums = await sumGrants(manager, { customerId, features, at: moment, except });
      const balances = sums.map((sum) => withAhead(sum, ahead, ask));
      const { sequence } = head;
      return { balances: chooseCurrency(balances, currency), asOf: moment, sequence };
    });
    if (outcome === "passed") return undefined;
    if (outcome !== "changed") return outcome;
  }
  throw refuse("OVERLOADED", "the customer's books changed faster than they could be forecast");
}

function aheadOf(book: Book): Ahead {
  const { journal } = book;
  return {
    takenAt: journal.sequence - BigInt(journal.posted.length),
    balances: [...journal.balances.values()].map(({ currency, credit, held }) => ({
      currency,
      pending: credit,
      held,
      upcoming: 0n,
    })),
    lots: [...book.lots.values()].filter((lot) => lot !== null).map((lot) => ({ ...lot })),
  };
}

/** Adds what the copy says to what the untouched rows sum up to. */
function withAhead(sum: CurrencyBalance, ahead: Ahead, ask: ForecastAsk): CurrencyBalance {
  const { currency } = sum;
  let { pending, held, upcoming } = sum;
  for (const lot of ahead.lots) {
    if (lot.currency !== currency || !choosesFeatures(ask.features, lot.features)) continue;
    if (lot.status === "PENDING") {
      if (lot.expiresAt === null || lot.expiresAt > ask.moment) upcoming += lot.amount;
    } else {
      pending += lot.remaining - lot.held;
      held += lot.held;
    }
  }
  if (ask.features !== null) return { currency, pending, held, upcoming };
  // Without a filter the copy's own balances are whole, and no rows were summed.
  const whole = ahead.balances.find((balance) => balance.currency === currency);
  return { currency, pending: whole?.pending ?? 0n, held: whole?.held ?? 0n, upcoming };
}
