/** Owns the RPCs of BalanceService: convert, call, convert. */
import { BalanceService } from "../../gen/drawdown/v1/balance_service_pb.ts";
import { watchBalances } from "../queries/balance-watch.ts";
import type { Balances } from "../queries/balances.ts";
import type { CustomerWatch } from "../queries/customer-watch.ts";
import { fromProtoFeatureFilter } from "./from-proto/feature-filter.ts";
import { fromProtoCustomerName, fromProtoOptional } from "./from-proto/id.ts";
import { fromProtoTimestamp } from "./from-proto/timestamp.ts";
import { type ImplementedService, implement } from "./method.ts";
import { toProtoBalanceAnswer } from "./to-proto/balance.ts";

export function makeBalanceService(parts: {
  readonly balances: Balances;
  readonly watch: CustomerWatch;
}): ImplementedService {
  return implement(BalanceService, {
    getBalance: async (request, call) => {
      const answer = await parts.balances.get(fromProtoCustomerName(request, call), {
        currency: fromProtoOptional(request.currency),
        features: fromProtoFeatureFilter(request.featureFilter),
        asOf: fromProtoTimestamp(request.asOf, "as_of"),
      });
      return toProtoBalanceAnswer(answer);
    },
    watchBalance: async function* (request, call) {
      const ask = {
        currency: fromProtoOptional(request.currency),
        features: fromProtoFeatureFilter(request.featureFilter),
      };
      const answers = watchBalances(parts, fromProtoCustomerName(request, call), ask, call.signal);
      for await (const answer of answers) yield toProtoBalanceAnswer(answer);
    },
  });
}
