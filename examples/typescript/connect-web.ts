/**
 * A tour of Drawdown with connect-web, as a browser takes it: grant, hold, settle, balance, history,
 * a refusal. It runs in Node as well, which has fetch too.
 */
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { BalanceService } from "../../gen/drawdown/v1/balance_service_pb.ts";
import { Capture, SettlementMode } from "../../gen/drawdown/v1/charge_pb.ts";
import { ChargeService } from "../../gen/drawdown/v1/charge_service_pb.ts";
import { FundingMethod } from "../../gen/drawdown/v1/credit_grant_pb.ts";
import { CreditGrantService } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { CustomerService } from "../../gen/drawdown/v1/customer_service_pb.ts";
import { HistoryService } from "../../gen/drawdown/v1/history_service_pb.ts";
import { MovementOrder, MovementTypeSchema } from "../../gen/drawdown/v1/movement_pb.ts";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";

const { DRAWDOWN_URL = "http://127.0.0.1:8080", DRAWDOWN_KEY = "" } = process.env;
const ATTEMPTS_MAX = 5;
const PAUSE_MS = 100;

const authorize: Interceptor = (next) => (request) => {
  request.header.set("authorization", `Bearer ${DRAWDOWN_KEY}`);
  return next(request);
};

/** What the gRPC clients have from retry-service-config.json. */
const retry: Interceptor = (next) => async (request) => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await next(request);
    } catch (error) {
      const isLater = ConnectError.from(error).code === Code.Unavailable;
      if (!isLater || request.stream || attempt === ATTEMPTS_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** attempt));
    }
  }
};

const transport = createConnectTransport({
  baseUrl: DRAWDOWN_URL,
  interceptors: [retry, authorize],
});
const charges = createClient(ChargeService, transport);

async function printBalance(customerId: string, what: string): Promise<void> {
  const client = createClient(BalanceService, transport);
  const { balances } = await client.getBalance({ customerId, currency: "USD" });
  for (const { settled, pending } of balances) {
    console.log(`${what}: settled ${settled}, pending ${pending}`);
  }
}

// Every call that changes something has a request id: sent again, it gets the first answer.
const run = `connect-web-${Date.now()}`;
const { customer } = await createClient(CustomerService, transport).createCustomer({
  requestId: run,
  key: run,
  name: "Tour with connect-web",
});
const customerId = customer?.id ?? "";

const { creditGrant } = await createClient(CreditGrantService, transport).createCreditGrant({
  requestId: "grant",
  customerId,
  fundingMethod: FundingMethod.PROMOTIONAL,
  currency: "USD",
  amount: "25",
});
console.log(`granted ${creditGrant?.amount} USD`);

const charge = { customerId, currency: "USD", settlementMode: SettlementMode.CREDIT_ONLY };
const { charge: hold } = await charges.createCharge({
  ...charge,
  requestId: "hold",
  amount: "10",
  capture: Capture.MANUAL,
});
await printBalance(customerId, `held ${hold?.creditsHeld}`);

const { charge: settled } = await charges.settleCharge({
  requestId: "settle",
  customerId,
  chargeId: hold?.id ?? "",
  amount: "7.5",
});
await printBalance(customerId, `settled ${settled?.creditsApplied}`);

const history = createClient(HistoryService, transport);
const order = MovementOrder.OLDEST_FIRST;
for await (const { movements } of history.streamMovements({ customerId, order })) {
  for (const { type, amount, balanceAfter } of movements) {
    console.log(`${MovementTypeSchema.value[type]?.localName} ${amount}, balance ${balanceAfter}`);
  }
}

try {
  await charges.createCharge({ ...charge, requestId: "too-much", amount: "100" });
} catch (error) {
  const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
  const { required, available } = info?.metadata ?? {};
  console.log(`refused ${info?.reason}: required ${required}, available ${available}`);
}
