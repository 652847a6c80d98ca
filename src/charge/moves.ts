/** Owns which event a charge accepts in which state (D9), as data. */
import type { Charge, ChargeStatus } from "../book/nouns.ts";
import { type Reason, refuse } from "../errors.ts";

export const CHARGE_EVENTS = ["settle", "cancel", "correct"] as const;

export type ChargeEvent = (typeof CHARGE_EVENTS)[number];

/**
 * `act` happens; `repeat` succeeds and changes nothing; `repeat_if_same` does so when it asks for
 * what the charge settled at; anything else is the reason of its refusal.
 */
export type ChargeOutcome = "act" | "repeat" | "repeat_if_same" | Reason;

export const CHARGE_MOVES = {
  OPEN: { settle: "act", cancel: "act", correct: "CHARGE_NOT_SETTLED" },
  SETTLED: { settle: "repeat_if_same", cancel: "CHARGE_NOT_OPEN", correct: "act" },
  CANCELED: { settle: "CHARGE_NOT_OPEN", cancel: "repeat", correct: "CHARGE_NOT_SETTLED" },
} as const satisfies Record<ChargeStatus, Record<ChargeEvent, ChargeOutcome>>;

/** How this charge takes the event; refuses by name what its state does not allow. */
export function moveOfCharge(
  charge: Charge,
  event: ChargeEvent,
): "act" | "repeat" | "repeat_if_same" {
  const outcome = CHARGE_MOVES[charge.status][event];
  switch (outcome) {
    case "act":
    case "repeat":
    case "repeat_if_same":
      return outcome;
    default:
      throw chargeRefused(outcome, charge);
  }
}

export function chargeRefused(reason: Reason, charge: Charge) {
  const facts = { charge_id: charge.id, status: charge.status };
  return refuse(reason, `the charge is ${charge.status}`, facts);
}
