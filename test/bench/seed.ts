/**
 * Owns the customers of the benchmark. One is made by calls; all others are copies of its rows, and
 * long histories are copies of its charge, so that they look exactly as the service writes them.
 */
import { createClient } from "@connectrpc/connect";
import pg from "pg";
import { FundingMethod } from "../../gen/drawdown/v1/credit_grant_pb.ts";
import { CreditGrantService } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { CustomerService } from "../../gen/drawdown/v1/customer_service_pb.ts";
import { CHARGE, type CustomerRange, customerIdSql } from "./load.ts";
import { AUTHORIZED, createCharge, withTransport } from "./single-calls.ts";

const TEMPLATE_CHARGE = "template-charge";
/** Enough for every charge that any run can make. */
const GRANT_AMOUNT = "1000000000000";
/** What a copied customer has in its journal: the grant, and one charge. */
const SEEDED_MOVEMENTS = 2;

/** A number of customers with a long past, besides the live grant that they draw from. */
export interface History {
  readonly customers: CustomerRange;
  readonly movements: number;
  /** Grants that are used up; each was drawn from by as many charges as there are for one. */
  readonly spentGrants: number;
}

export interface Seed {
  readonly customers: CustomerRange;
  readonly histories: readonly History[];
  /** Customers of whom only the journal exists, to make the table large. */
  readonly journals: { readonly customers: CustomerRange; readonly of: number } | null;
}

/** Makes all customers. `report` is told what is being made. */
export async function seedCustomers(
  where: { readonly grpc: string; readonly superuserUrl: string },
  seed: Seed,
  report: (what: string) => void,
): Promise<void> {
  const template = await createTemplate(where.grpc);
  const database = new pg.Client({ connectionString: where.superuserUrl });
  await database.connect();
  try {
    const copier = new Copier(database, template);
    report(`${seed.customers.count} customers`);
    await copier.copyCustomers(seed.customers);
    for (const history of seed.histories) {
      report(`${history.customers.count} customers with ${history.movements} movements`);
      await copier.copyCustomers(history.customers);
      await copier.addHistory(history);
    }
    if (seed.journals !== null) {
      report(`the journals of ${seed.journals.customers.count} more customers`);
      const numbers = numbersOf(seed.journals.customers);
      const { of } = seed.journals;
      const copyAll = async (own: Copier) => {
        for (const number of numbers) await own.copyJournal(of, number);
      };
      // Two at a time: the server makes each of them on one processor.
      const second = new pg.Client({ connectionString: where.superuserUrl });
      await second.connect();
      await Promise.all([copyAll(copier), copyAll(new Copier(second, template))]).finally(() =>
        second.end(),
      );
    }
    await database.query("VACUUM (ANALYZE)");
    await database.query("CHECKPOINT");
  } finally {
    await database.end();
  }
}

/** Makes the one customer that all others are copied from, and returns its id. */
function createTemplate(grpc: string): Promise<string> {
  return withTransport(grpc, async (transport) => {
    const { customer } = await createClient(CustomerService, transport).createCustomer(
      { requestId: "template", key: "template", name: "Template" },
      AUTHORIZED,
    );
    const customerId = customer?.id ?? "";
    await createClient(CreditGrantService, transport).createCreditGrant(
      {
        requestId: "template-grant",
        customerId,
        name: "Live",
        fundingMethod: FundingMethod.PROMOTIONAL,
        currency: CHARGE.currency,
        amount: GRANT_AMOUNT,
        priority: 100,
      },
      AUTHORIZED,
    );
    await createCharge(transport, customerId, TEMPLATE_CHARGE);
    return customerId;
  });
}

function* numbersOf({ first, count }: CustomerRange): Generator<number> {
  for (let number = first; number < first + count; number += 1) yield number;
}

/** Column by column, the expression that takes the place of the copied value. */
type Instead = Readonly<Record<string, string>>;

const COPIED_TABLES = [
  "customer",
  "customer_key",
  "customer_head",
  "balance",
  "credit_grant",
  "charge",
  "transfer",
  "request",
] as const;

const UNIT = CHARGE.amount;
const LIVE_AMOUNT = `(${GRANT_AMOUNT} - ${UNIT})`;

/** Time never goes back along a journal. */
const LAST_BOOKED_AT = `(SELECT h.last_booked_at FROM customer_head h
  WHERE h.customer_id = t.customer_id)`;

class Copier {
  readonly #database: pg.Client;
  readonly #template: string;
  readonly #columns = new Map<string, readonly string[]>();

  constructor(database: pg.Client, template: string) {
    this.#database = database;
    this.#template = `'${template}'::uuid`;
  }

  async copyCustomers({ first, count }: CustomerRange): Promise<void> {
    const numbers = `generate_series(${first}::bigint, ${first + count - 1}) n(n)`;
    for (const table of COPIED_TABLES) {
      await this.#copy(table, `t.customer_id = ${this.#template}`, numbers, {
        customer_id: customerIdSql("n"),
        ...(table.startsWith("customer") && { key: "'bench-' || n" }),
        ...(table === "customer" && { number: "n + 2" }),
      });
    }
    await this.#database.query("UPDATE tenant SET customer_count = customer_count + $1", [count]);
  }

  /**
   * Gives each of the customers used-up grants and the charges that used them up. The live grant
   * came first, and stands behind all others in draw-down order.
   */
  async addHistory({ customers, movements, spentGrants }: History): Promise<void> {
    const charges = movements - SEEDED_MOVEMENTS - spentGrants;
    const perGrant = spentGrants === 0 ? 0 : charges / spentGrants;
    if (!Number.isInteger(perGrant)) throw new Error("each grant has the same number of charges");
    const ofOne = `t.customer_id BETWEEN ${customerIdSql(`${customers.first}`)}
      AND ${customerIdSql(`${customers.first + customers.count - 1}`)}`;
    const grantId = (number: string) => `lpad(to_hex(${number}), 32, '0')::uuid`;
    const amount = `(${UNIT} * ${perGrant})`;
    const grants = `generate_series(1, ${spentGrants}) g(g)`;
    const first = SEEDED_MOVEMENTS;
    await this.#copy("credit_grant", ofOne, grants, {
      credit_grant_id: grantId("g"),
      number: `${first} + g`,
      first_sequence: `${first} + g`,
      created_at: LAST_BOOKED_AT,
      effective_at: LAST_BOOKED_AT,
      priority: "10",
      status: "'EXHAUSTED'",
      open: "false",
      amount,
      remaining: "0",
    });
    // Every grant was asked for.
    await this.#copy("request", ofOne, grants, {
      created_at: LAST_BOOKED_AT,
      request_id: "'grant-of-the-past-' || g",
    });
    await this.#copy("transfer", `${ofOne} AND t.event = 'FUNDED'`, grants, {
      sequence: `${first} + g`,
      booked_at: LAST_BOOKED_AT,
      created_at: LAST_BOOKED_AT,
      credit_grant_id: grantId("g"),
      amount,
      settled_after: `${LIVE_AMOUNT} + g * ${amount}`,
      pending_after: `${LIVE_AMOUNT} + g * ${amount}`,
      grant_remaining_after: amount,
    });

    const ofLive = spentGrants === 0;
    const chargeId = `lpad(to_hex(${2 ** 40} + c), 32, '0')::uuid`;
    const drawnGrant = ofLive ? "t.credit_grant_id" : grantId(`(c - 1) / ${perGrant} + 1`);
    const afterGrants = first + spentGrants;
    const numbers = `generate_series(1::bigint, ${charges}) c(c)`;
    await this.#copy("charge", `${ofOne} AND t.request_id = '${TEMPLATE_CHARGE}'`, numbers, {
      charge_id: chargeId,
      number: `${afterGrants} + c`,
      first_consumed_sequence: `${afterGrants} + c`,
      request_id: "'charge-of-the-past-' || c",
      ...(!ofLive && { draw_credit_grant_ids: `ARRAY[${drawnGrant}]` }),
    });
    const balance = `${LIVE_AMOUNT} + ${spentGrants} * ${amount} - c * ${UNIT}`;
    await this.#copy("transfer", `${ofOne} AND t.sequence = ${first}`, numbers, {
      sequence: `${afterGrants} + c`,
      credit_grant_id: drawnGrant,
      charge_id: chargeId,
      settled_after: balance,
      pending_after: balance,
      grant_remaining_after: ofLive ? balance : `${amount} - ((c - 1) % ${perGrant} + 1) * ${UNIT}`,
    });
    await this.#bringForward(ofOne, { charges, spentGrants, amount, ofLive });
  }

  /** Brings balances and heads to where the journal has come. */
  async #bringForward(
    ofOne: string,
    past: {
      readonly charges: number;
      readonly spentGrants: number;
      readonly amount: string;
      readonly ofLive: boolean;
    },
  ): Promise<void> {
    const { charges, spentGrants, amount, ofLive } = past;
    const spent = ofLive ? `${charges} * ${UNIT}` : "0";
    const objects = charges + spentGrants;
    await this.#database.query(`UPDATE customer_head t
      SET sequence = sequence + ${objects}, object_count = object_count + ${objects}
      WHERE ${ofOne}`);
    await this.#database.query(`UPDATE balance t
      SET credit = credit - ${spent}, issued = issued + ${spentGrants} * ${amount}
      WHERE ${ofOne}`);
    await this.#database.query(`UPDATE credit_grant t SET remaining = remaining - ${spent}
      WHERE ${ofOne} AND t.open`);
  }

  async copyJournal(from: number, to: number): Promise<void> {
    await this.#copy("transfer", `t.customer_id = ${customerIdSql(`${from}`)}`, "(SELECT 1) once", {
      customer_id: customerIdSql(`${to}`),
    });
  }

  /** Copies the rows of a table once for each row of `times`, with some columns changed. */
  async #copy(table: string, where: string, times: string, instead: Instead): Promise<void> {
    const columns = await this.#columnsOf(table);
    const values = columns.map((column) => instead[column] ?? `t.${column}`);
    await this.#database.query(`INSERT INTO ${table} (${columns.join(", ")})
      SELECT ${values.join(", ")} FROM ${table} t, ${times} WHERE ${where}`);
  }

  async #columnsOf(table: string): Promise<readonly string[]> {
    const known = this.#columns.get(table);
    if (known !== undefined) return known;
    const { rows } = await this.#database.query<{ column_name: string }>(
      "SELECT column_name FROM information_schema.columns WHERE table_name = $1",
      [table],
    );
    const columns = rows.map(({ column_name }) => column_name);
    this.#columns.set(table, columns);
    return columns;
  }
}
