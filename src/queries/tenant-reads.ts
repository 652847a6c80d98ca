/** Owns how what a tenant has registered is read: each answer from one snapshot of its rows. */
import type { DataSource, EntityManager } from "typeorm";
import { readTransaction } from "../database/read.ts";
import type { TenantId } from "../ledger/ids.ts";

export class TenantReads {
  readonly #reads: DataSource;

  constructor(reads: DataSource) {
    this.#reads = reads;
  }

  read<Answer>(
    tenantId: TenantId,
    work: (manager: EntityManager) => Promise<Answer>,
  ): Promise<Answer> {
    return readTransaction(this.#reads, tenantId, work);
  }
}
