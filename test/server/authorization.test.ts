import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { Refusal } from "../../src/errors.ts";
import type { CustomerId } from "../../src/ledger/ids.ts";
import { ROLES, type Role } from "../../src/registry/api-key.ts";
import { type Authorization, compileAuthorization } from "../../src/server/authorization.ts";
import { METHODS } from "../contract/descriptors.ts";
import { CUSTOMER_ID, TENANT_ID } from "./edges.ts";

const OWN = CUSTOMER_ID as CustomerId;
const OTHER = "0199a000-0000-7000-8000-000000000003";

/** Which role each call needs, and whether it is about a customer or the tenant as a whole. */
const RULES = `
  CreateCustomer            WRITER   tenant
  GetCustomer               READER   own
  ListCustomers             READER   own
  UpdateCustomer            WRITER   customer
  CreateCurrency            WRITER   tenant
  ListCurrencies            READER   tenant
  CreateCreditGrant         WRITER   customer
  GetCreditGrant            READER   customer
  ListCreditGrants          READER   customer
  VoidCreditGrant           WRITER   customer
  UpdateExternalSettlement  WRITER   customer
  AdjustCredits             WRITER   customer
  GetInvoice                READER   customer
  ListInvoices              READER   customer
  ListInvoiceLines          READER   customer
  IssueInvoice              WRITER   customer
  VoidInvoice               WRITER   customer
  AuthorizeInvoicePayment   WRITER   customer
  SettleInvoicePayment      WRITER   customer
  FailInvoicePayment        WRITER   customer
  CreateRateCard            WRITER   tenant
  GetRateCard               READER   tenant
  ListRateCards             READER   tenant
  ArchiveRateCard           WRITER   tenant
  CreateCharge              CHARGER  customer
  BatchCreateCharges        CHARGER  own
  SettleCharge              CHARGER  customer
  CancelCharge              CHARGER  customer
  CorrectCharge             WRITER   customer
  PreviewCharge             CHARGER  customer
  GetCharge                 READER   customer
  ListCharges               READER   customer
  GetBalance                READER   customer
  WatchBalance              READER   customer
  ListMovements             READER   customer
  StreamMovements           READER   customer
  ListTransfers             READER   customer
  GetTrialBalance           READER   tenant
  Audit                     READER   customer
  CreateTenant              ADMIN    tenant
  ListTenants               ADMIN    tenant
  CreateApiKey              ADMIN    tenant
  ListApiKeys               ADMIN    tenant
  RevokeApiKey              ADMIN    tenant
`;

const ROWS = RULES.trim()
  .split("\n")
  .map((row) => row.trim().split(/ +/) as [name: string, needed: Role, about: string]);

function methodOf(name: string) {
  return METHODS.find((each) => each.name === name) ?? expect.fail(`there is no ${name}`);
}

/** What the check says: nothing, or the reason and the facts of its refusal. */
function said(check: () => void): unknown {
  try {
    return check();
  } catch (error) {
    if (error instanceof Refusal) return [error.reason, error.facts];
    throw error;
  }
}

const check = (rules: Authorization, role: Role, customerId: CustomerId | null = null) =>
  said(() => rules.check({ tenantId: TENANT_ID, role, customerId }));

describe("R9 who may call what", () => {
  test("is said here of every call of the contract", () => {
    expect(ROWS.map(([name]) => name)).toEqual(METHODS.map(({ name }) => name));
  });

  test.each(ROWS)("%s needs %s", (name, needed) => {
    const rules = compileAuthorization(methodOf(name));
    for (const role of ROLES) {
      const isEnough = ROLES.indexOf(role) <= ROLES.indexOf(needed);
      const refused = isEnough ? undefined : ["PERMISSION_DENIED", { role: needed }];
      expect(check(rules, role), role).toEqual(refused);
    }
  });

  test.each(ROWS)("%s, needing %s, for a caller bound to a customer: %s", (name, needed, about) => {
    const method = methodOf(name);
    const rules = compileAuthorization(method);
    const refused = ["PERMISSION_DENIED", { scope: "tenant" }];
    expect(check(rules, needed, OWN)).toEqual(about === "tenant" ? refused : undefined);

    const bound = { tenantId: TENANT_ID, role: needed, customerId: OWN };
    const ask = (customerId: string) =>
      said(() =>
        rules.checkRequest(bound, create(method.input, { customerId } as Record<string, unknown>)),
      );
    const isChecked = about === "customer";
    expect(ask(OWN)).toBeUndefined();
    expect(ask(OWN.toUpperCase())).toBeUndefined();
    expect(ask("")).toEqual(isChecked ? refused : undefined);
    const missing = ["CUSTOMER_NOT_FOUND", { customer_id: OTHER }];
    expect(ask(OTHER)).toEqual(isChecked ? missing : undefined);
  });

  test("a lesser role and the wrong scope are told together", () => {
    const rules = compileAuthorization(methodOf("CreateCurrency"));
    expect(check(rules, "READER", OWN)).toEqual([
      "PERMISSION_DENIED",
      { role: "WRITER", scope: "tenant" },
    ]);
  });

  test("a call that does not say so does not let the service start", () => {
    expect(() => compileAuthorization(Health.method.check)).toThrow(
      "grpc.health.v1.Health/Check does not say which role it needs",
    );
  });
});
