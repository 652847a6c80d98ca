/** Owns the list of the contract's services, and a walk over the fields of their requests. */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { AccessService } from "../../gen/drawdown/v1/access_service_pb.ts";
import { BalanceService } from "../../gen/drawdown/v1/balance_service_pb.ts";
import { ChargeService } from "../../gen/drawdown/v1/charge_service_pb.ts";
import { CreditGrantService } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { CurrencyService } from "../../gen/drawdown/v1/currency_service_pb.ts";
import { CustomerService } from "../../gen/drawdown/v1/customer_service_pb.ts";
import { HistoryService } from "../../gen/drawdown/v1/history_service_pb.ts";
import { InvoiceService } from "../../gen/drawdown/v1/invoice_service_pb.ts";
import { LedgerService } from "../../gen/drawdown/v1/ledger_service_pb.ts";
import { RateCardService } from "../../gen/drawdown/v1/rate_card_service_pb.ts";

/** Those about the books, which a model of them answers as well. */
const LEDGER_SERVICES = [
  CustomerService,
  CurrencyService,
  CreditGrantService,
  InvoiceService,
  RateCardService,
  ChargeService,
  BalanceService,
  HistoryService,
  LedgerService,
] as const;

export const SERVICES = [...LEDGER_SERVICES, AccessService] as const;

export const LEDGER_METHODS = LEDGER_SERVICES.flatMap((service) => service.methods);
export const METHODS = SERVICES.flatMap((service) => service.methods);

/** Every field that a request can carry, in messages of the contract at any depth. */
export function fieldsOf(message: DescMessage, seen = new Set<DescMessage>()): DescField[] {
  if (seen.has(message) || !message.typeName.startsWith("drawdown.")) return [];
  seen.add(message);
  return message.fields.flatMap((field) => [
    field,
    ...(field.message === undefined ? [] : fieldsOf(field.message, seen)),
  ]);
}

/** All fields of all requests, each once. */
export function requestFields(): DescField[] {
  const seen = new Set<DescMessage>();
  return METHODS.flatMap((method) => fieldsOf(method.input, seen));
}
