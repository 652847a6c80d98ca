/** Owns the RPCs of HistoryService: convert, call, convert. */
import { HistoryService } from "../../gen/drawdown/v1/history_service_pb.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { CustomerReads } from "../queries/customer-reads.ts";
import type { CustomerWatch } from "../queries/customer-watch.ts";
import type { Movement } from "../queries/movement.ts";
import { makeCursor } from "../queries/movement-filter.ts";
import { readMovementPage } from "../queries/movement-pages.ts";
import { streamMovements } from "../queries/movement-stream.ts";
import type { StreamTurns } from "../queries/stream-turns.ts";
import { fromProtoMovementAsk } from "./from-proto/history.ts";
import { fromProtoCustomerName } from "./from-proto/id.ts";
import { fromProtoPageSize } from "./from-proto/page.ts";
import { type ImplementedService, implement } from "./method.ts";
import { toProtoMovement } from "./to-proto/movement.ts";

/** A stream that follows and has nothing to tell says so this often (H5). */
const IDLE_PAGE_INTERVAL_MS = 30_000;

export function makeHistoryService(parts: {
  readonly customers: CustomerReads;
  readonly watch: CustomerWatch;
  readonly turns: StreamTurns;
}): ImplementedService {
  return implement(HistoryService, {
    listMovements: async (request, call) => {
      const customer = fromProtoCustomerName(request, call);
      const ask = fromProtoMovementAsk(request);
      const page = await readMovementPage(parts.customers, customer, {
        ...ask,
        start: request.cursor,
        rowsMax: fromProtoPageSize(request.pageSize),
        findsOlder: true,
      });
      return {
        movements: toProtoPage(customer.customerId, page.movements),
        olderCursor: page.older === null ? "" : makeCursor(customer, ask, page.older),
        newerCursor: makeCursor(customer, ask, page.newer),
      };
    },
    streamMovements: async function* (request, call) {
      const customer = fromProtoCustomerName(request, call);
      const ask = fromProtoMovementAsk(request);
      const stream = {
        ...ask,
        start: request.cursor,
        rowsMax: fromProtoPageSize(request.pageSize),
        follow: request.follow,
        idleMs: IDLE_PAGE_INTERVAL_MS,
      };
      for await (const page of streamMovements(parts, customer, stream, call.signal)) {
        yield {
          movements: toProtoPage(customer.customerId, page.movements),
          resumeCursor: makeCursor(customer, ask, page.resume),
        };
      }
    },
  });
}

function toProtoPage(customerId: CustomerId, movements: readonly Movement[]) {
  return movements.map((movement) => toProtoMovement(customerId, movement));
}
