/** Owns finding what was answered to a request id before (W1). */
import { arrayOf } from "../database/array-parameter.ts";
import { assert } from "../errors.ts";
import type { ChargeId, CustomerId } from "../ledger/ids.ts";
import type { Job, StoredAnswer } from "./batch-book.ts";
import { LOAD_CHARGES } from "./load-statements.ts";
import type { FirstAnswer } from "./request-answers.ts";
import type { ChargeRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { namedRows, type Statement } from "./statement.ts";

/**
 * What was kept with a request id. Charges that settled at once keep theirs themselves, and are
 * only named here: that an id is known already is rare.
 */
export const FIND_REQUESTS: Statement = {
  name: "find_requests",
  text: `SELECT f.*
    FROM ${namedRows([{ name: "request_id", type: "text" }], 1)}
    CROSS JOIN LATERAL (
      SELECT q.customer_id, q.request_id, q.fingerprint, q.answer, NULL::uuid AS charge_id
      FROM request q
      WHERE q.customer_id = n.customer_id AND q.request_id = n.request_id
      UNION ALL
      SELECT c.customer_id, c.request_id, c.fingerprint, NULL, c.charge_id
      FROM charge c
      WHERE c.customer_id = n.customer_id AND c.request_id = n.request_id
      OFFSET 0
    ) f`,
};

interface FoundRequest {
  readonly customer_id: CustomerId;
  readonly request_id: string;
  readonly fingerprint: Buffer;
  /** Null when a charge is the answer. */
  readonly answer: Buffer | null;
  readonly charge_id: ChargeId | null;
}

type FirstAnswers = ReadonlyMap<CustomerId, ReadonlyMap<string, FirstAnswer<StoredAnswer>>>;

export async function loadFirstAnswers(
  session: Session,
  jobs: readonly Job[],
): Promise<FirstAnswers> {
  if (jobs.length === 0) return new Map();
  const customers = jobs.map(({ write }) => write.customerId);
  const requests = await session.rows<FoundRequest>(FIND_REQUESTS, [
    arrayOf("uuid", customers),
    arrayOf(
      "text",
      jobs.map(({ write }) => write.request.id),
    ),
  ]);
  if (requests.length === 0) return new Map();
  const charges = await loadCharges(session, requests);
  const found = new Map<CustomerId, Map<string, FirstAnswer<StoredAnswer>>>();
  for (const { customer_id: customerId, request_id: id, fingerprint, ...row } of requests) {
    const stored = row.answer ?? charges.get(`${customerId} ${row.charge_id}`);
    assert(stored !== undefined, "an id that is known has an answer");
    const own = found.get(customerId) ?? new Map<string, FirstAnswer<StoredAnswer>>();
    found.set(customerId, own.set(id, { fingerprint, stored }));
  }
  return found;
}

/** The charges that are answers, by customer and id. */
async function loadCharges(
  session: Session,
  requests: readonly FoundRequest[],
): Promise<ReadonlyMap<string, ChargeRow>> {
  const answers = requests.filter(({ charge_id }) => charge_id !== null);
  if (answers.length === 0) return new Map();
  const customers = answers.map((answer) => answer.customer_id);
  const rows = await session.rows<ChargeRow>(LOAD_CHARGES, [
    arrayOf("uuid", customers),
    arrayOf(
      "uuid",
      answers.map((answer) => answer.charge_id),
    ),
  ]);
  return new Map(rows.map((row) => [`${row.customer_id} ${row.charge_id}`, row]));
}
