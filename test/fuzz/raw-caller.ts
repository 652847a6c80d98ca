/**
 * Owns sending any bytes as any protocol: a bare client that looks at nothing before it sends it,
 * and reads from the answer only how the call ended.
 */
import { Agent, type IncomingMessage, request } from "node:http";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";

export const PROTOCOLS = ["connect", "grpc-web", "grpc on the HTTP port", "grpc"] as const;

export type Protocol = (typeof PROTOCOLS)[number];

export type Encoding = "proto" | "json";

export interface RawCall {
  readonly protocol: Protocol;
  /** Of HTTP. Only the HTTP port speaks 1.1, and gRPC cannot be spoken over it. */
  readonly version: 1 | 2;
  /** A GET has its message in the path. */
  readonly verb: "GET" | "POST";
  readonly path: string;
  readonly isStream: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** How a call ended. `code` is what gRPC writes, or `HTTP 415` where no protocol got to speak. */
export interface Ended {
  readonly code: string;
  readonly reason: string | undefined;
  readonly fields: readonly string[];
}

export const HUNG: Ended = { code: "HUNG", reason: undefined, fields: [] };

const CODES = [
  ...["OK", "CANCELED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"],
  ...["ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"],
  ...["ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"],
  "UNAUTHENTICATED",
];
const ENVELOPE_BYTES = 5;
const CALL_MS_MAX = 30_000;

export function typeOf(protocol: Protocol, encoding: Encoding, isStream: boolean): string {
  if (protocol === "connect") return `application/${isStream ? "connect+" : ""}${encoding}`;
  return `application/${protocol === "grpc-web" ? "grpc-web" : "grpc"}+${encoding}`;
}

/** Takes what comes back of a call, as it comes. */
interface Sink {
  /** Headers or trailers, the status among them as HTTP/2 has it. */
  head(fields: Readonly<Record<string, unknown>>): void;
  data(chunk: Buffer): void;
  /** The connection failed. The end comes all the same. */
  fail(error: Error): void;
  end(): void;
}

type Cancel = () => void;

export class RawCaller {
  readonly #http: ClientHttp2Session;
  readonly #grpc: ClientHttp2Session;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #http1: string;

  constructor(bases: { readonly http: string; readonly grpc: string }) {
    this.#http = connect(bases.http).on("error", () => undefined);
    this.#grpc = connect(bases.grpc).on("error", () => undefined);
    this.#http1 = bases.http;
  }

  close(): void {
    this.#http.destroy();
    this.#grpc.destroy();
    this.#agent.destroy();
  }

  /** Sends it. A stream is left at its first message: it may never end. */
  send(call: RawCall): Promise<Ended> {
    const { protocol, version, isStream } = call;
    return new Promise((resolve) => {
      const got: Record<string, unknown> = {};
      const chunks: Buffer[] = [];
      const end = (ended: Ended) => {
        clearTimeout(timer);
        cancel();
        resolve(ended);
      };
      const timer = setTimeout(() => end(HUNG), CALL_MS_MAX);
      const sink: Sink = {
        head: (fields) => Object.assign(got, fields),
        data: (chunk) => {
          chunks.push(chunk);
          if (isStream && chunk.length > ENVELOPE_BYTES && chunk[0] === 0) end(named("OK"));
        },
        fail: ({ message }) => Object.assign(got, { failed: message }),
        end: () => end(readEnd(protocol, isStream, got, Buffer.concat(chunks))),
      };
      const cancel = version === 1 ? this.#sendOver1(call, sink) : this.#sendOver2(call, sink);
    });
  }

  #sendOver2({ protocol, verb, path, headers, body }: RawCall, sink: Sink): Cancel {
    const session = protocol === "grpc" ? this.#grpc : this.#http;
    const head = { ":method": verb, ":path": path, te: "trailers", ...headers };
    const stream = session.request(head, { endStream: verb === "GET" });
    stream.on("error", sink.fail);
    stream.on("response", sink.head).on("trailers", sink.head).on("data", sink.data);
    stream.on("end", sink.end).on("close", sink.end);
    if (verb === "POST") stream.end(body);
    return () => stream.close(constants.NGHTTP2_CANCEL);
  }

  #sendOver1({ verb, path, headers, body }: RawCall, sink: Sink): Cancel {
    const agent = this.#agent;
    const sent = request(this.#http1, { agent, method: verb, path, headers: { ...headers } });
    sent.on("error", sink.fail).on("close", sink.end);
    sent.on("response", (response: IncomingMessage) => {
      sink.head({ ":status": response.statusCode, ...response.headers });
      response.on("error", sink.fail).on("data", sink.data);
      response.on("end", sink.end);
    });
    sent.end(body);
    return () => sent.destroy();
  }
}

const named = (code: string): Ended => ({ code, reason: undefined, fields: [] });

function readEnd(
  protocol: Protocol,
  isStream: boolean,
  got: Readonly<Record<string, unknown>>,
  body: Buffer,
): Ended {
  const status = Number(got[":status"] ?? 0);
  if (status === 0) return { code: "HTTP 0", reason: String(got["failed"]), fields: [] };
  const type = String(got["content-type"] ?? "");
  if (protocol !== "connect") return readGrpc(got, body) ?? named(`HTTP ${status}`);
  if (type.startsWith("application/connect+")) return readConnect(lastMessage(body, isStream));
  if (status === 200) return named("OK");
  return type === "application/json" ? readConnect(body.toString()) : named(`HTTP ${status}`);
}

/** The message at the end of a Connect stream, in which its error stands. */
function lastMessage(body: Buffer, isStream: boolean): string {
  let rest = body;
  while (isStream && rest.length > ENVELOPE_BYTES + rest.readUInt32BE(1)) {
    rest = rest.subarray(ENVELOPE_BYTES + rest.readUInt32BE(1));
  }
  return rest.subarray(ENVELOPE_BYTES).toString();
}

interface ErrorJson {
  readonly code?: string;
  readonly details?: readonly { readonly type: string; readonly value: string }[];
}

function readConnect(text: string): Ended {
  // A stream that answers with data only, and is then cut, has no error to read.
  if (!text.startsWith("{")) return named("OK");
  const json = JSON.parse(text) as ErrorJson & { readonly error?: ErrorJson };
  const { code, details = [] } = json.error ?? json;
  if (code === undefined) return named("OK");
  const bytes = details.map(({ type, value }) => [type, Buffer.from(value, "base64")] as const);
  return { code: code.toUpperCase(), ...readDetails(bytes) };
}

function readGrpc(got: Readonly<Record<string, unknown>>, body: Buffer): Ended | undefined {
  const trailer = (name: string) =>
    String(got[name] ?? new RegExp(`${name}: (.*)\r\n`).exec(body.toString("latin1"))?.[1] ?? "");
  const code = CODES[Number(trailer("grpc-status") || Number.NaN)];
  if (code === undefined) return undefined;
  const status = fromBinary(
    StatusSchema,
    Buffer.from(trailer("grpc-status-details-bin"), "base64"),
  );
  const details = status.details.map(
    ({ typeUrl, value }) => [typeUrl.replace("type.googleapis.com/", ""), value] as const,
  );
  return { code, ...readDetails(details) };
}

function readDetails(details: readonly (readonly [type: string, bytes: Uint8Array])[]) {
  const bytesOf = (type: string) => details.find(([each]) => each === type)?.[1];
  const info = bytesOf("google.rpc.ErrorInfo");
  const bad = bytesOf("google.rpc.BadRequest");
  const fields = bad === undefined ? [] : fromBinary(BadRequestSchema, bad).fieldViolations;
  return {
    reason: info === undefined ? undefined : fromBinary(ErrorInfoSchema, info).reason,
    fields: fields.map(({ field }) => field),
  };
}
