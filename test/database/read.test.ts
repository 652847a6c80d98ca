/** How the transaction of a read begins and ends. */
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { readTransaction } from "../../src/database/read.ts";
import { selectRows } from "../../src/queries/statement.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";

const CUSTOMERS = "SELECT customer_id FROM customer";

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openLedger();
  await ledger.customer();
});
afterAll(() => ledger.close());
afterEach(() => {
  vi.restoreAllMocks();
});

const customers = () =>
  readTransaction(ledger.connections.reads, TENANT, (manager) =>
    selectRows(manager, CUSTOMERS, []),
  );

/** Has every BEGIN fail unsent, and keeps what each statement came to. */
function withoutBegin(): Promise<unknown>[] {
  const answers: Promise<unknown>[] = [];
  const send = pg.Client.prototype.query as (...words: unknown[]) => Promise<unknown>;
  vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
    this: pg.Client,
    ...words: unknown[]
  ) {
    if (String(words[0]).startsWith("BEGIN")) return Promise.reject(new Error("no BEGIN today"));
    const answer = send.apply(this, words);
    answers.push(answer);
    return answer as never;
  });
  return answers;
}

describe("the transaction of a read", () => {
  test("sends its first statement behind BEGIN, without waiting for it", async () => {
    let isBegun = false;
    let wasBegun: boolean | undefined;
    const send = pg.Client.prototype.query as (...words: unknown[]) => Promise<unknown>;
    vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
      this: pg.Client,
      ...words: unknown[]
    ) {
      const answer = send.apply(this, words);
      if (words[0] === CUSTOMERS) wasBegun = isBegun;
      if (String(words[0]).startsWith("BEGIN")) {
        void answer.then(() => {
          isBegun = true;
        });
      }
      return answer as never;
    });
    expect(await customers()).toHaveLength(1);
    expect(wasBegun).toBe(false);
  });

  test("that has not begun sees nothing, and tells nobody so", async () => {
    const answers = withoutBegin();
    await expect(customers()).rejects.toThrow("no BEGIN today");
    expect(await answers[0]).toMatchObject({ rows: [] });
  });

  test("that has not begun gives its connection back when its statements have ended", async () => {
    const answers = withoutBegin();
    let isOver = false;
    const slow = readTransaction(ledger.connections.reads, TENANT, async (manager) => {
      await selectRows(manager, "SELECT pg_sleep(0.2)", []);
      await selectRows(manager, CUSTOMERS, []);
      isOver = true;
    });
    await expect(slow).rejects.toThrow("no BEGIN today");
    expect(isOver).toBe(true);
    // Both statements, and the ROLLBACK behind them.
    expect(await Promise.all(answers)).toHaveLength(3);
  });
});
