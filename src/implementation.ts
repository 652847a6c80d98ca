/** Owns what implements the contract: which services there are, and what each is made of. */
import { sizeOf } from "./database/connection.ts";
import type { Database } from "./database/data-source.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";
import { AccessReads } from "./queries/access-reads.ts";
import { Balances } from "./queries/balances.ts";
import { CustomerReads } from "./queries/customer-reads.ts";
import { CustomerWatch } from "./queries/customer-watch.ts";
import { LedgerReads } from "./queries/ledger-reads.ts";
import { StreamTurns } from "./queries/stream-turns.ts";
import { TenantReads } from "./queries/tenant-reads.ts";
import { makeAccessService } from "./rpc/access-service.ts";
import { makeBalanceService } from "./rpc/balance-service.ts";
import { makeChargeService } from "./rpc/charge-service.ts";
import { makeCreditGrantService } from "./rpc/credit-grant-service.ts";
import { makeCurrencyService } from "./rpc/currency-service.ts";
import { makeCustomerService } from "./rpc/customer-service.ts";
import { makeHistoryService } from "./rpc/history-service.ts";
import { makeInvoiceService } from "./rpc/invoice-service.ts";
import { makeLedgerService } from "./rpc/ledger-service.ts";
import type { ImplementedService } from "./rpc/method.ts";
import { makeRateCardService } from "./rpc/rate-card-service.ts";

export function implementContract(parts: {
  readonly connections: Pick<Database, "reads" | "audits">;
  readonly pipeline: Pipeline;
}): readonly ImplementedService[] {
  const { pipeline, connections } = parts;
  const { reads } = connections;
  const tenants = new TenantReads(reads);
  const bookDue = pipeline.bookDue.bind(pipeline);
  const lookAhead = pipeline.look.bind(pipeline);
  const customers = new CustomerReads({ reads, bookDue });
  const balances = new Balances({ reads, bookDue, lookAhead });
  const watch = new CustomerWatch({ reads, notices: pipeline.notices });
  const turns = new StreamTurns(sizeOf(reads));
  return [
    makeCustomerService({ pipeline, reads: tenants }),
    makeCurrencyService({ pipeline, reads: tenants }),
    makeCreditGrantService({ pipeline, reads: customers }),
    makeInvoiceService({ pipeline, reads: customers }),
    makeRateCardService({ pipeline, reads: tenants }),
    makeChargeService({ pipeline, reads: customers }),
    makeBalanceService({ balances, watch }),
    makeHistoryService({ customers, watch, turns }),
    makeLedgerService({ customers, ledger: new LedgerReads(connections), turns }),
    makeAccessService({ pipeline, reads: new AccessReads(reads) }),
  ];
}
