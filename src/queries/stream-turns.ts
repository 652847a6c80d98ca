/**
 * Owns how many pages of streams are read at the same time. However many streams there are, they
 * leave connections to those who wait for one answer, and one tenant's leave turns to another's.
 */
import type { TenantId } from "../ledger/ids.ts";

/** Of the connections that read, streams have at most so many at a time, and those of a tenant. */
const SHARE = 1 / 2;
const SHARE_OF_TENANT = 1 / 4;

export class StreamTurns {
  readonly #all: Turns;
  readonly #maxOfTenant: number;
  readonly #tenants = new Map<TenantId, Turns>();

  /** `connections`: how many there are to read with. */
  constructor(connections: number) {
    const part = (share: number) => Math.max(1, Math.floor(share * connections));
    this.#all = new Turns(part(SHARE));
    this.#maxOfTenant = part(SHARE_OF_TENANT);
  }

  /** Reads a page when it is its stream's turn, unless the stream has ended by then. */
  async take<Page>(
    tenantId: TenantId,
    signal: AbortSignal,
    read: () => Promise<Page>,
  ): Promise<Page> {
    const own = this.#tenants.get(tenantId) ?? new Turns(this.#maxOfTenant);
    this.#tenants.set(tenantId, own);
    try {
      return await own.run(signal, () => this.#all.run(signal, read));
    } finally {
      if (own.isIdle && this.#tenants.get(tenantId) === own) this.#tenants.delete(tenantId);
    }
  }
}

/** So many at a time; the others wait in the order in which they came. */
class Turns {
  readonly #max: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get isIdle(): boolean {
    return this.#taken === 0;
  }

  async run<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (this.#taken < this.#max) this.#taken += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      // Whoever waits the longest takes over the turn.
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken -= 1;
      else next();
    }
  }
}
