import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { updateCustomer } from "../../src/customer/update-customer.ts";
import { AssertionFailure, Refusal } from "../../src/errors.ts";
import type { CustomerId, TenantId } from "../../src/ledger/ids.ts";
import type { Pipeline } from "../../src/pipeline/pipeline.ts";
import { createCustomer } from "../../src/registry/create-customer.ts";
import { openLedger, TENANT, type TestLedger, writeOf } from "./ledger.ts";
import { customerWrite, registryWrite } from "./registry-writes.ts";

const OTHER_TENANT = "01900000-0000-7000-8000-0000000000ff" as TenantId;

let ledger: TestLedger;
let pipeline: Pipeline;
let replica: Awaited<ReturnType<TestLedger["replica"]>>;

beforeAll(async () => {
  ledger = await openLedger();
  ({ pipeline } = ledger);
  replica = await ledger.replica();
  await ledger.superuser.query(
    "INSERT INTO tenant (tenant_id, name, created_at) VALUES ($1, 'other', clock_timestamp())",
    [OTHER_TENANT],
  );
});

afterAll(async () => {
  await replica.pipeline.idle();
  await replica.close();
  await ledger.close();
});

/** What a command came to: its answer, or the reason of its refusal, or that it is a bug. */
async function outcomeOf(submitted: Promise<string>): Promise<string> {
  try {
    return await submitted;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    return error instanceof AssertionFailure ? "INTERNAL" : String(error);
  }
}

const create = (key: string, over: Parameters<typeof customerWrite>[1] = {}, by = pipeline) =>
  outcomeOf(by.submitToRegistry(customerWrite(key, over)));

async function countOf(sql: string, ...values: unknown[]): Promise<number> {
  const { rows } = await ledger.superuser.query(`SELECT count(*)::integer AS count ${sql}`, values);
  return rows[0].count;
}

const customersOf = (key: string) =>
  countOf(
    `FROM customer c JOIN customer_key k USING (tenant_id, customer_id, key)
      JOIN customer_head h USING (tenant_id, customer_id) WHERE c.key = $1`,
    key,
  );

/** Creation sequences that are missing, doubled or not counted. */
async function findGaps(): Promise<unknown[]> {
  const { rows } = await ledger.superuser.query(
    `SELECT t.tenant_id FROM tenant t LEFT JOIN customer c USING (tenant_id)
      GROUP BY t.tenant_id
      HAVING t.customer_count <> count(c.number) OR t.customer_count <> count(DISTINCT c.number)
        OR t.customer_count <> coalesce(max(c.number), 0)`,
  );
  return rows;
}

describe("a customer that was created", () => {
  test("has its time begin with it, so that nothing of it is dated before", async () => {
    await create("in time");
    const begun = "FROM customer c JOIN customer_head h USING (customer_id)";
    const at = "WHERE c.key = $1 AND h.last_booked_at = c.created_at";
    expect(await countOf(`${begun} ${at}`, "in time")).toBe(1);
  });

  test("has a book from then on", async () => {
    const customerId = (await create("with a book")) as CustomerId;
    expect(await customersOf("with a book")).toBe(1);

    const renamed = await pipeline.submit(
      writeOf({
        customerId,
        verb: (book) => updateCustomer(book, { name: "Renamed", metadata: null }),
        answer: ({ key, name, metadata }) => [key, name, metadata],
      }),
    );
    expect(renamed).toEqual(["with a book", "Renamed", { of: "with a book" }]);
  });

  test("is counted and numbered in the order of arrival", async () => {
    await Promise.all(["one", "two", "three"].map((key) => create(key)));
    const { rows } = await ledger.superuser.query(
      `SELECT c.key FROM customer c WHERE key = ANY($1) ORDER BY c.number`,
      [["three", "two", "one"]],
    );
    expect(rows.map(({ key }) => key)).toEqual(["one", "two", "three"]);
    expect(await findGaps()).toEqual([]);
  });

  test("is dated by the ledger's clock", async () => {
    await ledger.shiftClock("3 days");
    await create("of tomorrow");
    await ledger.shiftClock("0");
    const age = "created_at - clock_timestamp() BETWEEN '71 hours' AND '73 hours'";
    expect(await countOf(`FROM customer WHERE key = 'of tomorrow' AND ${age}`)).toBe(1);
    const request = "FROM tenant_request WHERE created_at > clock_timestamp() + interval '1 day'";
    expect(await countOf(request)).toBe(1);
  });
});

describe("W1 request ids of a tenant", () => {
  test("a repeated request gets the first answer, and writes nothing", async () => {
    const first = await create("repeated", { requestId: "r1" });

    expect(await create("repeated", { requestId: "r1" })).toBe(first);
    expect(await create("repeated", { requestId: "r1" }, replica.pipeline)).toBe(first);
    expect(await customersOf("repeated")).toBe(1);
    expect(await findGaps()).toEqual([]);
  });

  test("a known id with another request is refused before its state is looked at", async () => {
    await create("reused", { requestId: "r2" });

    expect(await create("never created", { requestId: "r2" })).toBe("REQUEST_ID_REUSED");
    expect(await create("repeated", { requestId: "r2" })).toBe("REQUEST_ID_REUSED");
    expect(await customersOf("never created")).toBe(0);
  });

  test("within one batch it is the same", async () => {
    const outcomes = await Promise.all([
      create("batched", { requestId: "r3" }),
      create("batched", { requestId: "r3" }),
      create("batched otherwise", { requestId: "r3" }),
      create("batched", { requestId: "r4" }),
    ]);
    const [first] = outcomes;
    expect(outcomes).toEqual([first, first, "REQUEST_ID_REUSED", "CUSTOMER_KEY_TAKEN"]);
    expect(await customersOf("batched")).toBe(1);
  });

  test("an id that was refused may succeed later", async () => {
    await create("taken");
    expect(await create("taken", { requestId: "r5" })).toBe("CUSTOMER_KEY_TAKEN");
    expect(await create("free", { requestId: "r5" })).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("duplicates at once, on two replicas, are one customer", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        create("at once", { requestId: "r6" }, index % 2 === 0 ? pipeline : replica.pipeline),
      ),
    );
    expect(new Set(outcomes).size).toBe(1);
    expect(outcomes[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(await customersOf("at once")).toBe(1);
  });

  test("tenants share neither ids nor keys", async () => {
    const here = await create("shared", { requestId: "r7" });
    const there = await create("shared", { requestId: "r7", tenantId: OTHER_TENANT });

    expect(there).toMatch(/^[0-9a-f-]{36}$/);
    expect(there).not.toBe(here);
    expect(await customersOf("shared")).toBe(2);
    expect(await findGaps()).toEqual([]);
  });
});

describe("customer keys are unique within the tenant", () => {
  test("of two replicas that want the same key at once, one gets it", async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `contested ${index}`);
    const outcomes = await Promise.all(
      keys.map((key) => Promise.all([create(key), create(key, {}, replica.pipeline)])),
    );
    for (const [index, pair] of outcomes.entries()) {
      expect(pair.filter((outcome) => outcome === "CUSTOMER_KEY_TAKEN")).toHaveLength(1);
      expect(await customersOf(`contested ${index}`)).toBe(1);
    }
    expect(await findGaps()).toEqual([]);
  });

  test("a thousand at once are a thousand customers, by two replicas", async () => {
    const keys = Array.from({ length: 1_000 }, (_, index) => `many ${index}`);
    const ids = await Promise.all(
      keys.map((key, index) => create(key, {}, index % 2 === 0 ? pipeline : replica.pipeline)),
    );
    expect(new Set(ids).size).toBe(1_000);
    expect(await countOf("FROM customer WHERE customer_id = ANY($1)", ids)).toBe(1_000);
    expect(await findGaps()).toEqual([]);
  });
});

describe("the failure of one is not the failure of all", () => {
  test("a bug costs its neighbours nothing, whatever it changed before it showed", async () => {
    const outcomes = await Promise.all([
      create("before the bug"),
      outcomeOf(
        pipeline.submitToRegistry(
          registryWrite([{ kind: "customer_key", key: "bug" }], (registry) => {
            createCustomer(registry, { key: "bug", name: "", metadata: {} });
            throw new Error("a bug");
          }),
        ),
      ),
      create("bug"),
      create("after the bug"),
    ]);
    expect(outcomes[1]).toBe("INTERNAL");
    for (const index of [0, 2, 3]) expect(outcomes[index]).toMatch(/^[0-9a-f-]{36}$/);
    expect(await customersOf("bug")).toBe(1);
    expect(await findGaps()).toEqual([]);
  });

  test("what the database refuses fails alone", async () => {
    const outcomes = await Promise.all([
      create("fine"),
      create("not fine", { name: "a zero byte: \u0000" }),
      create("fine too"),
    ]);
    expect(outcomes[1]).toBe("INTERNAL");
    expect([await customersOf("fine"), await customersOf("fine too")]).toEqual([1, 1]);
    expect(await findGaps()).toEqual([]);
  });

  test("a command for which nobody waits any more is dropped before it begins", async () => {
    const signal = AbortSignal.abort("too late");
    expect(await create("unwanted", { signal })).toBe("too late");
    expect(await customersOf("unwanted")).toBe(0);
  });
});

describe("W2 a link that is cut", () => {
  test("while the tenant is held by another, the command is run again", async () => {
    const { superuser } = ledger;
    await superuser.query("BEGIN");
    await superuser.query("SELECT FROM tenant WHERE tenant_id = $1 FOR UPDATE", [TENANT]);
    const created = create("cut off");
    await cutWaitingBackend();
    await superuser.query("COMMIT");

    expect(await created).toMatch(/^[0-9a-f-]{36}$/);
    expect(await customersOf("cut off")).toBe(1);
  });
});

/** Ends the session that waits for the tenant, once there is one. */
async function cutWaitingBackend(): Promise<void> {
  for (;;) {
    const { rows } = await ledger.superuser.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
  }
}
