/** Owns the checks of the notes that ADJUSTED and CORRECTED movements keep of their own. */
import { describe, expect, test } from "vitest";
import { Customer } from "./customer.ts";
import { playQuietly } from "./scenario.ts";

/** The notes by the event and grant of the transfer that they are keyed by. */
function notesOf(customer: Customer): readonly string[] {
  return [...customer.kept.notes.values()].map(({ sequence, description, metadata }) => {
    const transfer = customer.kept.transfers[Number(sequence) - 1];
    if (transfer === undefined) throw new Error("a note belongs to a transfer");
    const grant = customer.grantName(transfer.grantId);
    return `${transfer.event} ${grant}: ${description} ${JSON.stringify(metadata)}`;
  });
}

describe("H2 the description of a movement", () => {
  test("an adjustment keeps its reason and metadata, by the sequence of its first transfer", () => {
    const customer = playQuietly(
      new Customer(),
      `adjust +10 USD as A
       adjust +10 USD as B
       adjust -15 USD`,
    );
    expect(notesOf(customer)).toEqual([
      'ADJUSTED A: goodwill {"ticket":"7"}',
      'ADJUSTED B: goodwill {"ticket":"7"}',
      'ADJUSTED A: goodwill {"ticket":"7"}',
    ]);
  });

  test("a correction keeps its reason once, whatever it gave back", () => {
    const customer = playQuietly(
      new Customer(),
      `grant A 10 USD priority 1
       grant B 10 USD priority 2
       charge C 25 USD credit_then_invoice
       correct charge C 3
       correct charge C 15`,
    );
    expect(notesOf(customer)).toEqual(["CORRECTED B: a mistake {}"]);
  });
});
