/** Owns books in which everything has happened that can, for tests that look for what is wrong. */
import { createCharge } from "../../src/charge/create-charge.ts";
import { updateExternalSettlement } from "../../src/grant/update-external-settlement.ts";
import {
  authorizeInvoicePayment,
  failInvoicePayment,
  voidInvoice,
} from "../../src/invoice/verbs.ts";
import type { GrantId, InvoiceId } from "../../src/ledger/ids.ts";
import type { SettlementStatus } from "../../src/ledger/lot.ts";
import { type Instant, instant, MICROSECONDS_PER_SECOND } from "../../src/money/time.ts";
import { TENANT, type TestLedger } from "../pipeline/ledger.ts";
import { type Account, amount, clockOf } from "./account.ts";

const HOUR = 3_600n * MICROSECONDS_PER_SECOND;

async function inHours(ledger: TestLedger, hours: bigint): Promise<Instant> {
  return instant((await clockOf(ledger)) + hours * HOUR);
}

function report(account: Account, grantId: GrantId, status: SettlementStatus): Promise<GrantId> {
  return account.run(
    (book) => updateExternalSettlement(book, { grantId, status }),
    ({ lot }) => lot.id,
  );
}

/** Grants of every kind, charges in every state, adjustments, corrections and a draft. */
export async function fillBooks(ledger: TestLedger, account: Account): Promise<void> {
  await account.grant("500", { expiresAt: await inHours(ledger, 1n) });
  await account.grant("100", { features: ["api"] });
  await report(account, await account.grant("30", { sold: "EXTERNAL" }), "SETTLED");
  await account.grant("9", { sold: "EXTERNAL" });
  await account.grant("8", { sold: "INVOICE" });
  await account.adjust("7");
  await account.adjust("-2");
  await account.charge("20");
  const both = await account.charge("30", { feature: "api" });
  await account.correct(both, "5");
  const hold = await account.hold("40");
  await account.settle(hold, "25");
  await account.hold("11");
  await account.cancel(await account.hold("12"));
  const rest = await account.charge("1000", { mode: "CREDIT_THEN_INVOICE" });
  await account.correct(rest, "10");
  await account.grant("50", { currency: "EUR" });
  const wrong = await account.grant("60", { currency: "EUR" });
  await account.charge("55", { currency: "EUR" });
  await account.voidGrant(wrong);
}

const CARD = `INSERT INTO rate_card (created_at, number, version, settlement_mode, tenant_id, key,
    name, feature_key, currency, price)
  SELECT ledger_clock(), 1, 1, 'CREDIT_ONLY', $1, 'calls', 'Calls', 'api', 'EUR',
    '{"model": "per_unit", "unit_amount": "0.5"}'
  WHERE NOT EXISTS (SELECT FROM rate_card)`;

/** Then also what needs time to pass, payments in all states, and invoices to their ends. */
export async function fillFurther(ledger: TestLedger, account: Account): Promise<void> {
  await ledger.superuser.query(CARD, [TENANT]);
  await account.grant("90", { currency: "EUR", features: ["api"] });
  const basis = { by: "rate_card", rateCardKey: "calls", quantity: amount("4") } as const;
  const rated = {
    basis,
    capture: "AUTOMATIC",
    holdExpiresAt: null,
    description: "calls",
    metadata: {},
  } as const;
  await account.run(
    (book) => createCharge(book, rated),
    ({ id }) => id,
    { keptIn: "charge" },
  );

  const draft = await draftOf(ledger, account);
  await account.issue(draft);
  await account.charge("3", { mode: "CREDIT_THEN_INVOICE" });
  const credited = await ledger.superuser.query(
    "SELECT charge_id FROM charge WHERE customer_id = $1 AND invoice_id = $2",
    [account.id, draft],
  );
  await account.correct(credited.rows[0].charge_id, "2");
  await account.payInvoice(draft);
  const step = (verb: typeof voidInvoice, invoiceId: InvoiceId) =>
    account.run(
      (book) => verb(book, { invoiceId }),
      ({ id }) => id,
    );
  await account.grant("5", { sold: "INVOICE", currency: "EUR" });
  await account.payInvoice(await newestInvoiceOf(ledger, account));
  await account.grant("6", { sold: "INVOICE", currency: "EUR" });
  const attempted = await newestInvoiceOf(ledger, account);
  await step(authorizeInvoicePayment, attempted);
  await step(failInvoicePayment, attempted);
  await account.grant("7", { sold: "INVOICE", currency: "EUR" });
  await step(voidInvoice, await newestInvoiceOf(ledger, account));

  await report(account, await account.grant("20", { sold: "EXTERNAL" }), "AUTHORIZED");
  await report(account, await account.grant("21", { sold: "EXTERNAL" }), "FAILED");
  await account.grant("40", { currency: "EUR", effectiveAt: await inHours(ledger, 9n) });
  await account.grant("41", { currency: "EUR", expiresAfter: "PT1H" });
  const expiresAt = await inHours(ledger, 1n);
  const holdExpiresAt = await inHours(ledger, 2n);
  await account.grant("33", { currency: "KWD", expiresAt });
  await account.hold("5", { currency: "KWD", holdExpiresAt });
  await account.grant("34", { currency: "KWD", expiresAt: await inHours(ledger, 99n) });
  const returned = await account.charge("50", { currency: "KWD" });
  await ledger.shiftClock("3 hours");
  await account.correct(returned, "30");
  await account.hold("1", { currency: "KWD", holdExpiresAt: await inHours(ledger, 8n) });
}

async function draftOf(ledger: TestLedger, account: Account): Promise<InvoiceId> {
  const { rows } = await ledger.superuser.query(
    "SELECT invoice_id FROM invoice WHERE customer_id = $1 AND status = 'DRAFT'",
    [account.id],
  );
  return rows[0].invoice_id;
}

async function newestInvoiceOf(ledger: TestLedger, account: Account): Promise<InvoiceId> {
  const { rows } = await ledger.superuser.query(
    "SELECT invoice_id FROM invoice WHERE customer_id = $1 ORDER BY number DESC LIMIT 1",
    [account.id],
  );
  return rows[0].invoice_id;
}

const TABLES = `SELECT c.table_name AS name FROM information_schema.columns c
  WHERE c.table_schema = 'public' AND c.column_name = 'customer_id'`;

/** Keeps a copy of all rows of a customer; what it answers puts them back, whatever was done. */
export async function keepBooks(
  { superuser }: TestLedger,
  { id }: Account,
): Promise<() => Promise<void>> {
  const { rows } = await superuser.query<{ name: string }>(TABLES);
  await superuser.query("CREATE SCHEMA kept");
  for (const { name } of rows) {
    await superuser.query(
      `CREATE TABLE kept.${name} AS SELECT * FROM ${name} WHERE customer_id = '${id}'`,
    );
  }
  const putBack = rows.map(
    ({ name }) => `DELETE FROM ${name} WHERE customer_id = '${id}';
      INSERT INTO ${name} SELECT * FROM kept.${name}`,
  );
  return async () => {
    await superuser.query(putBack.join(";"));
  };
}
