/** Owns the page of the browser test: it calls the service as a customer's portal would. */
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { BalanceService } from "../../gen/drawdown/v1/balance_service_pb.ts";
import { HistoryService } from "../../gen/drawdown/v1/history_service_pb.ts";
import { MovementOrder } from "../../gen/drawdown/v1/movement_pb.ts";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";

export interface Portal {
  readonly url: string;
  readonly key: string;
  readonly customerId: string;
  readonly isGrpcWeb: boolean;
}

function open({ url, key, isGrpcWeb }: Portal) {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${key}`);
    return next(request);
  };
  const options = { baseUrl: url, interceptors: [authorize], useHttpGet: true };
  const transport = isGrpcWeb ? createGrpcWebTransport(options) : createConnectTransport(options);
  return {
    balances: createClient(BalanceService, transport),
    history: createClient(HistoryService, transport),
  };
}

async function readBalance(portal: Portal): Promise<string> {
  const { balances } = await open(portal).balances.getBalance({ customerId: portal.customerId });
  return balances.map(({ pending, currency }) => `${pending} ${currency}`).join();
}

async function readHistory(portal: Portal): Promise<readonly string[]> {
  const amounts: string[] = [];
  const request = { customerId: portal.customerId, order: MovementOrder.OLDEST_FIRST, pageSize: 1 };
  for await (const { movements } of open(portal).history.streamMovements(request)) {
    amounts.push(...movements.map(({ amount }) => amount));
  }
  return amounts;
}

/** Shows the balance as it changes, until it has been told of `changes`; then hangs up. */
async function watchBalance(portal: Portal, changes: number): Promise<readonly string[]> {
  const seen: string[] = [];
  const controller = new AbortController();
  const watch = open(portal).balances.watchBalance(
    { customerId: portal.customerId },
    { signal: controller.signal },
  );
  try {
    for await (const { balances } of watch) {
      seen.push(balances[0]?.pending ?? "none");
      Object.assign(globalThis, { changesSeen: seen.length });
      if (seen.length === changes) controller.abort();
    }
  } catch (error) {
    seen.push(Code[ConnectError.from(error).code]);
  }
  return seen;
}

/** The code and the reason that the page is refused with. */
async function readRefusal(portal: Portal): Promise<string> {
  try {
    return `not refused but ${await readBalance(portal)}`;
  } catch (error) {
    const refused = ConnectError.from(error);
    const [info] = refused.findDetails(ErrorInfoSchema);
    return `${Code[refused.code]} ${info?.reason}`;
  }
}

Object.assign(globalThis, { readBalance, readHistory, watchBalance, readRefusal });
