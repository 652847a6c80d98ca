import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CustomerId, InvoiceId } from "../../src/ledger/ids.ts";
import { type AuditEvent, audit } from "../../src/queries/audit/audit.ts";
import type { Check } from "../../src/queries/audit/finding.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";
import { Account } from "./account.ts";
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

/** What is done to the rows of a customer, whose id is $1, and the check that must see it. */
const FAULTS: readonly (readonly [check: Check, what: string, statement: string])[] = [
  [
    "sequence_gap",
    "a transfer is gone",
    "DELETE FROM transfer WHERE customer_id = $1 AND sequence = 4",
  ],
  [
    "booked_at_order",
    "a transfer is dated back",
    `UPDATE transfer SET booked_at = booked_at - interval '1 day'
      WHERE customer_id = $1 AND sequence = 4`,
  ],
  [
    "illegal_flow",
    "a transfer bears another event",
    "UPDATE transfer SET event = 'RELEASED' WHERE customer_id = $1 AND sequence = 1",
  ],
  [
    "account_sign",
    "more is consumed than was there",
    `UPDATE transfer SET amount = 9000
      WHERE customer_id = $1 AND event = 'CONSUMED' AND currency = 'EUR'`,
  ],
  ...(
    [
      ["settled_after", "settled_after + 1", "sequence = 1"],
      ["pending_after", "pending_after - 1", "sequence = 1"],
      ["grant_remaining_after", "grant_remaining_after + 1", "sequence = 1"],
      ["grant_held_after", "grant_held_after - 0.5", "event = 'HELD'"],
    ] as const
  ).map(([column, value, rows]): [Check, string, string] => [
    column,
    "a transfer carries another figure",
    `UPDATE transfer SET ${column} = ${value} WHERE customer_id = $1 AND ${rows}`,
  ]),
  [
    "grant_currency",
    "a transfer is in another currency than its grant",
    "UPDATE transfer SET currency = 'EUR' WHERE customer_id = $1 AND sequence = 1",
  ],
  [
    "hold_missing",
    "what was held for one charge is released for another",
    `UPDATE transfer SET charge_id = '01900000-0000-7000-8000-00000000beef'
      WHERE customer_id = $1 AND event = 'RELEASED'`,
  ],
  ...(
    [
      ["head_sequence", "sequence = sequence - 1"],
      ["head_last_booked_at", "last_booked_at = last_booked_at - interval '1 second'"],
      ["head_next_due_at", "next_due_at = NULL"],
      ["head_next_due_at", "next_due_at = next_due_at + interval '1 second'"],
      ["head_object_count", "object_count = 3"],
      ["head_invoice_count", "invoice_count = invoice_count + 1"],
    ] as const
  ).map(([check, set]): [Check, string, string] => [
    check,
    `the head has ${set}`,
    `UPDATE customer_head SET ${set} WHERE customer_id = $1`,
  ]),
  ...(
    [
      ["customer_balance", "credit = credit - 0.000000000001"],
      ["customer_held", "held = held - 1"],
      ["customer_issued", "issued = issued + 1"],
    ] as const
  ).map(([check, set]): [Check, string, string] => [
    check,
    "a kept balance is another",
    `UPDATE balance SET ${set} WHERE customer_id = $1 AND held > 0`,
  ]),
  [
    "customer_issued",
    "a kept balance is gone",
    "DELETE FROM balance WHERE customer_id = $1 AND currency = 'EUR'",
  ],
  ...(
    [
      ["grant_remaining", "remaining = remaining + 0.5", "held > 0"],
      ["grant_held", "held = held - 1", "held > 0"],
      ["grant_accrued", "accrued = accrued + 1", "number = 1"],
      ["grant_adjusted_unpaid", "adjusted_unpaid = adjusted_unpaid + 1", "number = 1"],
      ["grant_first_sequence", "first_sequence = first_sequence + 1", "number = 1"],
      ["grant_funded", "amount = amount + 1", "number = 1"],
      ["grant_status", "status = 'ACTIVE'", "status = 'EXHAUSTED'"],
      ["grant_status", "status = 'EXHAUSTED'", "status = 'PENDING'"],
      ["grant_status", "status = 'PENDING'", "status = 'EXHAUSTED'"],
      ["grant_status", "status = 'EXPIRED'", "status = 'VOIDED'"],
      ["grant_status", "status = 'EXHAUSTED'", "status = 'VOIDED'"],
      ["grant_status", "status = 'EXPIRED', expires_at = '8999-01-01'", "status = 'EXHAUSTED'"],
      ["grant_settlement", "settlement_status = 'AUTHORIZED'", "settlement_status = 'PENDING'"],
      ["grant_settlement", "settlement_status = 'PENDING'", "settlement_status = 'SETTLED'"],
      ["grant_settlement", "settlement_status = 'SETTLED'", "settlement_status = 'PENDING'"],
    ] as const
  ).map(([check, set, rows]): [Check, string, string] => [
    check,
    `a grant with ${rows} gets ${set}`,
    `UPDATE credit_grant SET ${set} WHERE customer_id = $1 AND ${rows}`,
  ]),
  [
    "grant_missing",
    "a grant is gone",
    "DELETE FROM credit_grant WHERE customer_id = $1 AND number = 1",
  ],
  ...(
    [
      ["charge_holds", "draw_amounts = ARRAY[10.5]", "status = 'OPEN'"],
      ["charge_amount", "amount = amount + 1", "status = 'SETTLED'"],
      ["charge_amount", "settled_at = NULL", "status = 'SETTLED'"],
      ["charge_amount", "invoiced_amount = 1", "status = 'OPEN'"],
      ["charge_amount", "canceled_at = NULL", "status = 'CANCELED'"],
      ["charge_draws", "first_consumed_sequence = 1", "capture = 'AUTOMATIC'"],
      ["charge_draws", "draw_amounts = ARRAY[19], amount = 19", "amount = 20"],
      [
        "charge_draws",
        `draw_amounts = ARRAY[draw_amounts[2], draw_amounts[1]],
          draw_credit_grant_ids = ARRAY[draw_credit_grant_ids[2], draw_credit_grant_ids[1]]`,
        "currency = 'EUR'",
      ],
      ["charge_returns", "draw_returned = ARRAY[4]", "amount = 30"],
      ["charge_returns", "draw_returned = ARRAY[1]", "amount = 20"],
    ] as const
  ).map(([check, set, rows]): [Check, string, string] => [
    check,
    `a charge with ${rows} gets ${set}`,
    `UPDATE charge SET ${set} WHERE customer_id = $1 AND ${rows}`,
  ]),
  [
    "charge_holds",
    "an open charge is gone",
    "DELETE FROM charge WHERE customer_id = $1 AND status = 'OPEN'",
  ],
  ["charge_draws", "a charge is gone", "DELETE FROM charge WHERE customer_id = $1 AND amount = 20"],
  [
    "charge_returns",
    "a charge that was corrected is gone",
    "DELETE FROM charge WHERE customer_id = $1 AND amount = 30",
  ],
  ...(["subtotal = subtotal + 1", "line_count = 5", "credit_line_count = 1"] as const).map(
    (set): [Check, string, string] => [
      "invoice_lines",
      `a draft gets ${set}`,
      `UPDATE invoice SET ${set} WHERE customer_id = $1 AND kind = 'OVERAGE'`,
    ],
  ),
  ...(
    [
      ["charge_line", "UPDATE invoice_line SET amount = amount + 1", "charge_id IS NOT NULL"],
      ["charge_moments", "UPDATE transfer SET currency = 'EUR'", "event = 'HELD' AND amount = 12"],
      [
        "created_at",
        "UPDATE transfer SET created_at = created_at - interval '1 s'",
        "event = 'HELD'",
      ],
      ["customer_key", "DELETE FROM customer_key", "true"],
      ["grant_terms", "UPDATE credit_grant SET per_unit_cost = 3", "funding_method = 'INVOICE'"],
      [
        "grant_terms",
        "UPDATE credit_grant SET purchase_currency = 'XYZ'",
        "invoice_id IS NOT NULL",
      ],
      ["grant_terms", "UPDATE credit_grant SET invoice_id = NULL", "invoice_id IS NOT NULL"],
      ["grant_terms", "UPDATE credit_grant SET availability = NULL", "invoice_id IS NOT NULL"],
      ["grant_times", "UPDATE credit_grant SET due_at = NULL", "due_at IS NOT NULL"],
      ["grant_times", "UPDATE credit_grant SET voided_at = created_at", "status = 'VOIDED'"],
      ["invoice_numbers", "UPDATE invoice SET issue_number = 2", "issue_number = 1"],
      [
        "invoice_state",
        "UPDATE invoice SET status = 'PAID', paid_at = issued_at",
        "issue_number = 1",
      ],
      [
        "invoice_state",
        "UPDATE invoice SET created_at = created_at - interval '1 s'",
        "kind = 'OVERAGE'",
      ],
      [
        "movement_note",
        "DELETE FROM movement_note",
        "sequence = (SELECT min(sequence) FROM movement_note)",
      ],
      ["object_numbers", "UPDATE invoice SET number = number + 1", "kind = 'PURCHASE'"],
      ["payment_amount", "UPDATE transfer SET amount = 29", "event = 'PAYMENT_SETTLED'"],
      [
        "request_missing",
        "DELETE FROM request",
        "created_at = (SELECT max(created_at) FROM credit_grant)",
      ],
      [
        "request_missing",
        "DELETE FROM request",
        "created_at IN (SELECT settled_at FROM charge WHERE capture = 'MANUAL')",
      ],
      [
        "request_doubled",
        "UPDATE request SET request_id = (SELECT max(c.request_id) FROM charge c WHERE c.customer_id = $1)",
        "created_at = (SELECT max(created_at) FROM credit_grant)",
      ],
      [
        "transfer_account",
        "UPDATE transfer SET credit_account = 'accrued'",
        "event = 'CONSUMED' AND currency = 'EUR' AND amount = 50",
      ],
      ["transfer_charge", "UPDATE transfer SET charge_id = customer_id", "event = 'VOIDED'"],
    ] as const
  ).map(([check, statement, rows]): [Check, string, string] => [
    check,
    `${statement} where ${rows}`,
    `${statement} WHERE customer_id = $1 AND ${rows}`,
  ]),
  [
    "invoice_line",
    "an invoice is gone",
    "DELETE FROM invoice WHERE customer_id = $1 AND kind = 'OVERAGE'",
  ],
];

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
