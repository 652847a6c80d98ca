/**
 * Owns the promise that a page of a filtered list costs the same however much a customer has had:
 * what is sought lies behind tens of thousands of rows that the filter does not choose.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CustomerId } from "../../src/ledger/ids.ts";
import { listCharges } from "../../src/queries/charges.ts";
import { listCreditGrants } from "../../src/queries/credit-grants.ts";
import { CustomerReads } from "../../src/queries/customer-reads.ts";
import { ROWS_MET_MAX } from "../../src/queries/filtered-page.ts";
import type { ListOrder, Page } from "../../src/queries/page.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";
import { fillJournal } from "./long-journal.ts";
import { type Plan, rowsMet } from "./rows-met.ts";

const TRANSFERS = 25_000;
const SPENT_GRANTS = 25_000;

let ledger: TestLedger;
let customerId: CustomerId;
let reads: CustomerReads;
let met = 0;

beforeAll(async () => {
  ledger = await openLedger();
  customerId = await ledger.customer();
  await fillJournal(ledger.superuser, customerId, TRANSFERS);
  // Copies of a grant that is spent, older than all others.
  await ledger.superuser.query(
    `INSERT INTO credit_grant SELECT copy.*
      FROM (SELECT * FROM credit_grant WHERE customer_id = $1 LIMIT 1) g,
        generate_series(1, $2::integer) n,
        jsonb_populate_record(NULL::credit_grant, to_jsonb(g) || jsonb_build_object(
          'credit_grant_id', '00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'),
          'status', 'EXHAUSTED', 'open', false, 'remaining', 0, 'held', 0, 'due_at', null)) copy`,
    [customerId, SPENT_GRANTS],
  );
  await ledger.superuser.query(
    `UPDATE charge SET status = 'OPEN', settled_at = NULL, first_consumed_sequence = NULL,
        hold_expires_at = '8999-01-01'
      WHERE charge_id IN (SELECT charge_id FROM charge WHERE customer_id = $1
        ORDER BY charge_id DESC LIMIT 3)`,
    [customerId],
  );
  const bookDue = ledger.pipeline.bookDue.bind(ledger.pipeline);
  reads = new CustomerReads({ reads: ledger.connections.reads, bookDue });
  explainAll();
});
afterAll(() => ledger.close());

/** Every statement of a read is explained first. */
function explainAll(): void {
  const { reads: pool } = ledger.connections;
  const create = pool.createQueryRunner.bind(pool);
  pool.createQueryRunner = (mode) => {
    const runner = create(mode);
    const query = runner.query.bind(runner);
    runner.query = async (text: string, values?: unknown[], structured?: boolean) => {
      if (text.startsWith("SELECT")) {
        const [row] = await query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
        met = Math.max(met, rowsMet(row["QUERY PLAN"][0].Plan as Plan));
      }
      return query(text, values, structured as true);
    };
    return runner;
  };
}

/** How many items the first page has, whether there are more, and how many rows it met. */
async function first(list: Promise<Page<unknown>>) {
  met = 0;
  const { items, nextToken } = await list;
  return { items: items.length, more: nextToken !== "", met };
}

const grants = (filter: object, order: ListOrder = "OLDEST_FIRST") =>
  listCreditGrants(
    reads,
    { tenantId: TENANT, customerId },
    { statuses: [], fundingMethods: [], currency: null, ...filter },
    { rowsMax: 50, token: "", order },
  );
const charges = (filter: object, order: ListOrder = "OLDEST_FIRST") =>
  listCharges(
    reads,
    { tenantId: TENANT, customerId },
    { statuses: [], currency: null, featureKey: null, ...filter },
    { rowsMax: 50, token: "", order },
  );

test("the grants that can be spent are found at once", async () => {
  const found = await first(grants({ statuses: ["ACTIVE"] }));
  expect(found.items).toBeGreaterThan(0);
  expect(found.met).toBeLessThan(500);
});

test("so are those that wait, and the charges that hold", async () => {
  expect(await first(grants({ statuses: ["PENDING"] }))).toMatchObject({ items: 0, more: false });
  expect(met).toBeLessThan(500);
  expect(await first(charges({ statuses: ["OPEN"] }))).toMatchObject({ items: 3, more: false });
  expect(met).toBeLessThan(500);
});

test("and the newest of all", async () => {
  for (const list of [
    grants({}, "NEWEST_FIRST"),
    grants({ statuses: ["ACTIVE"] }, "NEWEST_FIRST"),
    charges({}, "NEWEST_FIRST"),
    charges({ statuses: ["OPEN"] }, "NEWEST_FIRST"),
  ]) {
    const found = await first(list);
    expect(found.items).toBeGreaterThan(0);
    expect(found.met).toBeLessThan(500);
  }
});

test.each([
  ["grants that are void", () => grants({ statuses: ["VOIDED"] })],
  ["grants of another currency", () => grants({ currency: "JPY" })],
  ["charges that were given up", () => charges({ statuses: ["CANCELED"] })],
  ["charges of a feature that nobody uses", () => charges({ featureKey: "nothing" })],
  ["the newest of such charges", () => charges({ featureKey: "nothing" }, "NEWEST_FIRST")],
])("a page of %s ends where it has met enough, and leads on", async (_, list) => {
  const found = await first(list());
  expect(found).toMatchObject({ items: 0, more: true });
  expect(found.met).toBeLessThanOrEqual(ROWS_MET_MAX);
});
