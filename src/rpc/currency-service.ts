/** Owns the RPCs of CurrencyService: convert, call, convert. */
import { CurrencyService } from "../../gen/drawdown/v1/currency_service_pb.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { listCurrencies } from "../queries/currencies.ts";
import type { TenantReads } from "../queries/tenant-reads.ts";
import { createCurrency } from "../registry/create-currency.ts";
import { type ImplementedService, implement } from "./method.ts";
import { compileRegistryWrite } from "./registry-write.ts";
import { toProtoCurrency } from "./to-proto/currency.ts";

export function makeCurrencyService(parts: {
  readonly pipeline: Pipeline;
  readonly reads: TenantReads;
}): ImplementedService {
  const { pipeline, reads } = parts;
  return implement(CurrencyService, {
    createCurrency: async (request, call) =>
      pipeline.submitToRegistry(createCurrencyWrite(request, call)),
    listCurrencies: async (_request, { tenantId }) => ({
      currencies: (await listCurrencies(reads, tenantId)).map(toProtoCurrency),
    }),
  });
}

const createCurrencyWrite = compileRegistryWrite(
  CurrencyService.method.createCurrency,
  ({ code, name, exponent }) => ({
    needs: [{ kind: "currency", code }],
    verb: (registry) => createCurrency(registry, { code, name, exponent }),
    answer: (currency) => ({ currency: toProtoCurrency(currency) }),
  }),
);
