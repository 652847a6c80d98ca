/** A tour of Drawdown with @grpc/grpc-js: grant, hold, settle, balance, history, a refusal. */
import { readFileSync } from "node:fs";
import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { BalanceService } from "../../gen/drawdown/v1/balance_service_pb.ts";
import { Capture, SettlementMode } from "../../gen/drawdown/v1/charge_pb.ts";
import { ChargeService } from "../../gen/drawdown/v1/charge_service_pb.ts";
import { FundingMethod } from "../../gen/drawdown/v1/credit_grant_pb.ts";
import { CreditGrantService } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { CustomerService } from "../../gen/drawdown/v1/customer_service_pb.ts";
import { HistoryService } from "../../gen/drawdown/v1/history_service_pb.ts";
import { MovementOrder, MovementTypeSchema } from "../../gen/drawdown/v1/movement_pb.ts";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";

const { DRAWDOWN_ADDRESS = "127.0.0.1:50051", DRAWDOWN_KEY = "" } = process.env;
const DEADLINE_MS = 30_000;

const retries = new URL("../retry-service-config.json", import.meta.url);
const client = new Client(DRAWDOWN_ADDRESS, credentials.createInsecure(), {
  "grpc.service_config": readFileSync(retries, "utf8"),
});
// This client does not read waitForReady from the service config.
const metadata = new Metadata({ waitForReady: true });
metadata.set("authorization", `Bearer ${DRAWDOWN_KEY}`);

const pathOf = (method: DescMethodUnary | DescMethodServerStreaming) =>
  `/${method.parent.typeName}/${method.name}`;
const encoderOf = (schema: DescMessage) => (message: MessageShape<DescMessage>) =>
  Buffer.from(toBinary(schema, message));

function call<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
): Promise<MessageShape<O>> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      pathOf(method),
      encoderOf(method.input),
      (bytes) => fromBinary(method.output, bytes),
      create(method.input, request),
      metadata,
      { deadline: Date.now() + DEADLINE_MS },
      (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
    );
  });
}

async function printBalance(customerId: string, what: string): Promise<void> {
  const request = { customerId, currency: "USD" };
  const { balances } = await call(BalanceService.method.getBalance, request);
  for (const { settled, pending } of balances) {
    console.log(`${what}: settled ${settled}, pending ${pending}`);
  }
}

async function printHistory(customerId: string): Promise<void> {
  const { input, output } = HistoryService.method.streamMovements;
  const pages = client.makeServerStreamRequest(
    pathOf(HistoryService.method.streamMovements),
    encoderOf(input),
    (bytes) => fromBinary(output, bytes),
    create(input, { customerId, order: MovementOrder.OLDEST_FIRST }),
    metadata,
    { deadline: Date.now() + DEADLINE_MS },
  );
  for await (const { movements } of pages as AsyncIterable<MessageShape<typeof output>>) {
    for (const { type, amount, balanceAfter } of movements) {
      console.log(
        `${MovementTypeSchema.value[type]?.localName} ${amount}, balance ${balanceAfter}`,
      );
    }
  }
}

/** The reason and the facts travel in the details of google.rpc.Status. */
function printRefusal(error: ServiceError): void {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (!(bytes instanceof Buffer)) throw error;
  for (const { typeUrl, value } of fromBinary(StatusSchema, bytes).details) {
    if (!typeUrl.endsWith("/google.rpc.ErrorInfo")) continue;
    const { reason, metadata: facts } = fromBinary(ErrorInfoSchema, value);
    const { required, available } = facts;
    console.log(`refused ${reason}: required ${required}, available ${available}`);
  }
}

// Every call that changes something has a request id: sent again, it gets the first answer.
const run = `grpc-js-${Date.now()}`;
const { customer } = await call(CustomerService.method.createCustomer, {
  requestId: run,
  key: run,
  name: "Tour with grpc-js",
});
const customerId = customer?.id ?? "";

const { creditGrant } = await call(CreditGrantService.method.createCreditGrant, {
  requestId: "grant",
  customerId,
  fundingMethod: FundingMethod.PROMOTIONAL,
  currency: "USD",
  amount: "25",
});
console.log(`granted ${creditGrant?.amount} USD`);

const charge = { customerId, currency: "USD", settlementMode: SettlementMode.CREDIT_ONLY };
const { charge: hold } = await call(ChargeService.method.createCharge, {
  ...charge,
  requestId: "hold",
  amount: "10",
  capture: Capture.MANUAL,
});
await printBalance(customerId, `held ${hold?.creditsHeld}`);

const { charge: settled } = await call(ChargeService.method.settleCharge, {
  requestId: "settle",
  customerId,
  chargeId: hold?.id ?? "",
  amount: "7.5",
});
await printBalance(customerId, `settled ${settled?.creditsApplied}`);

await printHistory(customerId);

const tooMuch = { ...charge, requestId: "too-much", amount: "100" };
await call(ChargeService.method.createCharge, tooMuch).catch(printRefusal);
client.close();
