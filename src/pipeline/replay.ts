/** Owns loading what was answered to request ids that are known (W1). */
import { arrayOf } from "../database/array-parameter.ts";
import { assert } from "../errors.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { StoredAnswer } from "./batch-book.ts";
import { LOAD_CHARGES } from "./load-statements.ts";
import type { FoundRequest } from "./opening.ts";
import type { FirstAnswer } from "./request-answers.ts";
import type { ChargeRow } from "./rows.ts";
import type { Session } from "./session.ts";

type FirstAnswers = ReadonlyMap<CustomerId, ReadonlyMap<string, FirstAnswer<StoredAnswer>>>;

/** Asks for nothing unless some of the ids are known, which is rare. */
export async function loadFirstAnswers(
  session: Session,
  requests: readonly FoundRequest[],
): Promise<FirstAnswers> {
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
