/**
 * Owns what is handed to the pipeline: a verb to run on a customer's book or on the tenant's
 * registry, and what surrounds it.
 */
import type { EntityManager } from "typeorm";
import type { Book } from "../book/book.ts";
import type { Need } from "../book/need.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import type { Instant } from "../money/time.ts";
import type { Registry, RegistryNeed } from "../registry/registry.ts";

/** The caller's id of a request and the fingerprint of what it asked for (W1). */
export interface RequestKey {
  readonly id: string;
  readonly fingerprint: Uint8Array;
}

/** What every mutation has in common. */
export interface Command<Result, Answer> {
  readonly tenantId: TenantId;
  readonly request: RequestKey;
  /** Makes the answer at once, before the next command changes what the result shows. */
  readonly answer: (result: Result) => Answer;
  /** The stored form of the answer, which is replayed for ever (W1). */
  readonly encode: (answer: Answer) => Uint8Array;
  readonly decode: (stored: Uint8Array) => Answer;
  /** Aborted when nobody waits any more; a command that has not begun by then is dropped. */
  readonly signal: AbortSignal;
  /** About how many bytes the command holds in memory, for the lane's bound. */
  readonly sizeBytes: number;
}

/** One mutation of one customer. */
export interface Write<Result, Answer> extends Command<Result, Answer> {
  readonly customerId: CustomerId;
  /** What the verb will surely ask for: loaded before it runs, so that it runs once. */
  readonly needs: readonly Need[];
  readonly verb: (book: Book) => Result;
  /**
   * `charge`: the result is a charge that settled at once; its own row keeps the request id and is
   * the stored answer. `request`: the encoded answer is kept with the id.
   */
  readonly keptIn: "charge" | "request";
}

/** One mutation of what a tenant has registered: customers, currencies, rate cards, API keys. */
export interface RegistryWrite<Result, Answer> extends Command<Result, Answer> {
  /** The customer that the command names, if any: looked for before the request id is (W3). */
  readonly customerId?: CustomerId;
  /** All that the verb can ask for. */
  readonly needs: readonly RegistryNeed[];
  readonly verb: (registry: Registry) => Result;
}

/** A look at a customer's book that changes nothing: previews and forecasts. */
export interface Look<Result> {
  readonly tenantId: TenantId;
  readonly customerId: CustomerId;
  readonly needs: readonly Need[];
  /** Books on the copy what will fall due until then; null: what is due now. */
  readonly until: Instant | null;
  readonly look: (book: Book, snapshot: Snapshot) => Result | Promise<Result>;
}

/** What a copy of a book was taken of. Rows that it has not loaded can be read beside it. */
export interface Snapshot {
  readonly manager: EntityManager;
  /** As the customer's head says. */
  readonly sequence: bigint;
  readonly nextDueAt: Instant | null;
  /** The later of the database's clock and the customer's last booking (L3). */
  readonly now: Instant;
}
