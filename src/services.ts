/** Owns which services the contract is served by, and what each of them is made of. */
import type { DataSource } from "typeorm";
import type { Pipeline } from "./pipeline/pipeline.ts";
import { CustomerReads } from "./queries/customer-reads.ts";
import { TenantReads } from "./queries/tenant-reads.ts";
import { makeChargeService } from "./rpc/charge-service.ts";
import { makeCreditGrantService } from "./rpc/credit-grant-service.ts";
import { makeCurrencyService } from "./rpc/currency-service.ts";
import { makeCustomerService } from "./rpc/customer-service.ts";
import { makeInvoiceService } from "./rpc/invoice-service.ts";
import type { ImplementedService } from "./rpc/method.ts";
import { makeRateCardService } from "./rpc/rate-card-service.ts";

export function makeServices(parts: {
  readonly reads: DataSource;
  readonly pipeline: Pipeline;
}): readonly ImplementedService[] {
  const { pipeline, reads } = parts;
  const ofTenant = new TenantReads(reads);
  const bookDue = pipeline.bookDue.bind(pipeline);
  const ofCustomer = new CustomerReads({ reads, bookDue });
  return [
    makeCustomerService({ pipeline, reads: ofTenant }),
    makeCurrencyService({ pipeline, reads: ofTenant }),
    makeRateCardService({ pipeline, reads: ofTenant }),
    makeCreditGrantService({ pipeline, reads: ofCustomer }),
    makeChargeService({ pipeline, reads: ofCustomer }),
    makeInvoiceService({ pipeline, reads: ofCustomer }),
  ];
}
