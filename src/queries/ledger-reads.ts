/** Owns the reads that look at all books of a tenant: the trial balance and the audit. */
import type { DataSource } from "typeorm";
import { refuse } from "../errors.ts";
import type { TenantId } from "../ledger/ids.ts";
import { type AuditAsk, type AuditEvent, audit } from "./audit/audit.ts";
import { readTrialBalance, type TrialBalance, type TrialBalanceAsk } from "./trial-balance.ts";

/** The connections of audits suffice for so many, and so does the memory of one process. */
const AUDITS_AT_ONCE_MAX = 4;
/** One tenant leaves room for others, also when it gives up audits whose statements go on. */
export const AUDITS_OF_TENANT_MAX = 2;

export class LedgerReads {
  readonly #reads: DataSource;
  readonly #audits: DataSource;
  /** Whose audits are under way. */
  readonly #underWay: TenantId[] = [];

  constructor(pools: { readonly reads: DataSource; readonly audits: DataSource }) {
    this.#reads = pools.reads;
    this.#audits = pools.audits;
  }

  trialBalance(
    tenantId: TenantId,
    ask: TrialBalanceAsk,
    signal: AbortSignal,
  ): Promise<TrialBalance> {
    return readTrialBalance(this.#reads, tenantId, ask, signal);
  }

  async *audit(ask: AuditAsk, signal: AbortSignal): AsyncGenerator<AuditEvent, void, undefined> {
    const { tenantId } = ask;
    const own = this.#underWay.filter((each) => each === tenantId).length;
    if (own >= AUDITS_OF_TENANT_MAX || this.#underWay.length >= AUDITS_AT_ONCE_MAX) {
      throw refuse("OVERLOADED", "as many audits as may be at once are under way; try again later");
    }
    this.#underWay.push(tenantId);
    try {
      yield* audit(this.#audits, ask, signal);
    } finally {
      this.#underWay.splice(this.#underWay.indexOf(tenantId), 1);
    }
  }
}
