/** Owns the reads that look at all books of a tenant: the trial balance and the audit. */
import type { DataSource } from "typeorm";
import type { TenantId } from "../ledger/ids.ts";
import { type AuditAsk, type AuditEvent, audit } from "./audit/audit.ts";
import { readTrialBalance, type TrialBalance, type TrialBalanceAsk } from "./trial-balance.ts";

export class LedgerReads {
  readonly #reads: DataSource;

  constructor(reads: DataSource) {
    this.#reads = reads;
  }

  trialBalance(
    tenantId: TenantId,
    ask: TrialBalanceAsk,
    signal: AbortSignal,
  ): Promise<TrialBalance> {
    return readTrialBalance(this.#reads, tenantId, ask, signal);
  }

  audit(ask: AuditAsk, signal: AbortSignal): AsyncGenerator<AuditEvent, void, undefined> {
    return audit(this.#reads, ask, signal);
  }
}
