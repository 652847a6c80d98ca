/**
 * Owns looking: pure code runs on a copy of a customer's book that nobody will store, with what
 * falls due booked on it. So a preview or a forecast cannot differ from what would be booked.
 */
import type { DataSource, EntityManager } from "typeorm";
import type { Book } from "../book/book.ts";
import { NotLoaded } from "../book/need.ts";
import type { DueBounds } from "../charge/book-due.ts";
import { customerNotFound } from "../customer/customer-not-found.ts";
import { setTenant, withConnection } from "../database/connection.ts";
import { databaseFailure, databaseUnavailable } from "../database/sql-state.ts";
import { assert, type Refusal, refuse } from "../errors.ts";
import { bookingMoment, type Instant, laterOf } from "../money/time.ts";
import { type LockedRow, openBook } from "./batch.ts";
import { LOAD_ROUNDS_MAX } from "./batch-book.ts";
import type { CurrencyCache } from "./currency-cache.ts";
import type { Look, Snapshot } from "./job.ts";
import { loadNeeds } from "./load.ts";
import { customersOf, type LoadContext } from "./load-context.ts";
import { bookAllDue } from "./load-due.ts";
import { balancesByCustomer, readOpening } from "./opening.ts";
import { Places } from "./places.ts";
import { Session } from "./session.ts";
import type { Statement } from "./statement.ts";

/**
 * A look books at most so much on its copy, which it holds in memory. It takes some 0.3 s, in which
 * nobody else is served.
 */
const LOOK_BOUNDS: DueBounds = { eventsMax: 20_000, transfersMax: 200_000 };

const READ_HEAD: Statement = {
  name: "read_head",
  text: `SELECT customer_id, sequence, last_booked_at, next_due_at, object_count, invoice_count
    FROM customer_head WHERE customer_id = ANY($1::uuid[])`,
};

export interface LookParts {
  readonly reads: DataSource;
  readonly currencies: CurrencyCache;
  readonly random32: () => number;
}

export async function lookAtBook<Result>(
  parts: LookParts,
  look: Look<Result>,
  bounds: DueBounds = LOOK_BOUNDS,
): Promise<Result> {
  const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${setTenant(look.tenantId)}`;
  try {
    return await withConnection(parts.reads, async ({ client, manager }) => {
      const begun = client.query(begin);
      await begun;
      const session = new Session(client, begun);
      const result = await lookIn({ session, manager }, parts, look, bounds);
      await client.query("COMMIT");
      return result;
    });
  } catch (error) {
    const failure = databaseFailure(error);
    throw failure === "bug" || failure === "data" ? error : databaseUnavailable(error);
  }
}

async function lookIn<Result>(
  { session, manager }: { readonly session: Session; readonly manager: EntityManager },
  parts: LookParts,
  look: Look<Result>,
  bounds: DueBounds,
): Promise<Result> {
  const named = customersOf([look]);
  const [heads, opening] = await Promise.all([
    session.rows<LockedRow>(READ_HEAD, [named]),
    readOpening(session, named, []),
  ]);
  const head = heads[0];
  if (head === undefined) throw customerNotFound(look.customerId);
  const { clock } = opening;
  const places = new Places();
  const book = openBook(head, {
    clock: look.until === null ? clock : laterOf(look.until, clock),
    balances: balancesByCustomer(opening, places).get(head.customer_id) ?? new Map(),
    random32: parts.random32,
  });
  const context: LoadContext = {
    session,
    tenantId: look.tenantId,
    currencies: parts.currencies,
    books: new Map([[book.customerId, book]]),
    places,
  };
  const unfinished = await bookAllDue(context, bounds);
  if (unfinished.size > 0) throw tooMuchDue(look.until);
  const { sequence, last_booked_at: lastBookedAt, next_due_at: nextDueAt } = head;
  const now = bookingMoment(clock, lastBookedAt);
  return await runLook(context, book, look, { manager, sequence, nextDueAt, now });
}

/** What is due now is soon booked, and the look can be had then; a forecast may ask for less. */
function tooMuchDue(until: Instant | null): Refusal {
  if (until === null) return refuse("OVERLOADED", "too much is due; it is being booked");
  const message = "more falls due until then than can be forecast; ask for an earlier moment";
  return refuse("INVALID_REQUEST", message, {}, "as_of");
}

async function runLook<Result>(
  context: LoadContext,
  book: Book,
  look: Look<Result>,
  snapshot: Snapshot,
): Promise<Result> {
  let needs = look.needs;
  for (let round = 0; round < LOAD_ROUNDS_MAX; round += 1) {
    await loadNeeds(context, new Map([[book.customerId, needs]]));
    try {
      return await look.look(book, snapshot);
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error;
      needs = error.needs;
    }
  }
  assert(false, "a look knows what it wants");
}
