import { describe, expect, test } from "vitest";
import type { Invoice, InvoiceLine, InvoiceStatus } from "../../src/book/nouns.ts";
import { AssertionFailure, type Refusal, refuse } from "../../src/errors.ts";
import type {
  ChargeId,
  CustomerId,
  InvoiceId,
  InvoiceLineId,
  TenantId,
} from "../../src/ledger/ids.ts";
import { amountFromDigits } from "../../src/money/amount.ts";
import { parseInstant } from "../../src/money/time.ts";
import { toProtoInvoiceWithoutLines, withLines } from "../../src/rpc/invoice-lines.ts";

const CUSTOMER_ID = "customer" as CustomerId;
const TENANT_ID = "tenant" as TenantId;
const NOW = parseInstant("2026-01-01T00:00:00Z");

function invoiceThat(status: InvoiceStatus, lineCount: number): Invoice {
  return {
    id: "invoice" as InvoiceId,
    number: 1n,
    kind: "OVERAGE",
    currency: "JPY",
    grantId: null,
    createdAt: NOW,
    status,
    issueNumber: 7n,
    subtotal: amountFromDigits("10.5"),
    lineCount,
    creditLineCount: 0,
    issuedAt: NOW,
    paidAt: null,
    voidedAt: null,
  };
}

const LINE: InvoiceLine = {
  id: "line" as InvoiceLineId,
  invoiceId: "invoice" as InvoiceId,
  description: "calls",
  chargeId: "charge" as ChargeId,
  grantId: null,
  creditedInvoiceId: null,
  amount: amountFromDigits("10.5"),
};

const neverAsked = async () => {
  throw new AssertionFailure("an invoice without lines is not asked for them");
};

describe("I1 the invoice of an answer is kept without its lines and answered with them", () => {
  test("what is kept has everything else, the total rounded to the minor unit", () => {
    expect(toProtoInvoiceWithoutLines(CUSTOMER_ID, invoiceThat("OPEN", 1))).toMatchObject({
      id: "invoice",
      customerId: "customer",
      number: "7",
      lines: [],
      lineCount: 1,
      subtotal: "10.5",
      total: "11",
    });
  });

  test("a draft is never kept, because its lines still change", () => {
    expect(() => toProtoInvoiceWithoutLines(CUSTOMER_ID, invoiceThat("DRAFT", 1))).toThrow(
      AssertionFailure,
    );
  });

  test("the lines of this invoice of this customer complete it", async () => {
    const asked: unknown[] = [];
    const kept = toProtoInvoiceWithoutLines(CUSTOMER_ID, invoiceThat("OPEN", 1));
    const shown = await withLines(kept, TENANT_ID, async (customer, id) => {
      asked.push([customer, id]);
      return [LINE];
    });

    expect(asked).toEqual([[{ tenantId: TENANT_ID, customerId: CUSTOMER_ID }, "invoice"]]);
    expect(shown.lines).toMatchObject([{ id: "line", amount: "10.5", chargeId: "charge" }]);
    expect(kept.lines).toEqual([]);
  });

  test("without lines nothing is read", async () => {
    const kept = toProtoInvoiceWithoutLines(CUSTOMER_ID, invoiceThat("VOID", 0));
    expect((await withLines(kept, TENANT_ID, neverAsked)).lines).toEqual([]);
  });

  test("when the lines cannot be read, nobody is told that nothing was written", async () => {
    const kept = toProtoInvoiceWithoutLines(CUSTOMER_ID, invoiceThat("OPEN", 1));
    const answer = withLines(kept, TENANT_ID, async () => {
      throw refuse("DATABASE_UNAVAILABLE", "nothing was written");
    });
    await expect(answer).rejects.toMatchObject({
      reason: "OUTCOME_UNKNOWN",
    } satisfies Partial<Refusal>);
  });
});
