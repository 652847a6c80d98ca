/**
 * Owns the command `audit`: replays the journal of every tenant, or of one customer, and prints a
 * line for each thing that does not add up. It exits with 0 when everything does, with 1 when it
 * does not, and with 2 when it was asked for what is not there.
 */
import type { Config } from "./config.ts";
import { openDatabaseOf } from "./database-of.ts";
import { Refusal } from "./errors.ts";
import type { CustomerId } from "./ledger/ids.ts";
import type { AuditEvent } from "./queries/audit/audit.ts";
import { LedgerReads } from "./queries/ledger-reads.ts";
import { everyTenant } from "./queries/tenants.ts";
import type { Tenant } from "./registry/tenant.ts";

const CUSTOMER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What one tenant's audit came to; null when the customer is none of the tenant's. */
type TenantFindings = number | null;

export async function audit(config: Config, words: readonly string[]): Promise<number> {
  const [customer = null, ...rest] = words;
  if (rest.length > 0 || (customer !== null && !CUSTOMER_ID.test(customer))) {
    process.stderr.write("Usage: drawdown audit [customer_id]\n");
    return 2;
  }
  const database = await openDatabaseOf(config, { readsOnly: true });
  try {
    const { connections } = database;
    const ledger = new LedgerReads(connections);
    const results: TenantFindings[] = [];
    for await (const tenant of everyTenant(connections.reads)) {
      results.push(await auditTenant(ledger, tenant, customer as CustomerId | null));
    }
    const audited = results.filter((findings) => findings !== null);
    if (audited.length > 0) return audited.every((findings) => findings === 0) ? 0 : 1;
    process.stderr.write(`There is no customer ${customer}.\n`);
    return 2;
  } finally {
    await database.close();
  }
}

async function auditTenant(
  ledger: LedgerReads,
  tenant: Tenant,
  customerId: CustomerId | null,
): Promise<TenantFindings> {
  const ask = { tenantId: tenant.id, customerId };
  let findings = 0;
  try {
    for await (const event of ledger.audit(ask, new AbortController().signal)) {
      if (event.kind === "summary") findings = event.findings;
      report(tenant, event);
    }
    return findings;
  } catch (error) {
    if (error instanceof Refusal && error.reason === "CUSTOMER_NOT_FOUND") return null;
    throw error;
  }
}

/** Findings and the summary go to stdout; progress is shown to whoever watches a terminal. */
function report(tenant: Tenant, event: AuditEvent): void {
  switch (event.kind) {
    case "finding":
      process.stdout.write(`${JSON.stringify(event.finding, asText)}\n`);
      return;
    case "progress":
      if (process.stderr.isTTY) {
        process.stderr.write(`\r${event.customers} customers, ${event.transfers} transfers `);
      }
      return;
    case "summary":
      if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
      process.stdout.write(
        `tenant ${tenant.name}: ${event.customers} customers, ${event.transfers} transfers, ` +
          `${event.findings} findings\n`,
      );
  }
}

const asText = (_key: string, value: unknown) =>
  typeof value === "bigint" ? value.toString() : value;
