import { describe, expect, test } from "vitest";
import { Book } from "../../src/book/book.ts";
import { NotLoaded } from "../../src/book/need.ts";
import { updateCustomer } from "../../src/customer/update-customer.ts";
import type { CustomerId } from "../../src/ledger/ids.ts";
import { Journal } from "../../src/ledger/journal.ts";
import { parseInstant } from "../../src/money/time.ts";

const NOW = parseInstant("2026-01-01T00:00:00Z");
const CUSTOMER_ID = "customer" as CustomerId;

function openBook(): Book {
  return new Book({
    customerId: CUSTOMER_ID,
    journal: new Journal({ clock: NOW, sequence: 0n, lastBookedAt: null, balances: new Map() }),
    objectCount: 0n,
    invoiceCount: 0n,
    nextDueAt: null,
    random32: () => 0,
  });
}

const OLD = { name: "Old", metadata: { a: "1" } };

describe("updating a customer", () => {
  test.each<[what: string, command: Parameters<typeof updateCustomer>[1], after: object]>([
    ["a name", { name: "New", metadata: null }, { name: "New", metadata: { a: "1" } }],
    ["an empty name", { name: "", metadata: null }, { name: "", metadata: { a: "1" } }],
    [
      "metadata, all of it",
      { name: null, metadata: { b: "2" } },
      { name: "Old", metadata: { b: "2" } },
    ],
    ["empty metadata", { name: null, metadata: {} }, { name: "Old", metadata: {} }],
    ["both", { name: "New", metadata: {} }, { name: "New", metadata: {} }],
    ["nothing", { name: null, metadata: null }, OLD],
  ])("replaces %s", (_what, command, after) => {
    const book = openBook();
    book.profile = { id: CUSTOMER_ID, key: "acme", createdAt: NOW, ...OLD };
    const profile = updateCustomer(book, command);

    expect(profile).toEqual({ id: CUSTOMER_ID, key: "acme", createdAt: NOW, ...after });
    expect(book.profileChanged).toBe(after !== OLD);
  });

  test("asks for the profile first", () => {
    expect(() => updateCustomer(openBook(), { name: "New", metadata: null })).toThrow(NotLoaded);
  });
});
