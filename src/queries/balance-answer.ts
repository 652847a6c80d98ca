/** Owns the answer to the question how much credit a customer has (B1, B4). */
import type { EntityManager } from "typeorm";
import { refuse } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import type { Amount } from "../money/amount.ts";
import { type CurrencyCode, isoCurrency } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import { selectRows } from "./statement.ts";

/** How much credit a customer has in one currency (B1). */
export interface CurrencyBalance {
  readonly currency: CurrencyCode;
  /** What can still be spent. */
  readonly pending: Amount;
  /** What open charges hold. Settled is pending and held together. */
  readonly held: Amount;
  /** What is granted and not available yet; part of neither. */
  readonly upcoming: Amount;
}

export interface BalanceAnswer {
  /** One balance per currency, by code. */
  readonly balances: readonly CurrencyBalance[];
  readonly asOf: Instant;
  /** The last sequence that the balances include. */
  readonly sequence: bigint;
}

/**
 * The balances that were asked for: all that the customer uses, or the one of a currency, zeros
 * when it is not used (B4). They come out by code, which sorts alike everywhere.
 */
export function chooseCurrency(
  balances: readonly CurrencyBalance[],
  currency: CurrencyCode | null,
): readonly CurrencyBalance[] {
  if (currency === null) {
    return balances.toSorted((left, right) => (left.currency < right.currency ? -1 : 1));
  }
  const found = balances.find((balance) => balance.currency === currency);
  return [found ?? { currency, pending: 0n, held: 0n, upcoming: 0n }];
}

const CURRENCY = "SELECT FROM currency c WHERE c.tenant_id = $1 AND c.code = $2";

/** Refuses a currency that is neither one of ISO 4217 nor the tenant's own. */
export async function checkCurrency(
  manager: EntityManager,
  tenantId: TenantId,
  currency: CurrencyCode | null,
): Promise<void> {
  if (currency === null || isoCurrency(currency) !== undefined) return;
  const found = await selectRows(manager, CURRENCY, [tenantId, currency]);
  if (found.length > 0) return;
  throw refuse("CURRENCY_NOT_FOUND", `there is no currency ${currency}`, { currency });
}
