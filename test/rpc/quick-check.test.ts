/**
 * Owns the promise that the quick look at a request never lets one pass that the validator refuses.
 * Requests are put together at random from values at the edges of the rules.
 */
import {
  create,
  createRegistry,
  type DescField,
  type DescMessage,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CreateChargeRequestSchema } from "../../gen/drawdown/v1/charge_service_pb.ts";
import { file_drawdown_v1_validation } from "../../gen/drawdown/v1/validation_pb.ts";
import { compileQuickCheck } from "../../src/rpc/quick-check.ts";
import { METHODS } from "../contract/descriptors.ts";

const validator = createValidator({ registry: createRegistry(file_drawdown_v1_validation) });
const SCHEMAS = [...new Set(METHODS.map((method) => method.input))];
const RUNS = 300;
const longKey = { ["k".repeat(41)]: "" };

const ID = "019a9a3e-5c00-7000-8000-000000000001";
const NUL = String.fromCharCode(0);
const TEXTS = [
  ...["", "a", "USD", "usd", "US", "TOKENS", ID, ID.toUpperCase(), `${ID}0`, ID.slice(1)],
  ...["0", "1", "-1", "0.5", "01", "1e3", "+1", "1,0", "NaN", ".5", "1.", "-0", "1.000000000000"],
  ...["1.0000000000001", "9".repeat(24), "9".repeat(25), "calls", "calls/gpt.4", "/calls", "a b"],
  ...["x".repeat(128), "x".repeat(129), "😀".repeat(64), "😀".repeat(128), "x".repeat(501)],
  ...[NUL, "a\nb", "P1D", "P0D", "PT2S", "P101Y", "amount", "1\n", "USD\n", "é"],
];
const text = fc.constantFrom(...TEXTS);

/** Any value of a field, as `create` takes it. */
function anyOf(field: DescField): fc.Arbitrary<unknown> {
  if (field.fieldKind === "list") return fc.array(elementOf(field), { maxLength: 3 });
  if (field.fieldKind === "map") return fc.dictionary(text, text, { maxKeys: 3 });
  if (field.fieldKind !== "scalar" || sampleOf(field) !== "") return elementOf(field);
  // Most messages would break some rule, and nothing would be compared: mostly good words, then.
  const good = TEXTS.filter((word) => !isBlamed(field, word));
  if (good.length === 0) return text;
  return fc.oneof(
    { weight: 7, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: text },
  );
}

const sampleOf = (field: DescField) =>
  (create(field.parent) as unknown as Readonly<Record<string, unknown>>)[field.localName];

/** Whether a word breaks a rule of the field itself. */
function isBlamed(field: DescField, word: string): boolean {
  const init = { [field.localName]: word } as never;
  const { violations = [] } = validator.validate(field.parent, create(field.parent, init));
  return violations.some((violation) => violation.field[0] === field);
}

function elementOf(field: DescField): fc.Arbitrary<unknown> {
  if (field.enum !== undefined) return fc.constantFrom(0, 1, 2, 3, 99);
  if (field.message !== undefined) return messageOf(field.message);
  if (field.fieldKind === "scalar" || field.fieldKind === "list") {
    const sample = sampleOf(field);
    if (typeof sample === "number") return fc.constantFrom(-1, 0, 1, 10, 1_000, 1_001);
    if (typeof sample === "bigint") return fc.constantFrom(-1n, 0n, 1n, 2n ** 62n);
    if (typeof sample === "boolean") return fc.boolean();
  }
  return text;
}

/** A message in which any field may be left out. */
function messageOf(schema: DescMessage): fc.Arbitrary<Message> {
  if (schema.typeName.startsWith("google.protobuf.")) return fc.constant(create(schema));
  const plain = schema.fields.filter((field) => field.oneof === undefined);
  const fields = Object.fromEntries(plain.map((field) => [field.localName, anyOf(field)]));
  const oneofs = schema.oneofs.map((oneof) => [
    oneof.localName,
    fc.oneof(
      ...oneof.fields.map((field) =>
        anyOf(field).map((value) => ({ case: field.localName, value })),
      ),
    ),
  ]);
  const all = { ...fields, ...Object.fromEntries(oneofs) } as Record<string, fc.Arbitrary<unknown>>;
  return fc.record(all, { requiredKeys: [] }).map((init) => create(schema, init as never));
}

describe("what the quick look lets pass", () => {
  test.each(SCHEMAS.map((schema) => [schema.name, schema] as const))(
    "is valid, whatever a %s says",
    (_name, schema) => {
      const check = compileQuickCheck(schema);
      fc.assert(
        fc.property(messageOf(schema), (message) => {
          const passes = check?.(message) ?? false;
          return !passes || validator.validate(schema, message).kind === "valid";
        }),
        { numRuns: RUNS },
      );
    },
  );
});

describe("what the quick look is for", () => {
  const schema = CreateChargeRequestSchema;
  const check = compileQuickCheck(schema);
  const usual: MessageInitShape<typeof schema> = {
    requestId: "r-1",
    customerId: ID,
    amount: "0.5",
    currency: "USD",
    settlementMode: 2,
    featureKey: "calls",
    metadata: { job: "17" },
  };
  const chargeWith = (other: object) => create(schema, Object.assign({}, usual, other));

  test.each([
    ["a usual charge passes", {}, true],
    ["one without a request id does not", { requestId: "" }, false],
    ["one with a broken amount does not", { amount: "1e3" }, false],
    ["one with an amount of zero does not", { amount: "0" }, false],
    ["one with thirteen decimals does not", { amount: "0.0000000000001" }, false],
    ["one with a broken id does not", { customerId: "x" }, false],
    ["one with an unknown settlement mode does not", { settlementMode: 99 }, false],
    ["one with amount and rate card does not", { rateCardKey: "calls" }, false],
    ["one with a key of metadata that is too long does not", { metadata: longKey }, false],
  ])("%s", (_what, other, passes) => {
    expect(check?.(chargeWith(other))).toBe(passes);
  });

  test("a usual charge with a few other values is valid when it passes", () => {
    const change = fc.oneof(
      ...schema.fields.map((field) => anyOf(field).map((value) => ({ [field.localName]: value }))),
    );
    let passed = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
        const message = chargeWith(Object.assign({}, ...changes));
        if (check?.(message) !== true) return true;
        passed += 1;
        return validator.validate(schema, message).kind === "valid";
      }),
      { numRuns: 10 * RUNS },
    );
    expect(passed).toBeGreaterThan(RUNS);
  });
});
