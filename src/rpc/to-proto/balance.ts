/** Owns how balances become messages of the contract (B1). */
import type { Balance } from "../../../gen/drawdown/v1/balance_pb.ts";
import { formatAmount } from "../../money/amount.ts";
import type { BalanceAnswer, CurrencyBalance } from "../../queries/balance-answer.ts";
import { toProtoTimestamp } from "./timestamp.ts";

export function toProtoBalance({ currency, pending, held, upcoming }: CurrencyBalance): Balance {
  return {
    $typeName: "drawdown.v1.Balance",
    currency,
    settled: formatAmount(pending + held),
    pending: formatAmount(pending),
    held: formatAmount(held),
    upcoming: formatAmount(upcoming),
  };
}

/** The fields that the answers of GetBalance and WatchBalance share. */
export function toProtoBalanceAnswer({ balances, asOf, sequence }: BalanceAnswer) {
  return {
    balances: balances.map(toProtoBalance),
    asOf: toProtoTimestamp(asOf),
    sequence,
  };
}
