/**
 * Owns calling the service by the names of the contract with JSON, over any transport: a case is
 * the same data whatever carries it.
 */
import {
  create,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromJson,
  type JsonObject,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { METHODS } from "../contract/descriptors.ts";
import { collect, KEY } from "../server/edges.ts";

/** A call that hangs fails its test before the test itself gives up. */
const CALL_MS_MAX = 20_000;

/** What a caller is told when a call fails. */
export interface Refused {
  readonly code: string;
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly fields: readonly string[];
}

export interface Caller {
  /** The answer in JSON. Throws a ConnectError for a refusal. */
  call(rpc: string, request: JsonObject): Promise<JsonObject>;
  /** Every message of a stream, until it ends. */
  stream(rpc: string, request: JsonObject, signal?: AbortSignal): AsyncGenerator<JsonObject>;
}

export const AUTHORIZATION = { authorization: `Bearer ${KEY}` };

export function callerOver(
  transport: Transport,
  headers: Readonly<Record<string, string>> = AUTHORIZATION,
): Caller {
  return {
    async call(rpc, request) {
      const unary = methodOf(rpc) as DescMethodUnary;
      const input = fromJson(unary.input, request);
      const answer = await transport.unary(unary, undefined, CALL_MS_MAX, headers, input);
      return toJson(unary.output, answer.message) as JsonObject;
    },
    async *stream(rpc, request, signal) {
      const streaming = methodOf(rpc) as DescMethodServerStreaming;
      const inputs = (async function* () {
        yield fromJson(streaming.input, request);
      })();
      const answer = await transport.stream(streaming, signal, CALL_MS_MAX, headers, inputs);
      for await (const message of answer.message) {
        yield toJson(streaming.output, create(streaming.output, message)) as JsonObject;
      }
    },
  };
}

/** The method of a name, which no two services share. */
export function methodOf(rpc: string): DescMethod {
  const found = METHODS.find(({ name }) => name === rpc);
  if (found === undefined) throw new Error(`the contract has no RPC ${rpc}`);
  return found;
}

/** Calls what must be refused, be it unary or a stream. */
export async function refusalOf(
  caller: Caller,
  rpc: string,
  request: JsonObject,
): Promise<Refused> {
  const isUnary = methodOf(rpc).methodKind === "unary";
  try {
    const answer = isUnary
      ? await caller.call(rpc, request)
      : await collect(caller.stream(rpc, request));
    throw new Error(`${rpc} was not refused but answered ${JSON.stringify(answer)}`);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return refusedOf(error);
  }
}

export function refusedOf(error: ConnectError): Refused {
  const [info] = error.findDetails(ErrorInfoSchema);
  const [badRequest] = error.findDetails(BadRequestSchema);
  const domain = info?.domain ?? "drawdown.v1";
  return {
    code: (Code[error.code] ?? "").replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase(),
    reason: domain === "drawdown.v1" ? (info?.reason ?? error.message) : `${domain} is no domain`,
    facts: { ...info?.metadata },
    fields: (badRequest?.fieldViolations ?? []).map(({ field }) => field),
  };
}

/** The value at a path such as `invoice.lines.0.id`; undefined when nothing is there. */
export function valueAt(json: JsonValue | undefined, path: string): JsonValue | undefined {
  let value = json;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as JsonObject)[name];
  }
  return value;
}
