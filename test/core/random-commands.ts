/**
 * Owns random commands: words of the scenario language, with names that may or may not stand for
 * something, so that a failure prints as a scenario.
 */
import fc from "fast-check";

const names = (prefix: string) => fc.integer({ min: 1, max: 3 }).map((n) => `${prefix}${n}`);
const grants = names("G");
const charges = names("C");
const currencies = fc.constantFrom("USD", "USD", "USD", "USD", "USD", "TOKENS");
const amounts = fc.constantFrom("1", "5", "10", "20", "40");
const fineAmounts = fc.constantFrom("0", "1", "1", "2.5", "7", "15", "60", "0.000000000001");
const modes = fc.constantFrom("credit_only", "credit_then_invoice");
const features = fc.constantFrom("", "", "feature calls", "feature sms");
const fundings = fc.constantFrom(
  "promotional",
  "promotional",
  "invoice at 0.5 EUR on_creation",
  "invoice at 0.5 EUR on_authorization",
  "invoice at 0.5 EUR",
  "external on_creation",
  "external on_creation",
  "external on_authorization",
  "external",
);
const statuses = fc.constantFrom(
  "PENDING",
  "AUTHORIZED",
  "AUTHORIZED",
  "SETTLED",
  "SETTLED",
  "FAILED",
);
const invoices = fc.oneof(
  { weight: 3, arbitrary: grants.map((name) => `${name}.invoice`) },
  { weight: 1, arbitrary: fc.constantFrom("USD.draft", "I1", "I2", "I3") },
);
const words = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((all) => all.filter((word) => word !== "").join(" "));
const is = (word: string) => fc.constant(word);

export interface RandomCommand {
  readonly line: string;
  /** How many hours pass before it; below zero the clock goes back. */
  readonly hours: number;
  /** Whether it shares its book with the command before it. */
  readonly joins: boolean;
}

/** `in5` stands for five days after the clock of the command. */
const soon = (name: string) => {
  const days = fc.integer({ min: 0, max: 9 }).map((count) => `${name} in${count}`);
  return fc.oneof({ weight: 3, arbitrary: is("") }, { weight: 1, arbitrary: days });
};
const lasting = fc.constantFrom("", "", "", "lasting P3D", "lasting PT30H");

const issues = words(
  is("grant"),
  grants,
  amounts,
  currencies,
  fundings,
  fc.constantFrom("", "priority 1", "priority 20"),
  soon("from"),
  fc.oneof(soon("until"), lasting),
  fc.constantFrom("", "", "features calls", "features calls,sms"),
);
const charging = [is("charge"), charges, fineAmounts, currencies, modes, features] as const;
const issued = fc.constantFrom("I1", "I2", "I3");
const invoiceVerbs = fc.constantFrom("authorize", "settle", "settle", "fail", "void");

const lines = fc.oneof(
  { weight: 3, arbitrary: issues },
  { weight: 5, arbitrary: words(...charging) },
  { weight: 5, arbitrary: words(...charging, is("hold"), soon("until")) },
  { weight: 1, arbitrary: words(is("charge"), charges, fineAmounts, is("of api")) },
  { weight: 4, arbitrary: words(is("settle charge"), charges, fc.oneof(is(""), fineAmounts)) },
  { weight: 1, arbitrary: words(is("cancel charge"), charges) },
  { weight: 4, arbitrary: words(is("correct charge"), charges, fc.oneof(is(""), fineAmounts)) },
  { weight: 2, arbitrary: words(is("void grant"), grants) },
  { weight: 10, arbitrary: words(is("external"), grants, statuses) },
  { weight: 2, arbitrary: words(is("adjust"), fc.constantFrom("-1", "-5", "-30"), currencies) },
  { weight: 3, arbitrary: words(is("adjust -1"), currencies, is("of"), grants) },
  { weight: 1, arbitrary: words(is("adjust +4"), currencies, is("as"), grants) },
  { weight: 2, arbitrary: words(is("issue invoice USD.draft as"), issued) },
  { weight: 8, arbitrary: words(invoiceVerbs, is("invoice"), invoices) },
);

const timed = (line: fc.Arbitrary<string>): fc.Arbitrary<RandomCommand> =>
  fc.record({ line, hours: fc.constantFrom(0, 0, 0, 1, 12, 24, 72, -5), joins: fc.boolean() });

/** Some credit first, so that most of what follows finds something to do. */
export const randomCommands: fc.Arbitrary<RandomCommand[]> = fc
  .tuple(
    fc.array(timed(issues), { minLength: 3, maxLength: 5 }),
    fc.array(timed(lines), { minLength: 15, maxLength: 40 }),
  )
  .map(([first, rest]) => [...first, ...rest]);
