/**
 * Owns scenarios: journals that an accountant can read. A line at the margin is what was done; the
 * indented lines below it are what then must stand in the books. Every movement must be said: a
 * command without movement lines made none.
 *
 *   grant A 100 USD until d30                              d30 is 30 days after the beginning
 *     FUNDED    A      +100     0 -> 100                   type, grant, amount, settled balance
 *   charge C 40 USD credit_only
 *     CONSUMED  A C     -40   100 -> 60                    … of grant A for charge C
 *     balance USD settled 60 held 0 pending 60 upcoming 0
 *   later d31                                              time passes, and nobody looks
 *   charge D 1 USD credit_only
 *     EXPIRED   A       -60    60 -> 0   @d30              dated otherwise than now
 *     refused INSUFFICIENT_CREDITS required 1 available 0
 *
 * Where it matters which accounts were moved, `transfer` lines say all that was booked instead:
 *
 *     transfer CONSUMED A C 40 customer_credit -> earnings
 */
import { expect, test } from "vitest";
import { AssertionFailure, Refusal } from "../../src/errors.ts";
import { runCommand } from "./commands.ts";
import { Customer } from "./customer.ts";
import { checkStatement } from "./expectations.ts";
import { checkMovements, checkTransfers, isMovementLine } from "./posted.ts";
import { Words } from "./words.ts";

interface Step {
  readonly command: string;
  readonly statements: string[];
}

export function scenario(name: string, journal: string): void {
  test(name, () => {
    play(new Customer(), journal);
  });
}

/** Plays a journal on a customer and checks all that it says; answers the customer. */
export function play(customer: Customer, journal: string): Customer {
  for (const step of stepsOf(journal)) playStep(customer, step);
  return customer;
}

/** Does what each line says, refused nowhere: for tests that look at the books themselves. */
export function playQuietly(customer: Customer, commands: string): Customer {
  for (const command of commands.split("\n")) {
    if (command.trim() === "") continue;
    const refusal = attempt(customer, command);
    if (refusal !== null) throw refusal;
  }
  return customer;
}

/** Does what one line says; answers the refusal that it met. */
export function attempt(customer: Customer, command: string): Refusal | null {
  try {
    runCommand(customer, command);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function stepsOf(journal: string): readonly Step[] {
  const lines = journal.split("\n").filter((line) => line.trim() !== "");
  const margin = Math.min(...lines.map(indentOf));
  const steps: Step[] = [];
  for (const line of lines) {
    if (indentOf(line) === margin) steps.push({ command: line.trim(), statements: [] });
    else steps.at(-1)?.statements.push(line.trim());
  }
  return steps;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function playStep(customer: Customer, { command, statements }: Step): void {
  const { kept } = customer;
  const before = statements.includes("unchanged") ? structuredClone(kept) : null;
  const start = kept.transfers.length;
  const refusal = attempt(customer, command);
  const refusals = statements.filter((line) => line.startsWith("refused "));
  const movements = statements.filter(isMovementLine);
  const transfers = statements.filter((line) => line.startsWith("transfer "));
  const posted = new Set([...refusals, ...movements, ...transfers, "unchanged"]);
  try {
    checkRefusal(refusal, refusals);
    if (transfers.length > 0) checkTransfers(customer, kept.transfers.slice(start), transfers);
    else checkMovements(customer, kept.transfers.slice(start), movements);
    if (before !== null) expect(kept, "nothing changed").toEqual(before);
    for (const line of statements) if (!posted.has(line)) checkStatement(customer, line);
  } catch (error) {
    if (error instanceof Error) error.message = `after "${command}": ${error.message}`;
    throw error;
  }
}

function checkRefusal(refusal: Refusal | null, lines: readonly string[]): void {
  const [line] = lines;
  if (line === undefined) {
    if (refusal !== null) throw refusal;
    return;
  }
  if (refusal === null) throw new AssertionFailure("it was not refused");
  const words = new Words(line);
  words.take("refused");
  expect(refusal.reason).toBe(words.take("a reason"));
  expect(refusal.facts).toMatchObject(Object.fromEntries(words.takePairs()));
}
