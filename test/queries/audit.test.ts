import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CustomerId, InvoiceId, TenantId } from "../../src/ledger/ids.ts";
import { type AuditEvent, audit } from "../../src/queries/audit/audit.ts";
import { AUDITS_OF_TENANT_MAX, LedgerReads } from "../../src/queries/ledger-reads.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";
import { Account } from "./account.ts";
import { FAULTS } from "./audit-faults.ts";
import { fillBooks, fillFurther, keepBooks } from "./full-books.ts";
import { fillJournal } from "./long-journal.ts";

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());

async function run(customerId: CustomerId | null): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  const { reads } = ledger.connections;
  const ask = { tenantId: TENANT, customerId };
  for await (const event of audit(reads, ask, new AbortController().signal)) events.push(event);
  return events;
}

const findingsOf = (events: readonly AuditEvent[]) =>
  events.flatMap((event) => (event.kind === "finding" ? [event.finding] : []));

async function filled(): Promise<Account> {
  const account = await Account.open(ledger);
  await fillBooks(ledger, account);
  return account;
}

describe("L6 an audit of books that are right", () => {
  test("finds nothing, and counts what it has seen", async () => {
    const accounts = [await filled(), await filled(), await Account.open(ledger)];
    const { rows } = await ledger.superuser.query(
      "SELECT sum(sequence)::integer AS transfers FROM customer_head",
    );

    const events = await run(null);

    expect(findingsOf(events)).toEqual([]);
    expect(events.at(-1)).toEqual({
      kind: "summary",
      customers: accounts.length,
      transfers: rows[0].transfers,
      findings: 0,
    });
  });

  test("a customer that nobody knows is refused", async () => {
    const nobody = "01900000-0000-7000-8000-00000000dead" as CustomerId;
    await expect(run(nobody)).rejects.toMatchObject({ reason: "CUSTOMER_NOT_FOUND" });
  });
});

describe("L6 an audit finds each planted fault", () => {
  let account: Account;
  let putBack: () => Promise<void>;
  beforeAll(async () => {
    account = await filled();
    putBack = await keepBooks(ledger, account);
  });
  afterEach(() => putBack());

  test.each(FAULTS)("%s: %s", async (check, _, statement) => {
    const { rowCount } = await ledger.superuser.query(statement, [account.id]);
    expect(rowCount).toBeGreaterThan(0);

    const events = await run(account.id);

    const findings = findingsOf(events);
    expect(findings.map((finding) => finding.check)).toContain(check);
    for (const finding of findings) {
      expect(finding.customerId).toBe(account.id);
      expect(finding.expected).not.toBe(finding.found);
    }
    expect(events.at(-1)).toMatchObject({ kind: "summary", findings: findings.length });
  });

  test("a figure that stays wrong from row to row is one finding", async () => {
    const account = await Account.open(ledger);
    await account.grant("100");
    for (let count = 0; count < 20; count += 1) await account.charge("1");
    await ledger.superuser.query(
      "UPDATE transfer SET settled_after = settled_after + 1 WHERE customer_id = $1 AND sequence > 5",
      [account.id],
    );

    const findings = findingsOf(await run(account.id));

    expect(findings).toEqual([
      expect.objectContaining({
        check: "settled_after",
        expected: "95",
        found: "96",
        sequence: 6n,
      }),
    ]);
  });

  test("the findings of one customer are bounded", async () => {
    const account = await Account.open(ledger);
    await account.grant("10000");
    await Promise.all(Array.from({ length: 1_200 }, () => account.charge("1")));
    await ledger.superuser.query(
      "UPDATE charge SET first_consumed_sequence = 1 WHERE customer_id = $1",
      [account.id],
    );

    const findings = findingsOf(await run(account.id));

    expect(findings.length).toBe(1_001);
    expect(findings.at(-1)?.check).toBe("too_many_findings");
  });
});

describe("a large customer is audited in stretches", () => {
  const name = "what is right is found right, and a fault in the middle is found";
  test(name, { timeout: 90_000 }, async () => {
    const customerId = await ledger.customer();
    await fillJournal(ledger.superuser, customerId, 25_000);

    const events = await run(customerId);
    expect(findingsOf(events)).toEqual([]);
    expect(events.at(-1)).toMatchObject({ kind: "summary", customers: 1, transfers: 25_000 });

    const amount = "UPDATE transfer SET amount = 2 WHERE customer_id = $1 AND sequence = 22000";
    await ledger.superuser.query(amount, [customerId]);
    const checks = new Set(findingsOf(await run(customerId)).map(({ check }) => check));
    expect([...checks].sort()).toEqual([
      "charge_draws",
      "customer_balance",
      "grant_remaining",
      "grant_remaining_after",
      "pending_after",
      "settled_after",
    ]);
  });
});

test("an audit knows the order in which credit was held", async () => {
  const account = await Account.open(ledger);
  await account.grant("10");
  await account.grant("10");
  await account.hold("15");
  expect(findingsOf(await run(account.id))).toEqual([]);
  await ledger.superuser.query(
    `UPDATE charge SET draw_amounts = ARRAY[draw_amounts[2], draw_amounts[1]],
      draw_credit_grant_ids = ARRAY[draw_credit_grant_ids[2], draw_credit_grant_ids[1]]
      WHERE customer_id = $1`,
    [account.id],
  );
  expect(findingsOf(await run(account.id)).map(({ check }) => check)).toEqual(["charge_holds"]);
});

test("an audit of a tenant misses a customer of whom only the books are left", async () => {
  const account = await filled();
  const tables = ["customer", "customer_key", "customer_head"];
  const rows = await Promise.all(
    tables.map((table) =>
      ledger.superuser.query(`DELETE FROM ${table} WHERE customer_id = $1 RETURNING *`, [
        account.id,
      ]),
    ),
  );
  expect(rows.map(({ rowCount }) => rowCount)).toEqual([1, 1, 1]);
  const found = findingsOf(await run(null));
  expect(found.map(({ check, customerId }) => [check, customerId])).toContainEqual([
    "customer_missing",
    account.id,
  ]);
});

test("an audit ends when it is told to", async () => {
  const controller = new AbortController();
  const { reads } = ledger.connections;
  const events = audit(reads, { tenantId: TENANT, customerId: null }, controller.signal);
  controller.abort(new Error("told to"));
  await expect(events.next()).rejects.toThrow("told to");
});

const OTHER_TENANT = "01900000-0000-7000-8000-0000000000fe" as TenantId;

test("so many audits of a tenant are under way at once, and one more when one has ended", async () => {
  const ledgerReads = new LedgerReads(ledger.connections);
  const { signal } = new AbortController();
  const start = () => ledgerReads.audit({ tenantId: TENANT, customerId: null }, signal);
  const underWay = Array.from({ length: AUDITS_OF_TENANT_MAX }, start);
  const walk = async (events: ReturnType<typeof start>) => {
    for await (const event of events) if (event.kind === "summary") return event;
    return undefined;
  };
  const walking = underWay.map(walk);
  await expect(start().next()).rejects.toMatchObject({ reason: "OVERLOADED" });
  const others = ledgerReads.audit({ tenantId: OTHER_TENANT, customerId: null }, signal);
  expect(await walk(others)).toMatchObject({ customers: 0, findings: 0 });
  expect(await Promise.all(walking)).toEqual(
    walking.map(() => expect.objectContaining({ findings: expect.any(Number) })),
  );
  expect(await walk(start())).toMatchObject({ kind: "summary" });

  // One that is given up makes room as well.
  const controller = new AbortController();
  for (let count = 0; count <= AUDITS_OF_TENANT_MAX; count += 1) {
    const ask = { tenantId: TENANT, customerId: null };
    const givenUp = ledgerReads.audit(ask, controller.signal);
    const first = givenUp.next();
    await first;
    await givenUp.return();
  }
  expect(await walk(start())).toMatchObject({ kind: "summary" });
});

test("an audit says so of a quantity that no rate card has a price for", async () => {
  const account = await filled();
  await fillFurther(ledger, account);
  for (const quantity of ["-4", "1e23"]) {
    await ledger.superuser.query(
      "UPDATE charge SET quantity = $2::numeric WHERE customer_id = $1 AND quantity IS NOT NULL",
      [account.id, quantity],
    );
    expect(findingsOf(await run(account.id)).map(({ check }) => check)).toEqual(["charge_price"]);
  }
});

test("an audit looks at other invoices than drafts too", async () => {
  const account = await filled();
  const { rows } = await ledger.superuser.query(
    "SELECT invoice_id FROM invoice WHERE customer_id = $1 AND status = 'DRAFT'",
    [account.id],
  );
  await account.issue(rows[0].invoice_id as InvoiceId);
  await account.payInvoice(rows[0].invoice_id as InvoiceId);
  expect(findingsOf(await run(account.id))).toEqual([]);
  await ledger.superuser.query(
    "UPDATE invoice SET subtotal = subtotal - 1 WHERE customer_id = $1 AND status = 'PAID'",
    [account.id],
  );
  expect(findingsOf(await run(account.id)).map(({ check }) => check)).toEqual(["invoice_lines"]);
});
