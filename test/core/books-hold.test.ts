/**
 * Owns the property that no sequence of commands can break the books: after each, everything that
 * `checkBooks` says holds, a refusal has changed nothing, and a book loaded bit by bit decides as
 * one that has everything.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TRANSFER_EVENTS } from "../../src/ledger/chart.ts";
import { instant } from "../../src/money/time.ts";
import { Customer, NothingOfThatName } from "../scenarios/customer.ts";
import { attempt, playQuietly } from "../scenarios/scenario.ts";
import { momentText } from "../scenarios/words.ts";
import { type RandomCommand, randomCommands } from "./random-commands.ts";

const HOUR_MICROSECONDS = 3_600_000_000n;
const DAY_MICROSECONDS = 24n * HOUR_MICROSECONDS;
const EVERYTHING = { shelf: 1_000, due: 1_000 };
const BIT_BY_BIT = { shelf: 1, due: 2 };

/** Plays the commands; names that stand for nothing yet make a command that is left out. */
function playAll(
  customer: Customer,
  commands: readonly RandomCommand[],
  batched: boolean,
): string[] {
  playQuietly(
    customer,
    `unit TOKENS 0
     card api 0.3 USD credit_then_invoice feature calls minimum 1
     clock d10`,
  );
  const { keeper } = customer;
  const outcomes: string[] = [];
  for (const { line, hours, joins } of commands) {
    if (!joins || !batched) keeper.commit();
    keeper.clock = instant(keeper.clock + BigInt(hours) * HOUR_MICROSECONDS);
    if (batched) keeper.begin();
    const command = line.replace(/in(\d)/g, (_, days: string) => {
      return momentText(instant(keeper.now + BigInt(days) * DAY_MICROSECONDS));
    });
    try {
      outcomes.push(attempt(customer, command)?.reason ?? "done");
    } catch (error) {
      if (!(error instanceof NothingOfThatName)) throw error;
      outcomes.push("nothing of that name");
    }
  }
  keeper.commit();
  return outcomes;
}

describe("L6 the caches equal the replay of the transfers, whatever is done", () => {
  const seen = new Set<string>();
  const remember = (customer: Customer, outcomes: readonly string[]) => {
    for (const outcome of outcomes) seen.add(outcome);
    for (const { event } of customer.kept.transfers) seen.add(event);
  };

  test("random commands keep the books, one book per command", () => {
    fc.assert(
      fc.property(randomCommands, (commands) => {
        const customer = new Customer(BIT_BY_BIT);
        remember(customer, playAll(customer, commands, false));
      }),
      { numRuns: 400 },
    );
  });

  test("commands that share a book, loaded bit by bit, decide as with everything loaded", () => {
    fc.assert(
      fc.property(randomCommands, (commands) => {
        const slow = new Customer(BIT_BY_BIT, { eventsMax: 2, transfersMax: 3 });
        const quick = new Customer(EVERYTHING);
        const outcomes = playAll(slow, commands, true);
        expect(playAll(quick, commands, true)).toEqual(outcomes);
        expect(quick.kept).toEqual(slow.kept);
        remember(slow, outcomes);
      }),
      { numRuns: 300 },
    );
  });

  test("the commands reach every event and the refusals that they can meet", () => {
    const reachable = [
      ...TRANSFER_EVENTS,
      "done",
      "AMOUNT_TOO_FINE",
      "CREDIT_GRANT_NOT_ACTIVE",
      "SETTLEMENT_TRANSITION_REFUSED",
      "NOT_EXTERNALLY_FUNDED",
      "CHARGE_NOT_OPEN",
      "CHARGE_NOT_SETTLED",
      "CORRECTION_EXCEEDS_CHARGE",
      "INVOICE_TRANSITION_REFUSED",
      "INSUFFICIENT_CREDITS",
      "TIME_NOT_IN_FUTURE",
    ];
    expect([...seen]).toEqual(expect.arrayContaining(reachable));
  });
});
