/** Owns who waits in a lane for what has fallen due of a customer to be booked (M6). */
import type { CustomerId, TenantId } from "../ledger/ids.ts";

/** A batch books what is due for at most so many customers beside its commands. */
const DUE_CUSTOMERS_MAX = 256;

interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** Whether a batch that books it is under way. */
  taken: boolean;
}

export class DueQueue {
  /** The first tenant's turn is next. */
  readonly #tenants = new Map<TenantId, Map<CustomerId, Waiting>>();

  /** All who ask for the same customer wait for the same booking. */
  add(tenantId: TenantId, customerId: CustomerId): Promise<void> {
    const customers = this.#customersOf(tenantId);
    const known = customers.get(customerId);
    if (known !== undefined) return known.promise;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    customers.set(customerId, { promise, resolve, reject, taken: false });
    return promise;
  }

  /** The tenant's customers to book for in the next batch. */
  take(tenantId: TenantId): readonly CustomerId[] {
    const taken: CustomerId[] = [];
    for (const [customerId, waiting] of this.#tenants.get(tenantId) ?? []) {
      if (waiting.taken) continue;
      if (taken.length === DUE_CUSTOMERS_MAX) break;
      waiting.taken = true;
      taken.push(customerId);
    }
    return taken;
  }

  /** The customers of the next tenant, of those that may be taken. */
  takeTenant(
    mayTake: (tenantId: TenantId) => boolean = () => true,
  ): { readonly tenantId: TenantId; readonly dueOnly: readonly CustomerId[] } | null {
    for (const [tenantId, customers] of this.#tenants) {
      if (!mayTake(tenantId)) continue;
      const dueOnly = this.take(tenantId);
      if (dueOnly.length === 0) continue;
      this.#tenants.delete(tenantId);
      this.#tenants.set(tenantId, customers);
      return { tenantId, dueOnly };
    }
    return null;
  }

  /** Answers those whose booking is done; the others take their turn again, behind all others. */
  settle(
    tenantId: TenantId,
    customers: readonly CustomerId[],
    unfinished: ReadonlySet<CustomerId>,
  ): void {
    for (const customerId of customers) {
      const waiting = this.#tenants.get(tenantId)?.get(customerId);
      if (waiting === undefined) continue;
      waiting.taken = false;
      this.#forget(tenantId, customerId);
      if (unfinished.has(customerId)) {
        this.#customersOf(tenantId).set(customerId, waiting);
        continue;
      }
      waiting.resolve();
    }
  }

  fail(tenantId: TenantId, customers: readonly CustomerId[], error: unknown): void {
    for (const customerId of customers) {
      const waiting = this.#tenants.get(tenantId)?.get(customerId);
      this.#forget(tenantId, customerId);
      waiting?.reject(error);
    }
  }

  #customersOf(tenantId: TenantId): Map<CustomerId, Waiting> {
    const known = this.#tenants.get(tenantId);
    if (known !== undefined) return known;
    const customers = new Map<CustomerId, Waiting>();
    this.#tenants.set(tenantId, customers);
    return customers;
  }

  #forget(tenantId: TenantId, customerId: CustomerId): void {
    const customers = this.#tenants.get(tenantId);
    customers?.delete(customerId);
    if (customers?.size === 0) this.#tenants.delete(tenantId);
  }
}
