/** Owns how the rows of a trial balance become messages of the contract. */
import type { TrialBalanceRow as TrialBalanceRowMessage } from "../../../gen/drawdown/v1/ledger_service_pb.ts";
import { formatAmount } from "../../money/amount.ts";
import type { TrialBalanceRow } from "../../queries/trial-balance.ts";
import { PROTO_ACCOUNTS } from "./transfer.ts";

export function toProtoTrialBalanceRow(row: TrialBalanceRow): TrialBalanceRowMessage {
  return {
    $typeName: "drawdown.v1.TrialBalanceRow",
    account: PROTO_ACCOUNTS[row.account],
    currency: row.currency,
    debits: formatAmount(row.debits),
    credits: formatAmount(row.credits),
    balance: formatAmount(row.balance),
  };
}
