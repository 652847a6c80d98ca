/**
 * Owns the ways to a replica, over both edges and in every encoding, and what came of a call as
 * its caller sees it.
 */
import { Agent } from "node:http";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type JsonValue,
  type Message,
  type MessageInitShape,
  toJson,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import {
  type BatchCreateChargesResult,
  ChargeService,
} from "../../gen/drawdown/v1/charge_service_pb.ts";
import { CreditGrantService } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import { CurrencyService } from "../../gen/drawdown/v1/currency_service_pb.ts";
import { CustomerService } from "../../gen/drawdown/v1/customer_service_pb.ts";
import { type ErrorReason, ErrorReasonSchema } from "../../gen/drawdown/v1/error_reason_pb.ts";
import { InvoiceService } from "../../gen/drawdown/v1/invoice_service_pb.ts";
import { RateCardService } from "../../gen/drawdown/v1/rate_card_service_pb.ts";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { createGrpcJsTransport } from "../server/grpc-js-transport.ts";
import { ADMIN_KEY, type Replica } from "./replica.ts";

/** The RPCs that write, but for BatchCreateCharges, which is a way of delivering a charge. */
export const RPCS = {
  createCustomer: CustomerService.method.createCustomer,
  updateCustomer: CustomerService.method.updateCustomer,
  createCreditGrant: CreditGrantService.method.createCreditGrant,
  voidCreditGrant: CreditGrantService.method.voidCreditGrant,
  updateExternalSettlement: CreditGrantService.method.updateExternalSettlement,
  adjustCredits: CreditGrantService.method.adjustCredits,
  createCharge: ChargeService.method.createCharge,
  settleCharge: ChargeService.method.settleCharge,
  cancelCharge: ChargeService.method.cancelCharge,
  correctCharge: ChargeService.method.correctCharge,
  issueInvoice: InvoiceService.method.issueInvoice,
  voidInvoice: InvoiceService.method.voidInvoice,
  authorizeInvoicePayment: InvoiceService.method.authorizeInvoicePayment,
  settleInvoicePayment: InvoiceService.method.settleInvoicePayment,
  failInvoicePayment: InvoiceService.method.failInvoicePayment,
  createRateCard: RateCardService.method.createRateCard,
  archiveRateCard: RateCardService.method.archiveRateCard,
  createCurrency: CurrencyService.method.createCurrency,
} as const satisfies Readonly<Record<string, DescMethodUnary>>;

export type Rpc = keyof typeof RPCS;

export type Fields = Readonly<Record<string, unknown>>;

export const WAYS = ["grpc", "connect-json", "connect-binary", "grpc-web", "batch"] as const;

export type Way = (typeof WAYS)[number];

export type Outcome =
  | { readonly kind: "acked"; readonly answer: Message; readonly text: string }
  /** It was refused for good reason: nothing was written. */
  | { readonly kind: "refused"; readonly reason: string; readonly facts: Facts }
  /** The service could not take it, and says that nothing was written. */
  | { readonly kind: "turned away"; readonly reason: string }
  /** Whether it was written is not known to the caller. */
  | { readonly kind: "unclear"; readonly why: string }
  | { readonly kind: "internal"; readonly why: string };

type Facts = Readonly<Record<string, string>>;

const NOTHING_WRITTEN = new Set(["DATABASE_UNAVAILABLE", "DRAINING", "OVERLOADED", "RATE_LIMITED"]);
const CALL_MS_MAX = 40_000;
export const AUTHORIZED = { authorization: `Bearer ${ADMIN_KEY}` };

/** The connections to one running replica. */
export class Lines {
  readonly transports: Readonly<Record<Exclude<Way, "batch">, Transport>>;
  readonly #close: () => void;

  constructor(replica: Pick<Replica, "http" | "grpc">) {
    const baseUrl = `http://${replica.http}`;
    const agent = new Agent({ keepAlive: true });
    const sessions = new Http2SessionManager(baseUrl);
    const grpc = createGrpcJsTransport(replica.grpc);
    const nodeOptions = { agent };
    this.transports = {
      grpc,
      "connect-json": createConnectTransport({
        baseUrl,
        httpVersion: "1.1",
        useBinaryFormat: false,
        nodeOptions,
      }),
      "connect-binary": createConnectTransport({
        baseUrl,
        httpVersion: "2",
        useBinaryFormat: true,
        sessionManager: sessions,
      }),
      "grpc-web": createGrpcWebTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
    };
    this.#close = () => {
      grpc.close();
      agent.destroy();
      sessions.abort();
    };
  }

  /** Calls, and says what came of it. Never throws. */
  async call(rpc: Rpc, request: Fields, way: Way, signal?: AbortSignal): Promise<Outcome> {
    try {
      if (way === "batch") return one(await this.callBundle([request], signal));
      const method: DescMethodUnary = RPCS[rpc];
      return acked(method.output, await this.unary(method, request, way, signal));
    } catch (thrown) {
      return failed(thrown);
    }
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: Fields,
    way: Exclude<Way, "batch"> = "grpc",
    signal?: AbortSignal,
  ) {
    const input = request as MessageInitShape<I>;
    const transport = this.transports[way];
    const answer = await transport.unary(method, signal, CALL_MS_MAX, AUTHORIZED, input);
    return answer.message;
  }

  /** Charges as the items of one batch: each is the same request as the call of its own. */
  async callBundle(requests: readonly Fields[], signal?: AbortSignal): Promise<Outcome[]> {
    try {
      const method = ChargeService.method.batchCreateCharges;
      const { results } = await this.unary(method, { requests }, "grpc", signal);
      return requests.map((_, index) => ofItem(results[index]?.result));
    } catch (thrown) {
      const outcome = failed(thrown);
      return requests.map(() => outcome);
    }
  }

  close(): void {
    this.#close();
  }
}

/** Reasons are an enum where they stand in a message, and a name where they are error details. */
const reasonName = (reason: ErrorReason): string =>
  ErrorReasonSchema.value[reason]?.localName ?? String(reason);

function acked(schema: DescMessage, answer: Message): Outcome {
  return { kind: "acked", answer, text: canonicalText(toJson(schema, answer)) };
}

function ofItem(result: BatchCreateChargesResult["result"] | undefined): Outcome {
  if (result?.case === "charge") {
    const { output } = ChargeService.method.createCharge;
    return acked(output, create(output, { charge: result.value }));
  }
  if (result?.case !== "error") return { kind: "internal", why: "the batch has no result" };
  const { reason, message, metadata } = result.value;
  return told(reasonName(reason), message, metadata);
}

function one([outcome]: readonly Outcome[]): Outcome {
  return outcome ?? { kind: "internal", why: "the batch has no result" };
}

function failed(thrown: unknown): Outcome {
  if (!(thrown instanceof ConnectError)) return { kind: "unclear", why: String(thrown) };
  const [info] = thrown.findDetails(ErrorInfoSchema);
  if (info !== undefined) return told(info.reason, thrown.rawMessage, info.metadata);
  // No details: the answer is the client library's own, about a connection that broke.
  return { kind: "unclear", why: `${Code[thrown.code]}: ${thrown.rawMessage}` };
}

function told(reason: string, message: string, facts: Facts): Outcome {
  if (reason === "OUTCOME_UNKNOWN") return { kind: "unclear", why: reason };
  if (NOTHING_WRITTEN.has(reason)) return { kind: "turned away", reason };
  if (reason === "INTERNAL") return { kind: "internal", why: message };
  return { kind: "refused", reason, facts };
}

/** JSON with sorted keys: a message has one text, in whatever order its maps arrived. */
export function canonicalText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${canonicalText(each)}`).join(",")}}`;
}
