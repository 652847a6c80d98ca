/**
 * Owns what a caller was recognized as, and the streams that were opened with it: they end when the
 * credential does.
 */
import { type Refusal, refuse } from "../errors.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import type { Role } from "../registry/api-key.ts";

/** Whose call it is, and how far it may go. */
export interface Principal {
  readonly tenantId: TenantId;
  readonly role: Role;
  /** The only customer that the caller sees and touches; null for all of the tenant. */
  readonly customerId: CustomerId | null;
}

/** What can be told to end. */
interface Endable {
  abort(reason: Refusal): void;
}

export class Credential {
  /** Tells it from all others, and opens nothing: it stands in the log. */
  readonly id: string;
  readonly principal: Principal;
  readonly #streams = new Set<Endable>();

  constructor(id: string, principal: Principal) {
    this.id = id;
    this.principal = principal;
  }

  get hasStreams(): boolean {
    return this.#streams.size > 0;
  }

  enter(stream: Endable): void {
    this.#streams.add(stream);
  }

  leave(stream: Endable): void {
    this.#streams.delete(stream);
  }

  /** Ends every stream that was opened with it. */
  end(): void {
    for (const stream of this.#streams) stream.abort(notValid());
  }
}

/** Which of the possible faults a credential has is not told. */
export function notValid(): Refusal {
  return refuse("UNAUTHENTICATED", "The API key is not valid.");
}
