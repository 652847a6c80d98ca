/**
 * Owns what a batch asks first of the customers that it has locked: the clock, their balances, and
 * what was answered to its request ids before. It is one statement, because each one more takes a
 * twentieth of what a charge takes that is alone.
 */
import { arrayOf } from "../database/array-parameter.ts";
import { assert } from "../errors.ts";
import type { ChargeId, CustomerId } from "../ledger/ids.ts";
import type { Balance } from "../ledger/journal.ts";
import type { Amount } from "../money/amount.ts";
import type { CurrencyCode } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import type { RequestKey } from "./job.ts";
import { customersOf } from "./load-context.ts";
import type { Placed, Places } from "./places.ts";
import type { Session } from "./session.ts";
import { namedRows, type Statement } from "./statement.ts";

/**
 * Rows of balances and of known request ids, each with the clock; where there are none, one row
 * with the clock alone. Charges that settled at once keep their request ids themselves, and are
 * only named here: that an id is known already is rare. Sent after the lock was taken, as a
 * statement of its own (L3). An engine that distributes customers reads the clock apart.
 */
export const READ_OPENING: Statement = {
  name: "read_opening",
  text: `SELECT c.now, k.*
    FROM (SELECT ledger_clock() AS now) c LEFT JOIN (
      SELECT b.ctid, b.customer_id, b.currency, b.credit, b.held, b.issued,
        NULL::text AS request_id, NULL::bytea AS fingerprint, NULL::bytea AS answer,
        NULL::uuid AS charge_id
      FROM balance b WHERE b.customer_id = ANY($1::uuid[])
      UNION ALL
      SELECT NULL, f.customer_id, NULL, NULL, NULL, NULL,
        f.request_id, f.fingerprint, f.answer, f.charge_id
      FROM ${namedRows([{ name: "request_id", type: "text" }], 2)}
      CROSS JOIN LATERAL (
        SELECT q.customer_id, q.request_id, q.fingerprint, q.answer, NULL::uuid AS charge_id
        FROM request q
        WHERE q.customer_id = n.customer_id AND q.request_id = n.request_id
        UNION ALL
        SELECT h.customer_id, h.request_id, h.fingerprint, NULL, h.charge_id
        FROM charge h
        WHERE h.customer_id = n.customer_id AND h.request_id = n.request_id
        OFFSET 0
      ) f
    ) k ON true`,
};

interface BalanceRow {
  readonly customer_id: CustomerId;
  readonly currency: CurrencyCode;
  readonly credit: Amount;
  readonly held: Amount;
  readonly issued: Amount;
}

/** A request id that was answered before. */
export interface FoundRequest {
  readonly customer_id: CustomerId;
  readonly request_id: string;
  readonly fingerprint: Buffer;
  /** Null when a charge is the answer. */
  readonly answer: Buffer | null;
  readonly charge_id: ChargeId | null;
}

type OpeningRow = { readonly now: Instant } & (
  | (Placed<BalanceRow> & { readonly request_id: null })
  | (FoundRequest & { readonly currency: null })
  | { readonly currency: null; readonly request_id: null }
);

export interface Opening {
  readonly clock: Instant;
  readonly balances: readonly Placed<BalanceRow>[];
  readonly requests: readonly FoundRequest[];
}

/** Who asks, and under which id. */
interface Asking {
  readonly customerId: CustomerId;
  readonly request: RequestKey;
}

/** Of these customers, as the array that names them. */
export async function readOpening(
  session: Session,
  customers: Buffer,
  asking: readonly Asking[],
): Promise<Opening> {
  const ids = arrayOf(
    "text",
    asking.map(({ request }) => request.id),
  );
  const values = [customers, customersOf(asking), ids];
  const rows = await session.rows<OpeningRow>(READ_OPENING, values);
  const clock = rows[0]?.now;
  assert(clock !== undefined, "the database has a clock");
  const balances: Placed<BalanceRow>[] = [];
  const requests: FoundRequest[] = [];
  for (const row of rows) {
    if (row.currency !== null) balances.push(row);
    else if (row.request_id !== null) requests.push(row);
  }
  return { clock, balances, requests };
}

/** The balances of each customer, by currency. */
export function balancesByCustomer(
  { balances: rows }: Opening,
  places: Places,
): ReadonlyMap<CustomerId, Map<CurrencyCode, Balance>> {
  const balances = new Map<CustomerId, Map<CurrencyCode, Balance>>();
  for (const row of rows) {
    const { customer_id: customerId, currency, credit, held, issued } = row;
    const own = balances.get(customerId) ?? new Map<CurrencyCode, Balance>();
    const balance: Balance = { currency, credit, held, issued };
    own.set(currency, balance);
    places.keep(balance, row);
    balances.set(customerId, own);
  }
  return balances;
}
