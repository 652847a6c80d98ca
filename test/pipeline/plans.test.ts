import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LOCK_FREE } from "../../src/pipeline/batch.ts";
import * as loads from "../../src/pipeline/load-statements.ts";
import { READ_OPENING } from "../../src/pipeline/opening.ts";
import { Places } from "../../src/pipeline/places.ts";
import {
  rowsToStore,
  type Statement,
  storeStatement,
  type TableWrite,
} from "../../src/pipeline/statement.ts";
import * as writes from "../../src/pipeline/writes.ts";
import { openLedger, TENANT, type TestLedger } from "./ledger.ts";

/** As the issue of the hot path asks: with so many customers in the tables. */
const CUSTOMERS = 100_000;

/** A customer has one row of these, or one a currency: what is read of them does not grow. */
const ROWS_PER_CUSTOMER_FEW = ["customer", "customer_head", "balance"];

const isStatement = (value: unknown): value is Statement =>
  typeof value === "object" && value !== null && "text" in value;

const isWrite = (value: unknown): value is TableWrite<never> =>
  typeof value === "object" && value !== null && "part" in value;

const store = (...together: TableWrite<never>[]) =>
  storeStatement(
    together.map((write) => rowsToStore(write, { customers: [], rows: [] }, new Places())),
  );

/** What a batch of charges stores in one statement; everything else is stored table by table. */
const OF_CHARGES = [
  writes.writeHeads,
  writes.updateBalances,
  writes.updateLots,
  writes.insertCharges,
  writes.insertTransfers,
] as readonly TableWrite<never>[];

const HOT: readonly Statement[] = [
  LOCK_FREE,
  READ_OPENING,
  ...Object.values(loads).filter(isStatement),
  ...Object.values(writes)
    .filter(isWrite)
    .map((write) => store(write)),
  store(...OF_CHARGES),
];

let ledger: TestLedger;
let client: pg.Client;

beforeAll(async () => {
  ledger = await openLedger();
  const { superuser } = ledger;
  const id = (number: string) =>
    `('019a0000-0000-7000-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`;
  const grants = (perCustomer: number, customers: number) => `
    INSERT INTO credit_grant (number, first_sequence, created_at, effective_at, priority,
      funding_method, status, open, tenant_id, customer_id, credit_grant_id, currency, amount,
      remaining, held, accrued, adjusted_unpaid, features, name, description, metadata)
    SELECT n, n, now(), now(), 10, 'PROMOTIONAL', CASE WHEN n = 1 THEN 'ACTIVE' ELSE 'EXHAUSTED' END
      ::credit_grant_status, n = 1, '${TENANT}', ${id("c")}, gen_random_uuid(), 'USD', 10,
      CASE WHEN n = 1 THEN 10 ELSE 0 END, 0, 0, 0, '{}', '', '', '{}'
    FROM generate_series(1, ${customers}) c, generate_series(1, ${perCustomer}) n`;
  await superuser.query(`INSERT INTO customer_head (tenant_id, customer_id)
    SELECT '${TENANT}', ${id("c")} FROM generate_series(1, ${CUSTOMERS}) c`);
  await superuser.query(`INSERT INTO customer
      (tenant_id, customer_id, key, name, metadata, number, created_at)
    SELECT '${TENANT}', ${id("c")}, 'customer-' || c, '', '{}', c, now()
    FROM generate_series(1, ${CUSTOMERS}) c`);
  await superuser.query(`INSERT INTO balance (tenant_id, customer_id, currency, credit, held, issued)
    SELECT '${TENANT}', ${id("c")}, 'USD', 10, 0, 10 FROM generate_series(1, ${CUSTOMERS}) c`);
  await superuser.query(grants(2, CUSTOMERS));
  await superuser.query(`INSERT INTO rate_card (created_at, number, version, settlement_mode,
      tenant_id, key, name, feature_key, currency, price)
    SELECT now(), c, 1, 'CREDIT_ONLY', '${TENANT}', 'card-' || c, '', '', 'USD', '{}'
    FROM generate_series(1, 2000) c`);
  // Tables without rows stay as they are on the first day: nobody has analyzed them yet.
  await superuser.query("ANALYZE customer, customer_head, balance, credit_grant, rate_card");
  client = new pg.Client({
    connectionString: ledger.database.appUrl,
    options:
      "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_mergejoin=off -c enable_material=off -c enable_memoize=off",
  });
  await client.connect();
  await client.query("BEGIN");
  await client.query(`SET LOCAL app.tenant = '${TENANT}'`);
}, 120_000);

afterAll(async () => {
  await client.end();
  await ledger.close();
});

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Cond"?: string;
  readonly Filter?: string;
  readonly Plans?: readonly PlanNode[];
}

function* nodesOf(plan: PlanNode): Generator<PlanNode> {
  yield plan;
  for (const inner of plan.Plans ?? []) yield* nodesOf(inner);
}

async function planOf(statement: Statement): Promise<PlanNode> {
  await client.query("SAVEPOINT plan");
  const explain = `EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${statement.text}`;
  const { rows } = await client.query(explain).finally(() => client.query("ROLLBACK TO plan"));
  return rows[0]["QUERY PLAN"][0].Plan;
}

/** What is wrong with how a plan reaches a table; undefined when it goes by whole keys. */
function faultOf(node: PlanNode): string | undefined {
  const table = node["Relation Name"];
  const kind = node["Node Type"];
  if (table === undefined || kind === "ModifyTable" || kind === "Tid Scan") return undefined;
  if (kind !== "Index Scan" && kind !== "Index Only Scan") return `${kind} on ${table}`;
  const condition = node["Index Cond"] ?? "";
  const owner = ["rate_card", "currency"].includes(table) ? "tenant_id" : "customer_id";
  if (!condition.includes(owner)) return `${table} by ${condition}`;
  if (ROWS_PER_CUSTOMER_FEW.includes(table) || condition.includes(" AND ")) return undefined;
  return `all rows of a customer in ${table}, by ${condition}`;
}

describe("the hot statements reach rows by whole keys", () => {
  test.each(HOT.map((statement) => [statement.name, statement] as const))(
    "%s, with a plan for any batch size",
    async (_name, statement) => {
      const nodes = [...nodesOf(await planOf(statement))];
      expect(nodes.flatMap((node) => faultOf(node) ?? [])).toEqual([]);
    },
  );
});

describe("the sweeper's question", () => {
  test("is answered from the index by what falls due first", async () => {
    const { rows } = await client.query(
      "SELECT replace(prosrc, 'customers_max', '500') AS text FROM pg_proc WHERE proname = $1",
      ["customers_due"],
    );
    const nodes = [...nodesOf(await planOf({ name: "customers_due", text: rows[0].text }))];
    const [found] = nodes.filter((node) => node["Relation Name"] === "customer_head");

    expect(found?.["Index Cond"]).toContain("next_due_at <=");
  });
});
