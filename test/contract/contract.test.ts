/** Holds the shape of the contract: its calls, its mutations, its reasons and its rules. */
import {
  type DescField,
  getExtension,
  getOption,
  hasExtension,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { describe, expect, test } from "vitest";
import { ErrorReasonSchema } from "../../gen/drawdown/v1/error_reason_pb.ts";
import { amount, positive_amount, signed_amount } from "../../gen/drawdown/v1/validation_pb.ts";
import { REASONS } from "../../src/errors.ts";
import { METHODS, requestFields, SERVICES } from "./descriptors.ts";

/** `r` reads, `m` mutates, `s` reads as a server stream. */
const CALLS = `
  CustomerService     m CreateCustomer
  CustomerService     r GetCustomer
  CustomerService     r ListCustomers
  CustomerService     m UpdateCustomer
  CurrencyService     m CreateCurrency
  CurrencyService     r ListCurrencies
  CreditGrantService  m CreateCreditGrant
  CreditGrantService  r GetCreditGrant
  CreditGrantService  r ListCreditGrants
  CreditGrantService  m VoidCreditGrant
  CreditGrantService  m UpdateExternalSettlement
  CreditGrantService  m AdjustCredits
  InvoiceService      r GetInvoice
  InvoiceService      r ListInvoices
  InvoiceService      r ListInvoiceLines
  InvoiceService      m IssueInvoice
  InvoiceService      m VoidInvoice
  InvoiceService      m AuthorizeInvoicePayment
  InvoiceService      m SettleInvoicePayment
  InvoiceService      m FailInvoicePayment
  RateCardService     m CreateRateCard
  RateCardService     r GetRateCard
  RateCardService     r ListRateCards
  RateCardService     m ArchiveRateCard
  ChargeService       m CreateCharge
  ChargeService       m BatchCreateCharges
  ChargeService       m SettleCharge
  ChargeService       m CancelCharge
  ChargeService       m CorrectCharge
  ChargeService       r PreviewCharge
  ChargeService       r GetCharge
  ChargeService       r ListCharges
  BalanceService      r GetBalance
  BalanceService      s WatchBalance
  HistoryService      r ListMovements
  HistoryService      s StreamMovements
  LedgerService       s ListTransfers
  LedgerService       r GetTrialBalance
  LedgerService       s Audit
  AccessService       m CreateTenant
  AccessService       r ListTenants
  AccessService       m CreateApiKey
  AccessService       r ListApiKeys
  AccessService       m RevokeApiKey
`;

const { IDEMPOTENT, NO_SIDE_EFFECTS } = MethodOptions_IdempotencyLevel;
const MUTATIONS = METHODS.filter((method) => method.idempotency === IDEMPOTENT);
const AMOUNT_MARKS = [amount, positive_amount, signed_amount];

/** The names that stand for a decimal wherever they appear. */
const DECIMAL_NAME = /^(quantity|per_unit_cost|up_to|package_size|([a-z]+_)?amount)$/;

function isMarkedAsAmount(field: DescField): boolean {
  const { type } = getOption(field, fieldRules);
  if (type.case !== "string") return false;
  const rules = type.value;
  return AMOUNT_MARKS.some((mark) => hasExtension(rules, mark) && getExtension(rules, mark));
}

function nameOf(field: DescField): string {
  return `${field.parent.name}.${field.name}`;
}

describe("the calls", () => {
  test("are those that clients are written against, with their kinds", () => {
    const found = SERVICES.flatMap((service) =>
      service.methods.map((method) => {
        const reads = method.methodKind === "unary" ? "r" : "s";
        const kind = method.idempotency === NO_SIDE_EFFECTS ? reads : "m";
        return `${service.name} ${kind} ${method.name}`;
      }),
    );
    const wanted = CALLS.trim().split("\n");
    expect(found).toEqual(wanted.map((row) => row.trim().replace(/ +/g, " ")));
  });

  test("all say whether they have side effects", () => {
    const silent = METHODS.filter(
      ({ idempotency }) => idempotency !== IDEMPOTENT && idempotency !== NO_SIDE_EFFECTS,
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});

describe("W1 every mutation carries a request_id", () => {
  test.each(MUTATIONS.filter(({ name }) => name !== "BatchCreateCharges"))(
    "$name has it as field 1",
    ({ input }) => {
      const first = input.fields.find(({ number }) => number === 1);
      expect(first?.name).toBe("request_id");
      expect(first?.scalar).toBe(ScalarType.STRING);
    },
  );

  test("a batch has none of its own, but each of its requests does", () => {
    const batch = MUTATIONS.find(({ name }) => name === "BatchCreateCharges");
    const [requests] = batch?.input.fields ?? [];
    expect(batch?.input.fields).toHaveLength(1);
    expect(requests?.message?.name).toBe("CreateChargeRequest");
  });

  test("no read has one", () => {
    const reads = METHODS.filter(({ idempotency }) => idempotency === NO_SIDE_EFFECTS);
    const fields = reads.flatMap(({ input }) => input.fields);
    expect(fields.filter(({ name }) => name === "request_id").map(nameOf)).toEqual([]);
  });
});

describe("the reasons", () => {
  test("of the contract and of the code are the same, in the same order", () => {
    const prefix = "ERROR_REASON_";
    const [zero, ...named] = ErrorReasonSchema.values.map(({ name }) => name);
    expect(zero).toBe("ERROR_REASON_UNSPECIFIED");
    expect(named).toEqual(REASONS.map((reason) => `${prefix}${reason}`));
  });
});

describe("the rules of requests", () => {
  test("bind every field but booleans and messages of the contract", () => {
    const unbound = requestFields().filter((field) => {
      const isBoolean = field.scalar === ScalarType.BOOL;
      const isOwnMessage =
        field.fieldKind === "message" && field.message.typeName.startsWith("drawdown.");
      return !isBoolean && !isOwnMessage && !hasOption(field, fieldRules);
    });
    expect(unbound.map(nameOf)).toEqual([]);
  });

  test("mark every decimal, so that one finds it from its descriptor", () => {
    const decimals = requestFields().filter(({ name, scalar }) => {
      return scalar !== undefined && DECIMAL_NAME.test(name);
    });
    expect(decimals.length).toBeGreaterThan(15);
    expect(decimals.filter((field) => !isMarkedAsAmount(field)).map(nameOf)).toEqual([]);
  });

  test("mark nothing else", () => {
    const marked = requestFields().filter(isMarkedAsAmount);
    expect(marked.filter(({ name }) => !DECIMAL_NAME.test(name)).map(nameOf)).toEqual([]);
  });
});
