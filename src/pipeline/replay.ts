/** Owns finding what was answered to a request id before (W1). */
import type { CustomerId } from "../ledger/ids.ts";
import type { Job, StoredAnswer } from "./batch-book.ts";
import { byKey } from "./load-statements.ts";
import type { FirstAnswer } from "./request-answers.ts";
import { CHARGE_COLUMNS, type ChargeRow } from "./rows.ts";
import type { Session } from "./session.ts";

export const LOAD_REQUESTS = byKey({
  name: "load_requests",
  table: "request",
  alias: "q",
  key: { request_id: "text" },
  columns: "q.customer_id, q.request_id, q.fingerprint, q.answer",
});

/** Charges that settled at once keep their request id themselves. */
export const LOAD_CHARGE_REQUESTS = byKey({
  name: "load_charge_requests",
  table: "charge",
  alias: "c",
  key: { request_id: "text" },
  columns: `c.request_id, c.fingerprint, ${CHARGE_COLUMNS}`,
});

interface RequestRow {
  readonly customer_id: CustomerId;
  readonly request_id: string;
  readonly fingerprint: Buffer;
  readonly answer: Buffer;
}

type FirstAnswers = ReadonlyMap<CustomerId, ReadonlyMap<string, FirstAnswer<StoredAnswer>>>;

export async function loadFirstAnswers(
  session: Session,
  jobs: readonly Job[],
): Promise<FirstAnswers> {
  if (jobs.length === 0) return new Map();
  const customers = jobs.map(({ write }) => write.customerId);
  const values = [[...new Set(customers)], customers, jobs.map(({ write }) => write.request.id)];
  const [requests, charges] = await Promise.all([
    session.rows<RequestRow>(LOAD_REQUESTS, values),
    session.rows<ChargeRow & Omit<RequestRow, "answer">>(LOAD_CHARGE_REQUESTS, values),
  ]);
  const found = new Map<CustomerId, Map<string, FirstAnswer<StoredAnswer>>>();
  const keep = (row: Omit<RequestRow, "answer">, stored: StoredAnswer) => {
    const own = found.get(row.customer_id) ?? new Map<string, FirstAnswer<StoredAnswer>>();
    own.set(row.request_id, { fingerprint: row.fingerprint, stored });
    found.set(row.customer_id, own);
  };
  for (const row of requests) keep(row, row.answer);
  for (const row of charges) keep(row, row);
  return found;
}
