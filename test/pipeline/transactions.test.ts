/** What holds of the transactions of writes, with another session in their way. */
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CustomerId } from "../../src/ledger/ids.ts";
import { transact, UnclearCommit } from "../../src/pipeline/commit.ts";
import type { Session } from "../../src/pipeline/session.ts";
import { Account } from "../queries/account.ts";
import { openLedger, TENANT, type TestLedger } from "./ledger.ts";

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());

const statement = (text: string) => ({ name: "", text });

function inTransaction<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
  const { writes } = ledger.connections;
  return transact({ writes, tenantId: TENANT, observer: undefined }, work);
}

const POLL_MS = 5;

/** Waits until a command waits for what this session holds. */
async function untilWaitedFor(session: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await session.query(
      "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))",
    );
    if (rows.length > 0) return;
    await sleep(POLL_MS);
  }
}

/**
 * Holds a customer as another replica would, changes kept figures of it, and lets go. Answers what
 * the command came to that was sent meanwhile, and the last moment at which it was held.
 */
async function whileHeld<Result>(customerId: CustomerId, command: () => Promise<Result>) {
  const other: pg.Client = ledger.superuser;
  await other.query("BEGIN");
  await other.query("SELECT FROM customer_head WHERE customer_id = $1 FOR UPDATE", [customerId]);
  const result = command();
  await untilWaitedFor(other);
  // The head stands elsewhere afterwards than where it was when the command began to wait.
  await other.query(
    "UPDATE customer_head SET object_count = object_count + 5 WHERE customer_id = $1",
    [customerId],
  );
  await other.query("UPDATE balance SET issued = issued + 5 WHERE customer_id = $1", [customerId]);
  await other.query("UPDATE credit_grant SET remaining = remaining - 5 WHERE customer_id = $1", [
    customerId,
  ]);
  const { rows } = await other.query<{ at: string }>("SELECT clock_timestamp()::text AS at");
  await other.query("COMMIT");
  return { result: await result, heldUntil: rows[0]?.at };
}

describe("L3 a customer's lock", () => {
  test("is waited for: what another wrote before it let go is seen, and dated before", async () => {
    const account = await Account.open(ledger);
    await account.grant("40");

    const { heldUntil } = await whileHeld(account.id, () => account.charge("1"));

    const { rows } = await ledger.superuser.query(
      `SELECT trim_scale(b.issued) AS issued, trim_scale(g.remaining) AS remaining,
          h.object_count, t.created_at > $2::timestamptz AS later
        FROM customer_head h JOIN balance b USING (customer_id)
          JOIN credit_grant g USING (customer_id) JOIN transfer t USING (customer_id)
        WHERE b.customer_id = $1 AND t.event = 'CONSUMED'`,
      [account.id, heldUntil],
    );
    // Five objects of the other one, besides the grant and the charge.
    expect(rows).toEqual([{ issued: "45", remaining: "34", object_count: "7", later: true }]);
  });
});

describe("W1 the id, the fingerprint and the effect", () => {
  test("commit together, in one transaction", async () => {
    const account = await Account.open(ledger);
    await account.grant("40", { sold: "INVOICE" });

    const { rows } = await ledger.superuser.query(
      `SELECT count(DISTINCT x)::integer AS transactions, count(*)::integer AS rows FROM (
          SELECT xmin::text AS x FROM request WHERE customer_id = $1
          UNION ALL SELECT xmin::text FROM credit_grant WHERE customer_id = $1
          UNION ALL SELECT xmin::text FROM invoice WHERE customer_id = $1
          UNION ALL SELECT xmin::text FROM invoice_line WHERE customer_id = $1
          UNION ALL SELECT xmin::text FROM balance WHERE customer_id = $1
          UNION ALL SELECT xmin::text FROM customer_head WHERE customer_id = $1) s`,
      [account.id],
    );
    expect(rows).toEqual([{ transactions: 1, rows: 6 }]);
  });
});

describe("W2 an answer of success means that the write is durable", () => {
  test("an error that was swallowed in the transaction is no success", async () => {
    const swallowing = inTransaction(async (session) => {
      await session.query(statement("SELECT 1 / 0"), []).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow("COMMIT was answered by ROLLBACK");
  });

  test("a write that changes other than the rows it must is no success", async () => {
    const missing = inTransaction((session) =>
      session.store(statement("UPDATE customer_head SET sequence = 1 WHERE false"), [], 1),
    );
    await expect(missing).rejects.toThrow("stores 1 rows, not 0");
  });

  test("a connection that ends while COMMIT is answered leaves it unclear", async () => {
    const cut = inTransaction(async (session) => {
      const [backend] = await session.rows<{ pid: number }>(
        statement("SELECT pg_backend_pid() AS pid"),
        [],
      );
      await ledger.superuser.query("SELECT pg_terminate_backend($1, 1000)", [backend?.pid]);
    });
    await expect(cut).rejects.toBeInstanceOf(UnclearCommit);
  });

  test.each([
    ["40001", "others were in the way"],
    ["23514", "the data is refused"],
  ])("a COMMIT that the server refuses with %s, because %s, is not unclear", async (code) => {
    await ledger.superuser.query(
      `CREATE FUNCTION refuse_at_commit() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '${code}'; END $$;
        CREATE CONSTRAINT TRIGGER refuse_at_commit AFTER INSERT ON movement_note
          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_at_commit()`,
    );
    const account = await Account.open(ledger);
    const refused = inTransaction((session) =>
      session.query(
        statement(
          `INSERT INTO movement_note (tenant_id, customer_id, sequence, description, metadata)
            VALUES ('${TENANT}', '${account.id}', 1, '', '{}')`,
        ),
        [],
      ),
    );
    await expect(refused).rejects.toMatchObject({ code });
    await ledger.superuser.query(
      "DROP TRIGGER refuse_at_commit ON movement_note; DROP FUNCTION refuse_at_commit",
    );
  });
});
