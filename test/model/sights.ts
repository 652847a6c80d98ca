/** Owns the count of what a comparison met: calls that succeeded, reasons, types and statuses. */
import type { DescEnum, DescMethod, JsonValue } from "@bufbuild/protobuf";
import { ChargeStatusSchema, SettlementModeSchema } from "../../gen/drawdown/v1/charge_pb.ts";
import {
  AvailabilitySchema,
  CreditGrantStatusSchema,
  FundingMethodSchema,
  SettlementStatusSchema,
} from "../../gen/drawdown/v1/credit_grant_pb.ts";
import { InvoiceKindSchema, InvoiceStatusSchema } from "../../gen/drawdown/v1/invoice_pb.ts";
import { MovementTypeSchema } from "../../gen/drawdown/v1/movement_pb.ts";
import { AccountSchema, TransferEventSchema } from "../../gen/drawdown/v1/transfer_pb.ts";
import { LEDGER_METHODS } from "../contract/descriptors.ts";
import { isObject, replaceTexts } from "./names.ts";
import type { Outcome } from "./subject.ts";

/** Every reason that a call of the contract can be refused with for what it asks. */
const REASONS = [
  ...["CUSTOMER", "CREDIT_GRANT", "CHARGE", "INVOICE", "RATE_CARD", "CURRENCY"].map(
    (noun) => `${noun}_NOT_FOUND`,
  ),
  ...["INVALID_REQUEST", "REQUEST_ID_REUSED", "CUSTOMER_KEY_TAKEN", "CURRENCY_CODE_TAKEN"],
  ...["RATE_CARD_ARCHIVED", "CURRENCY_NOT_INVOICEABLE", "AMOUNT_TOO_FINE", "AMOUNT_OUT_OF_RANGE"],
  ...["PURCHASE_ROUNDS_TO_ZERO", "TIME_NOT_IN_FUTURE", "CURSOR_MISMATCH"],
  ...["CREDIT_GRANT_NOT_ACTIVE", "NOT_EXTERNALLY_FUNDED", "SETTLEMENT_TRANSITION_REFUSED"],
  ...["CHARGE_NOT_OPEN", "CHARGE_NOT_SETTLED", "CORRECTION_EXCEEDS_CHARGE"],
  ...["INVOICE_TRANSITION_REFUSED", "INVOICE_EMPTY", "INVOICE_TOTAL_NEGATIVE"],
  "INSUFFICIENT_CREDITS",
];

const ENUMS: readonly DescEnum[] = [
  ...[ChargeStatusSchema, SettlementModeSchema, AvailabilitySchema, CreditGrantStatusSchema],
  ...[FundingMethodSchema, SettlementStatusSchema, InvoiceKindSchema, InvoiceStatusSchema],
  ...[MovementTypeSchema, AccountSchema, TransferEventSchema],
];

const SIGHTS: readonly string[] = [
  ...LEDGER_METHODS.map(({ name }) => name),
  ...REASONS,
  ...ENUMS.flatMap(({ values }) => values.slice(1).map(({ name }) => name)),
];

export class Sights {
  readonly #counts = new Map(SIGHTS.map((sight) => [sight, 0]));

  note(method: DescMethod, outcome: Outcome): void {
    if ("refused" in outcome) {
      this.#count(String(isObject(outcome.refused) ? outcome.refused["reason"] : ""));
    } else {
      this.#count(method.name);
      replaceTexts(outcome.answers as JsonValue, (text) => {
        this.#count(text);
        return text;
      });
    }
  }

  #count(sight: string): void {
    const count = this.#counts.get(sight);
    if (count !== undefined) this.#counts.set(sight, count + 1);
  }

  get missing(): readonly string[] {
    return [...this.#counts].filter(([, count]) => count === 0).map(([sight]) => sight);
  }

  /** How often each was seen, the rarest first. */
  tell(): string {
    const rows = [...this.#counts].sort(([, left], [, right]) => left - right);
    return rows.map(([sight, count]) => `${sight} ${count}`).join(", ");
  }
}
