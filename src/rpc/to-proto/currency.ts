/** Owns how a currency becomes a message of the contract. */
import type { Currency as CurrencyMessage } from "../../../gen/drawdown/v1/currency_pb.ts";
import type { Currency } from "../../money/currency.ts";
import type { RegisteredCurrency } from "../../registry/registry.ts";
import { toProtoTimestamp } from "./timestamp.ts";

/** Makes the message as a literal, so that the compiler refuses a field that was forgotten. */
export function toProtoCurrency(currency: Currency | RegisteredCurrency): CurrencyMessage {
  return {
    $typeName: "drawdown.v1.Currency",
    code: currency.code,
    name: currency.name,
    exponent: currency.exponent,
    custom: !currency.iso,
    createdAt: toProtoTimestamp("createdAt" in currency ? currency.createdAt : null),
  };
}
