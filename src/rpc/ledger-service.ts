/** Owns the RPCs of LedgerService: convert, call, convert. */
import { LedgerService } from "../../gen/drawdown/v1/ledger_service_pb.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { CustomerReads } from "../queries/customer-reads.ts";
import type { LedgerReads } from "../queries/ledger-reads.ts";
import type { StreamTurns } from "../queries/stream-turns.ts";
import { streamTransfers } from "../queries/transfers.ts";
import { fromProtoCustomerName, fromProtoId, fromProtoOptional } from "./from-proto/id.ts";
import { fromProtoTimestamp } from "./from-proto/timestamp.ts";
import { type ImplementedService, implement } from "./method.ts";
import { toProtoAuditEvent } from "./to-proto/audit.ts";
import { toProtoTimestamp } from "./to-proto/timestamp.ts";
import { toProtoTransfer } from "./to-proto/transfer.ts";
import { toProtoTrialBalanceRow } from "./to-proto/trial-balance.ts";

export function makeLedgerService(parts: {
  readonly customers: CustomerReads;
  readonly ledger: LedgerReads;
  readonly turns: StreamTurns;
}): ImplementedService {
  const { ledger } = parts;
  return implement(LedgerService, {
    listTransfers: async function* (request, call) {
      const customer = fromProtoCustomerName(request, call);
      const pages = streamTransfers(parts, customer, request.fromSequence, call.signal);
      for await (const page of pages) yield { transfers: page.map(toProtoTransfer) };
    },
    getTrialBalance: async (request, { tenantId, signal }) => {
      const ask = {
        currency: fromProtoOptional(request.currency),
        asOf: fromProtoTimestamp(request.asOf, "as_of"),
      };
      const { rows, asOf, completeUntil } = await ledger.trialBalance(tenantId, ask, signal);
      return {
        rows: rows.map(toProtoTrialBalanceRow),
        asOf: toProtoTimestamp(asOf),
        completeUntil: toProtoTimestamp(completeUntil),
      };
    },
    audit: async function* (request, { tenantId, signal }) {
      const { customerId: id } = request;
      const ask = { tenantId, customerId: id === "" ? null : fromProtoId<CustomerId>(id) };
      for await (const event of ledger.audit(ask, signal)) yield toProtoAuditEvent(event);
    },
  });
}
