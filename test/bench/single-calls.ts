/** Owns the calls that are not load: one charge to look at, and the audit of some customers. */
import { randomUUID } from "node:crypto";
import { createClient, type Transport } from "@connectrpc/connect";
import { SettlementMode } from "../../gen/drawdown/v1/charge_pb.ts";
import { ChargeService } from "../../gen/drawdown/v1/charge_service_pb.ts";
import { LedgerService } from "../../gen/drawdown/v1/ledger_service_pb.ts";
import { createGrpcJsTransport } from "../server/grpc-js-transport.ts";
import { CHARGE } from "./load.ts";
import { BENCH_KEY } from "./spawned-service.ts";

export const AUTHORIZED = { headers: { authorization: `Bearer ${BENCH_KEY}` } };

/** Lends a transport to the gRPC port. */
export async function withTransport<Result>(
  grpc: string,
  use: (transport: Transport) => Promise<Result>,
): Promise<Result> {
  const transport = createGrpcJsTransport(grpc);
  try {
    return await use(transport);
  } finally {
    transport.close();
  }
}

/** Makes one charge. */
export async function createCharge(
  transport: Transport,
  customerId: string,
  requestId: string = randomUUID(),
): Promise<void> {
  const settlementMode = SettlementMode.CREDIT_ONLY;
  const request = { requestId, customerId, settlementMode, ...CHARGE };
  await createClient(ChargeService, transport).createCharge(request, AUTHORIZED);
}

/** Has the service audit each customer; throws when books do not add up. Returns how many. */
export function auditCustomers(grpc: string, customerIds: readonly string[]): Promise<number> {
  return withTransport(grpc, async (transport) => {
    const ledger = createClient(LedgerService, transport);
    let audited = 0;
    for (const customerId of customerIds) {
      for await (const { event } of ledger.audit({ customerId }, AUTHORIZED)) {
        if (event.case === "finding") throw new Error(`the audit says: ${event.value.message}`);
        if (event.case === "summary") audited += Number(event.value.customers);
      }
    }
    if (audited !== customerIds.length) throw new Error(`only ${audited} customers were audited`);
    return audited;
  });
}
