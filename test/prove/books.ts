/**
 * Owns what must be true of the books after every run, asked of the database itself in plain SQL
 * and without the service: the journal replayed, the kept figures compared with it, and no
 * operation's effect twice.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Breach, Tally } from "./tally.ts";

/** A question whose every row is a breach. */
interface Question {
  readonly breach: Breach;
  readonly what: string;
  readonly sql: string;
}

const NAMED_MAX = 3;
const BACK_MS_MAX = 180_000;
const BACK_PAUSE_MS = 100;

const gain = (account: string) =>
  `(CASE WHEN credit_account = '${account}' THEN amount ELSE 0 END
    - CASE WHEN debit_account = '${account}' THEN amount ELSE 0 END)`;

/** The journal with balances of its own making, by currency and by grant. */
const REPLAY = `SELECT t.*,
    sum(${gain("customer_credit")}) OVER by_currency AS credit,
    sum(${gain("customer_held")}) OVER by_currency AS held,
    sum(${gain("customer_credit")}) OVER by_grant AS grant_credit,
    sum(${gain("customer_held")}) OVER by_grant AS grant_held,
    lag(booked_at) OVER by_customer AS earlier
  FROM transfer t
  WINDOW by_customer AS (PARTITION BY customer_id ORDER BY sequence),
    by_currency AS (PARTITION BY customer_id, currency ORDER BY sequence),
    by_grant AS (PARTITION BY customer_id, credit_grant_id ORDER BY sequence)`;

const TWICE = (table: string, column: string) =>
  `SELECT customer_id, ${column} AS operation, count(*) FROM ${table}
    WHERE ${column} IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1`;

const QUESTIONS: readonly Question[] = [
  {
    breach: "overspent",
    what: "more left a grant, or a customer's credit, than had come",
    sql: `SELECT customer_id, sequence FROM (${REPLAY}) r
      WHERE credit < 0 OR held < 0 OR grant_credit < 0 OR grant_held < 0`,
  },
  {
    breach: "unbalanced",
    what: "a sequence has a gap",
    sql: `SELECT customer_id, count(*), max(sequence) FROM transfer GROUP BY 1
      HAVING count(*) <> max(sequence) OR min(sequence) <> 1`,
  },
  {
    breach: "unbalanced",
    what: "a transfer carries other balances than the replay",
    sql: `SELECT customer_id, sequence FROM (${REPLAY}) r
      WHERE pending_after <> credit OR settled_after <> credit + held
        OR grant_remaining_after <> grant_credit + grant_held OR grant_held_after <> grant_held
        OR booked_at < earlier OR created_at < booked_at`,
  },
  {
    breach: "unbalanced",
    what: "a business-side account or accrued stands below zero",
    sql: `SELECT customer_id, currency FROM transfer GROUP BY 1, 2
      HAVING sum(${gain("accrued")}) < 0 OR sum(${gain("earnings")}) < 0
        OR sum(${gain("breakage")}) < 0 OR sum(${gain("receivable_authorized")}) > 0`,
  },
  {
    breach: "drifted",
    what: "a kept balance differs from the replay",
    sql: `SELECT customer_id, currency FROM balance b
      FULL JOIN (SELECT customer_id, currency, sum(${gain("customer_credit")}) AS credit,
          sum(${gain("customer_held")}) AS held FROM transfer GROUP BY 1, 2) r
        USING (customer_id, currency)
      WHERE coalesce(b.credit, 0) <> coalesce(r.credit, 0)
        OR coalesce(b.held, 0) <> coalesce(r.held, 0)`,
  },
  {
    breach: "drifted",
    what: "a grant's kept figures differ from the replay",
    sql: `SELECT customer_id, credit_grant_id FROM credit_grant g
      FULL JOIN (SELECT customer_id, credit_grant_id, sum(${gain("customer_credit")}) AS credit,
          sum(${gain("customer_held")}) AS held, sum(${gain("accrued")}) AS accrued
        FROM transfer GROUP BY 1, 2) r USING (customer_id, credit_grant_id)
      WHERE g.customer_id IS NULL OR g.remaining <> coalesce(r.credit + r.held, 0)
        OR g.held <> coalesce(r.held, 0) OR g.accrued <> coalesce(r.accrued, 0)`,
  },
  {
    breach: "drifted",
    what: "a customer's head differs from the journal",
    sql: `SELECT customer_id FROM customer_head h
      FULL JOIN (SELECT customer_id, max(sequence) AS sequence, max(booked_at) AS booked_at
        FROM transfer GROUP BY 1) r USING (customer_id)
      WHERE h.customer_id IS NULL OR h.sequence <> coalesce(r.sequence, 0)
        OR coalesce(h.last_booked_at < r.booked_at, r.booked_at IS NOT NULL)`,
  },
  {
    breach: "drifted",
    what: "a charge differs from its transfers",
    sql: `SELECT customer_id, charge_id FROM charge c
      LEFT JOIN (SELECT customer_id, charge_id,
          sum(amount) FILTER (WHERE event = 'CONSUMED') AS consumed,
          sum(amount) FILTER (WHERE event = 'CORRECTED') AS corrected,
          sum(${gain("customer_held")}) AS held
        FROM transfer WHERE charge_id IS NOT NULL GROUP BY 1, 2) r USING (customer_id, charge_id)
      CROSS JOIN LATERAL (SELECT coalesce(sum(d.amount), 0) AS drawn,
          coalesce(sum(d.returned), 0) AS returned
        FROM unnest(c.draw_amounts, c.draw_returned) d(amount, returned)) k
      WHERE coalesce(r.consumed, 0) <> CASE c.status WHEN 'SETTLED' THEN k.drawn ELSE 0 END
        OR coalesce(r.corrected, 0) <> k.returned
        OR coalesce(r.held, 0) <> CASE c.status WHEN 'OPEN' THEN k.drawn ELSE 0 END
        OR c.status = 'SETTLED' AND c.amount <> k.drawn + c.invoiced_amount`,
  },
  {
    breach: "drifted",
    what: "an invoice differs from its lines",
    sql: `SELECT i.customer_id, i.invoice_id FROM invoice i
      LEFT JOIN invoice_line l USING (customer_id, invoice_id)
      GROUP BY i.customer_id, i.invoice_id, i.subtotal, i.line_count
      HAVING i.subtotal <> coalesce(sum(l.amount), 0)
        OR i.line_count <> count(l.invoice_line_id)`,
  },
  {
    breach: "doubled",
    what: "a charge was made twice for one operation",
    sql: TWICE("charge", "metadata ->> 'operation'"),
  },
  {
    breach: "doubled",
    what: "an id was used for a charge and for something else",
    sql: `SELECT customer_id, request_id FROM request JOIN charge USING (customer_id, request_id)`,
  },
  {
    breach: "doubled",
    what: "a grant was made twice for one operation",
    sql: TWICE("credit_grant", "metadata ->> 'operation'"),
  },
  {
    breach: "doubled",
    what: "an adjustment or correction was booked twice for one operation",
    sql: TWICE("movement_note", "nullif(description, '')"),
  },
];

/** Says where the superuser connects; asked anew each time, because a server may have moved. */
export type Superuser = () => string;

/**
 * Connects as the superuser, whom row-level security does not hide anything from. Right after a
 * fault the server may not be back yet.
 */
export async function withSuperuser<Result>(
  superuser: Superuser,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await connect(superuser);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function connect(superuser: Superuser): Promise<pg.Client> {
  for (const giveUpAt_ms = performance.now() + BACK_MS_MAX; ; ) {
    const client = new pg.Client({ connectionString: superuser(), application_name: "prove" });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (performance.now() > giveUpAt_ms) throw error;
      await sleep(BACK_PAUSE_MS);
    }
  }
}

/** Asks everything, and reports what does not hold. Every breach counts once a row. */
export async function checkBooks(promise: string, superuser: Superuser, tally: Tally) {
  await withSuperuser(superuser, async (client) => {
    for (const { breach, what, sql } of QUESTIONS) {
      const { rows } = await client.query(sql);
      if (rows.length === 0) continue;
      const history = rows.slice(0, NAMED_MAX).map((row) => JSON.stringify(row));
      tally.fail({ promise, breach, what: `${what} (${rows.length} times)`, history }, rows.length);
    }
    const { rows } = await client.query(
      "SELECT count(*) AS n FROM customer_head WHERE sequence > 0",
    );
    tally.historiesChecked += Number(rows[0].n);
  });
}
