/**
 * Owns how the ledger's values stand in columns: the column of each kind of value, with what
 * TypeORM needs to carry the value unchanged. Values arrive parsed already (pg-types.ts); only
 * those that pg would spell otherwise are turned into text on their way out.
 */
import type { EntitySchemaColumnOptions } from "typeorm";
import type {
  Capture,
  ChargeStatus,
  InvoiceKind,
  InvoiceStatus,
  SettlementMode,
} from "../../book/nouns.ts";
import type { Account, TransferEvent } from "../../ledger/chart.ts";
import { ACCOUNTS, TRANSFER_EVENTS } from "../../ledger/chart.ts";
import type {
  Availability,
  FundingMethod,
  GrantStatus,
  SettlementStatus,
} from "../../ledger/lot.ts";
import { type Amount, formatAmount } from "../../money/amount.ts";
import { formatInstant, type Instant } from "../../money/time.ts";
import { ROLES, type Role } from "../../registry/api-key.ts";

type Column = EntitySchemaColumnOptions;

const asIs = (value: unknown): unknown => value;

export const uuid: Column = { type: "uuid" };
export const text: Column = { type: "text" };
export const integer: Column = { type: "integer" };
export const bigint: Column = { type: "bigint" };
export const flag: Column = { type: "boolean" };
export const bytes: Column = { type: "bytea" };
export const json: Column = { type: "jsonb" };
export const uuids: Column = { type: "uuid", array: true };
export const texts: Column = { type: "text", array: true };

export const money: Column = {
  type: "numeric",
  precision: 38,
  scale: 12,
  transformer: {
    from: asIs,
    to: (amount: Amount | null | undefined) =>
      typeof amount === "bigint" ? formatAmount(amount) : amount,
  },
};

export const amounts: Column = {
  type: "numeric",
  array: true,
  transformer: {
    from: asIs,
    to: (list: readonly Amount[] | undefined) => list?.map(formatAmount),
  },
};

/** TypeORM makes a Date of any text that it finds in a time column, so it is given an object. */
class InstantParameter {
  readonly #moment: Instant;

  constructor(moment: Instant) {
    this.#moment = moment;
  }

  toPostgres(): string {
    return formatInstant(this.#moment);
  }
}

export const time: Column = {
  type: "timestamp with time zone",
  transformer: {
    from: asIs,
    to: (moment: Instant | null | undefined) =>
      typeof moment === "bigint" ? new InstantParameter(moment) : moment,
  },
};

const enumeration = <Value extends string>(name: string, values: readonly Value[]): Column => ({
  type: "enum",
  enumName: name,
  enum: [...values],
});

export const account = enumeration<Account>("account", Object.keys(ACCOUNTS) as Account[]);
export const transferEvent = enumeration<TransferEvent>("transfer_event", TRANSFER_EVENTS);
export const fundingMethod = enumeration<FundingMethod>("funding_method", [
  "PROMOTIONAL",
  "INVOICE",
  "EXTERNAL",
]);
export const grantStatus = enumeration<GrantStatus>("credit_grant_status", [
  "PENDING",
  "ACTIVE",
  "EXHAUSTED",
  "EXPIRED",
  "VOIDED",
]);
export const settlementStatus = enumeration<SettlementStatus>("settlement_status", [
  "PENDING",
  "AUTHORIZED",
  "SETTLED",
  "FAILED",
]);
export const availability = enumeration<Availability>("availability", [
  "ON_CREATION",
  "ON_AUTHORIZATION",
  "ON_SETTLEMENT",
]);
export const settlementMode = enumeration<SettlementMode>("settlement_mode", [
  "CREDIT_THEN_INVOICE",
  "CREDIT_ONLY",
]);
export const chargeStatus = enumeration<ChargeStatus>("charge_status", [
  "OPEN",
  "SETTLED",
  "CANCELED",
]);
export const capture = enumeration<Capture>("capture", ["AUTOMATIC", "MANUAL"]);
export const invoiceKind = enumeration<InvoiceKind>("invoice_kind", ["PURCHASE", "OVERAGE"]);
export const invoiceStatus = enumeration<InvoiceStatus>("invoice_status", [
  "DRAFT",
  "OPEN",
  "AUTHORIZED",
  "PAID",
  "PAYMENT_FAILED",
  "VOID",
]);

export const role = enumeration<Role>("role", ROLES);

/** The same column where it may be empty. */
export const optional = (column: Column): Column => ({ ...column, nullable: true });

/** The same column as part of the primary key of a table. */
export const keyOf = (table: string, column: Column): Column => ({
  ...column,
  primary: true,
  primaryKeyConstraintName: `${table}_pkey`,
});
