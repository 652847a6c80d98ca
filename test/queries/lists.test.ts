import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Refusal } from "../../src/errors.ts";
import type { ChargeId, CustomerId, GrantId, InvoiceId } from "../../src/ledger/ids.ts";
import { getCharge, listCharges } from "../../src/queries/charges.ts";
import { getCreditGrant, listCreditGrants } from "../../src/queries/credit-grants.ts";
import { type CustomerName, CustomerReads } from "../../src/queries/customer-reads.ts";
import {
  getInvoice,
  listInvoiceLines,
  listInvoices,
  listShownLines,
} from "../../src/queries/invoices.ts";
import type { ListOrder, OrderedPageRequest, Page } from "../../src/queries/page.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";
import { Account, amount } from "./account.ts";

let ledger: TestLedger;
let reads: CustomerReads;

beforeAll(async () => {
  ledger = await openLedger();
  const { pipeline, connections } = ledger;
  const bookDue = pipeline.bookDue.bind(pipeline);
  reads = new CustomerReads({ reads: connections.reads, bookDue });
});
afterAll(() => ledger.close());

const ALL_GRANTS = { statuses: [], fundingMethods: [], currency: null };
const ALL_CHARGES = { statuses: [], currency: null, featureKey: null };
const ALL_INVOICES = { statuses: [], currency: null };
const ID = "01900000-0000-7000-8000-00000000beef";

/** Walks all pages and answers the ids of each. */
async function walk<Item>(
  list: (token: string) => Promise<Page<Item>>,
  idOf: (item: Item) => string,
): Promise<string[][]> {
  const pages: string[][] = [];
  let token = "";
  do {
    const page = await list(token);
    pages.push(page.items.map(idOf));
    token = page.nextToken;
  } while (token !== "");
  return pages;
}

async function refusalOf(reading: Promise<unknown>): Promise<unknown> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [error.reason, error.facts, error.fieldViolations[0]?.field];
  }
}

describe("H4 lists stand in the order of creation", () => {
  test("grants, by page and by filter", async () => {
    const account = await Account.open(ledger);
    const used = await account.grant("1");
    const euro = await account.grant("2", { currency: "EUR", features: ["api"] });
    const sold = await account.grant("3", { sold: "INVOICE" });
    const other = await account.grant("4", { sold: "EXTERNAL" });
    const gone = await account.grant("5");
    await account.charge("1");
    await account.voidGrant(gone);
    const list = (filter: object, rowsMax: number) =>
      walk(
        (token) =>
          listCreditGrants(reads, account.name, { ...ALL_GRANTS, ...filter }, { rowsMax, token }),
        ({ lot }) => lot.id,
      );

    expect(await list({}, 2)).toEqual([[used, euro], [sold, other], [gone]]);
    expect(await list({}, 5)).toEqual([[used, euro, sold, other, gone]]);
    expect(await list({ currency: "EUR" }, 5)).toEqual([[euro]]);
    expect(await list({ statuses: ["PENDING", "EXHAUSTED"] }, 2)).toEqual([[used, sold], [other]]);
    expect(await list({ statuses: ["VOIDED"] }, 5)).toEqual([[gone]]);
    expect(await list({ fundingMethods: ["INVOICE", "EXTERNAL"] }, 1)).toEqual([[sold], [other]]);
    expect(await list({ currency: "JPY" }, 5)).toEqual([[]]);
    const { lot, terms } = await getCreditGrant(reads, account.name, sold);
    expect(lot).toMatchObject({ id: sold, amount: amount("3"), settlementStatus: "PENDING" });
    expect(terms.purchase).toEqual({
      currency: "USD",
      perUnitCost: amount("0.5"),
      amount: amount("1.5"),
    });
  });

  test("charges, by page and by filter", async () => {
    const account = await Account.open(ledger);
    await account.grant("100");
    await account.grant("100", { currency: "EUR" });
    const plain = await account.charge("1", { description: "d", metadata: { a: "b" } });
    const open = await account.hold("2", { feature: "api" });
    const euro = await account.charge("3", { currency: "EUR", feature: "api" });
    const canceled = await account.cancel(await account.hold("4"));
    const list = (filter: object, rowsMax: number) =>
      walk(
        (token) =>
          listCharges(reads, account.name, { ...ALL_CHARGES, ...filter }, { rowsMax, token }),
        ({ id }) => id,
      );

    expect(await list({}, 3)).toEqual([[plain, open, euro], [canceled]]);
    expect(await list({ featureKey: "api" }, 3)).toEqual([[open, euro]]);
    expect(await list({ statuses: ["OPEN", "CANCELED"] }, 3)).toEqual([[open, canceled]]);
    expect(await list({ currency: "EUR" }, 3)).toEqual([[euro]]);
    const charge = await getCharge(reads, account.name, plain);
    expect(charge).toMatchObject({ id: plain, description: "d", metadata: { a: "b" } });
    expect(charge.allocations.map((each) => each.amount)).toEqual([amount("1")]);
  });

  test("invoices with their first lines, and all lines by page", async () => {
    const account = await Account.open(ledger);
    for (let count = 0; count < 105; count += 1) {
      await account.charge("0.01", { mode: "CREDIT_THEN_INVOICE", description: `line ${count}` });
    }
    await account.grant("8", { sold: "INVOICE" });
    const list = (filter: object, rowsMax: number) =>
      listInvoices(reads, account.name, { ...ALL_INVOICES, ...filter }, { rowsMax, token: "" });
    const { items } = await list({}, 50);

    expect(items.map(({ invoice }) => invoice.kind)).toEqual(["OVERAGE", "PURCHASE"]);
    expect(items.map(({ lines }) => lines.length)).toEqual([100, 1]);
    const [draft, purchase] = items.map(({ invoice }) => invoice);
    const draftId = draft?.id ?? ("" as InvoiceId);
    expect(draft).toMatchObject({ lineCount: 105, subtotal: amount("1.05"), status: "DRAFT" });
    expect((await list({ statuses: ["OPEN"] }, 50)).items.map(({ invoice }) => invoice.id)).toEqual(
      [purchase?.id],
    );
    const { nextToken } = await list({}, 1);
    expect(nextToken).not.toBe("");
    expect((await getInvoice(reads, account.name, draftId)).lines.length).toBe(100);
    const name = { ...account.name, invoiceId: draftId };
    expect((await listShownLines(reads, name, draftId)).at(-1)?.description).toBe("line 99");
    const lines = await walk(
      (token) => listInvoiceLines(reads, account.name, draftId, { rowsMax: 40, token }),
      ({ description }) => description,
    );
    expect(lines.map(({ length }) => length)).toEqual([40, 40, 25]);
    expect(lines.flat()).toEqual(Array.from({ length: 105 }, (_, index) => `line ${index}`));
  });

  test("a filtered page ends when it has met enough, and the next one goes on behind", async () => {
    const account = await Account.open(ledger);
    await account.grant("100");
    const canceled: ChargeId[] = [];
    for (let count = 1; count <= 7; count += 1) {
      if (count % 5 > 0) await account.charge("1");
      else canceled.push(await account.cancel(await account.hold("1")));
    }
    const list = (filter: object) =>
      walk(
        (token) =>
          listCharges(
            reads,
            account.name,
            { ...ALL_CHARGES, ...filter },
            { rowsMax: 5, token, rowsMetMax: 3 },
          ),
        ({ id }) => id,
      );
    expect(await list({ statuses: ["CANCELED"] })).toEqual([[], canceled, []]);
    expect((await list({ currency: "USD" })).map(({ length }) => length)).toEqual([3, 3, 1]);
    expect((await list({})).map(({ length }) => length)).toEqual([5, 2]);
    expect(await list({ statuses: ["OPEN"] })).toEqual([[]]);
  });

  test("or against it, from either end to the other", async () => {
    const account = await Account.open(ledger);
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      await account.grant("1", { sold: "INVOICE" });
      made.unshift(await account.charge("1", { mode: "CREDIT_THEN_INVOICE" }));
    }
    const ends = async <Item>(
      list: (page: OrderedPageRequest) => Promise<Page<Item>>,
      idOf: (item: Item) => string,
    ) => {
      const from = (order: ListOrder) =>
        walk((token) => list({ rowsMax: 2, token, order, rowsMetMax: 3 }), idOf);
      const oldestFirst = (await from("OLDEST_FIRST")).flat();
      expect((await from("NEWEST_FIRST")).flat()).toEqual(oldestFirst.toReversed());
      return oldestFirst.toReversed();
    };
    const { name } = account;
    const usd = { currency: "USD" };

    const charges = await ends(
      (page) => listCharges(reads, name, { ...ALL_CHARGES, ...usd }, page),
      ({ id }) => id,
    );
    expect(charges).toEqual(made);
    const newest = await listCharges(reads, name, ALL_CHARGES, {
      rowsMax: 3,
      token: "",
      order: "NEWEST_FIRST",
    });
    expect(newest.items.map(({ id }) => id)).toEqual(made.slice(0, 3));
    const grants = await ends(
      (page) => listCreditGrants(reads, name, { ...ALL_GRANTS, ...usd }, page),
      ({ lot }) => lot.id,
    );
    expect(grants).toHaveLength(5);
    const invoices = await ends(
      (page) => listInvoices(reads, name, { ...ALL_INVOICES, ...usd }, page),
      ({ invoice }) => invoice.id,
    );
    expect(invoices).toHaveLength(6);

    const turned = listCharges(reads, name, ALL_CHARGES, { rowsMax: 3, token: newest.nextToken });
    expect(await refusalOf(turned)).toEqual(["CURSOR_MISMATCH", {}, "page_token"]);
  });

  test("whatever the clock does, and without a booking in between", async () => {
    const account = await Account.open(ledger);
    const made: GrantId[] = [];
    for (const shift of ["0 hours", "-2 hours", "-1 hours"]) {
      await ledger.shiftClock(shift);
      made.push(await account.grant("1", { sold: "INVOICE" }));
    }
    await ledger.shiftClock("0 hours");
    const grants = await walk(
      (token) => listCreditGrants(reads, account.name, ALL_GRANTS, { rowsMax: 1, token }),
      ({ lot }) => lot.id,
    );
    const invoices = await walk(
      (token) => listInvoices(reads, account.name, ALL_INVOICES, { rowsMax: 1, token }),
      ({ invoice }) => invoice.grantId ?? "",
    );

    expect(grants.flat()).toEqual(made);
    expect(invoices.flat()).toEqual(made);
  });
});

describe("what does not exist is refused by name", () => {
  const nobody: CustomerName = { tenantId: TENANT, customerId: ID as CustomerId };
  const page = { rowsMax: 5, token: "nonsense" };

  test.each<[reason: string, fact: string, read: (customer: CustomerName) => Promise<unknown>]>([
    [
      "CREDIT_GRANT_NOT_FOUND",
      "credit_grant_id",
      (customer) => getCreditGrant(reads, customer, ID as GrantId),
    ],
    ["CHARGE_NOT_FOUND", "charge_id", (customer) => getCharge(reads, customer, ID as ChargeId)],
    ["INVOICE_NOT_FOUND", "invoice_id", (customer) => getInvoice(reads, customer, ID as InvoiceId)],
    [
      "INVOICE_NOT_FOUND",
      "invoice_id",
      (customer) => listInvoiceLines(reads, customer, ID as InvoiceId, page),
    ],
  ])("%s, behind the customer", async (reason, fact, read) => {
    const account = await Account.open(ledger);
    const unknown = ["CUSTOMER_NOT_FOUND", { customer_id: ID }, undefined];

    expect(await refusalOf(read(account.name))).toEqual([reason, { [fact]: ID }, undefined]);
    expect(await refusalOf(read(nobody))).toEqual(unknown);
  });

  test.each<
    [what: string, list: (customer: CustomerName, token: string) => Promise<Page<unknown>>]
  >([
    ["grants", (name, token) => listCreditGrants(reads, name, ALL_GRANTS, { rowsMax: 1, token })],
    ["charges", (name, token) => listCharges(reads, name, ALL_CHARGES, { rowsMax: 1, token })],
    ["invoices", (name, token) => listInvoices(reads, name, ALL_INVOICES, { rowsMax: 1, token })],
  ])("a token of another customer's %s is refused", async (_, list) => {
    const [account, other] = [await Account.open(ledger), await Account.open(ledger)];
    for (const each of [account, other]) {
      await each.grant("1", { sold: "INVOICE" });
      await each.grant("1", { sold: "INVOICE" });
      await each.charge("1", { mode: "CREDIT_THEN_INVOICE" });
      await each.charge("1", { mode: "CREDIT_THEN_INVOICE" });
    }
    const { nextToken } = await list(account.name, "");

    expect((await list(account.name, nextToken)).items.length).toBe(1);
    const mismatch = ["CURSOR_MISMATCH", {}, "page_token"];
    expect(await refusalOf(list(other.name, nextToken))).toEqual(mismatch);
    expect(await refusalOf(list(account.name, `${nextToken}x`))).toEqual(mismatch);
    const unknown = ["CUSTOMER_NOT_FOUND", { customer_id: ID }, undefined];
    expect(await refusalOf(list(nobody, nextToken))).toEqual(unknown);
  });
});
