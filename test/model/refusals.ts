/** Owns how the model says no. */
import type { ErrorReason } from "../../gen/drawdown/v1/error_reason_pb.ts";
import { show } from "./figures.ts";

type Reason = keyof typeof ErrorReason;
export type Facts = { readonly [key: string]: string | bigint };

export class Refused extends Error {
  readonly parts: readonly [reason: Reason, facts: Facts, field: string];

  constructor(...parts: readonly [reason: Reason, facts: Facts, field: string]) {
    super(parts[0]);
    this.parts = parts;
  }
}

export function refuseIf(applies: boolean, reason: Reason, facts: Facts = {}, field = ""): void {
  if (applies) throw new Refused(reason, facts, field);
}

export function found<Row>(row: Row | undefined, reason: Reason, facts: Facts): Row {
  if (row === undefined) throw new Refused(reason, facts, "");
  return row;
}

const INVALID: readonly Reason[] = [
  ...(["INVALID_REQUEST", "CURRENCY_NOT_INVOICEABLE", "AMOUNT_TOO_FINE"] as const),
  ...(["AMOUNT_OUT_OF_RANGE", "PURCHASE_ROUNDS_TO_ZERO", "TIME_NOT_IN_FUTURE"] as const),
  "CURSOR_MISMATCH",
];

/** A refusal as an answer shows it; what it says to people is its own affair. */
export function refusalOf({ parts: [reason, facts, field] }: Refused) {
  const isTaken = reason.endsWith("_TAKEN") || reason === "REQUEST_ID_REUSED";
  const isInvalid = INVALID.includes(reason);
  const code = reason.endsWith("NOT_FOUND") ? 5 : isTaken ? 6 : isInvalid ? 3 : 9;
  const texts = Object.entries(facts).map(([key, fact]) => [
    key,
    typeof fact === "bigint" ? show(fact) : fact,
  ]);
  const fieldViolations = isInvalid || field !== "" ? [{ field }] : [];
  return { code, reason, metadata: Object.fromEntries(texts), fieldViolations };
}
