/**
 * Owns balances as of a future moment: what the books would show if nobody did anything (B2). What
 * falls due until then is booked by the pure code on a copy of the book, and what the copy did not
 * touch is read from the rows, in the same snapshot.
 */
import type { EntityManager } from "typeorm";
import type { Book } from "../book/book.ts";
import type { Need } from "../book/need.ts";
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
import { type BookDue, type CustomerName, DUE_ROUNDS_MAX, isDue } from "./customer-reads.ts";
import { choosesFeatures, type FeatureFilter } from "./feature-filter.ts";

/** Looks at a copy of the book on which everything due until then is booked. */
export type LookAhead = <Result>(ask: {
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly needs: readonly Need[];
  readonly until: Instant;
  readonly look: (book: Book, snapshot: Snapshot) => Result | Promise<Result>;
}) => Promise<Result>;

/** What the copy was taken of. */
interface Snapshot {
  readonly manager: EntityManager;
  readonly sequence: bigint;
  readonly nextDueAt: Instant | null;
  readonly now: Instant;
}

/** What the copy of the book looks like at the moment. */
interface Ahead {
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
  parts: { readonly bookDue: BookDue; readonly lookAhead: LookAhead },
  customer: CustomerName,
  ask: ForecastAsk,
): Promise<BalanceAnswer | undefined> {
  const { tenantId, customerId } = customer;
  for (let round = 0; ; round += 1) {
    const outcome = await parts.lookAhead({
      tenantId,
      customerId,
      needs: [],
      until: ask.moment,
      look: async (book, snapshot) => {
        if (isDue(snapshot) && round < DUE_ROUNDS_MAX) return "due";
        if (ask.moment < snapshot.now) return "passed";
        return answerOf(customer, ask, aheadOf(book), snapshot);
      },
    });
    if (outcome === "passed") return undefined;
    if (outcome !== "due") return outcome;
    await parts.bookDue(tenantId, customerId);
  }
}

async function answerOf(
  { tenantId, customerId }: CustomerName,
  ask: ForecastAsk,
  ahead: Ahead,
  { manager, sequence }: Snapshot,
): Promise<BalanceAnswer> {
  const { moment, currency, features } = ask;
  await checkCurrency(manager, tenantId, currency);
  const except = ahead.lots.map((lot) => lot.id);
  const sums = await sumGrants(manager, { customerId, features, at: moment, except });
  const balances = sums.map((sum) => withAhead(sum, ahead, ask));
  return { balances: chooseCurrency(balances, currency), asOf: moment, sequence };
}

function aheadOf(book: Book): Ahead {
  const { journal } = book;
  return {
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
