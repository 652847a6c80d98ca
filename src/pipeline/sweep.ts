/**
 * Owns the sweeper: it finds idle customers for whom something has fallen due, of all tenants, and
 * has it booked. It only tidies up: every read and write sees to what is due by itself (M6).
 */
import type { DataSource } from "typeorm";
import { withConnection } from "../database/connection.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import type { Pipeline } from "./pipeline.ts";

/** Between the end of one sweep and the beginning of the next. */
const SWEEP_PAUSE_MS = 1_000;
const CUSTOMERS_MAX = 500;
/** So few at a time, that the batches of those who wait for an answer hardly grow by them. */
const CUSTOMERS_AT_ONCE_MAX = 16;

const CUSTOMERS_DUE = "SELECT tenant_id, customer_id FROM customers_due($1)";

interface DueCustomer {
  readonly tenant_id: TenantId;
  readonly customer_id: CustomerId;
}

export interface SweeperParts {
  readonly reads: DataSource;
  readonly pipeline: Pipeline;
  /** Told of what went wrong; the next sweep comes all the same. */
  readonly report: (error: unknown) => void;
}

export class Sweeper {
  readonly #parts: SweeperParts;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#sweepAndGoOn(), SWEEP_PAUSE_MS);
    // A process that has nothing else to do ends.
    this.#timer.unref();
  }

  /** Submits nothing any more. What was submitted is the pipeline's to finish. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Books what is due now for the customers that have waited longest, and waits until it is. */
  async sweep(): Promise<void> {
    let due: DueCustomer[];
    try {
      due = await this.#listDue();
    } catch (error) {
      this.#report(error);
      return;
    }
    const rest = due.values();
    const bookOneByOne = async () => {
      for (const customer of rest) {
        if (this.#stopped) return;
        await this.#book(customer);
      }
    };
    await Promise.all(Array.from({ length: CUSTOMERS_AT_ONCE_MAX }, bookOneByOne));
  }

  async #sweepAndGoOn(): Promise<void> {
    await this.sweep();
    if (!this.#stopped) this.start();
  }

  /** One statement, of no tenant: the function looks across them. */
  #listDue(): Promise<DueCustomer[]> {
    return withConnection(this.#parts.reads, async ({ client }) => {
      const { rows } = await client.query<DueCustomer>(CUSTOMERS_DUE, [CUSTOMERS_MAX]);
      return rows;
    });
  }

  async #book(customer: DueCustomer): Promise<void> {
    try {
      await this.#parts.pipeline.bookDue(customer.tenant_id, customer.customer_id);
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    if (!this.#stopped) this.#parts.report(error);
  }
}
