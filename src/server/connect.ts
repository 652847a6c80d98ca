/**
 * Owns the HTTP port's RPCs: Connect, gRPC-Web and gRPC by connect-node. It admits each call by its
 * headers before the body is read, and mends what the library does not do: say INVALID_ARGUMENT
 * for a body that cannot be read, survive a bad Host header, notice a reader that is gone.
 */
import { IncomingMessage } from "node:http";
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
} from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Limits } from "../config.ts";
import { assert, type Refusal } from "../errors.ts";
import {
  type AdmittedCall,
  type CallHeaders,
  callerGone,
  type GuardedMethod,
  type GuardedService,
} from "./guard.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "./mux.ts";
import { writePlain } from "./plain.ts";
import { RecordedBody } from "./recorded-body.ts";
import { boundTimeout, TIMER_MS_MAX } from "./timeout.ts";
import {
  requestTooLarge,
  unreadableBinary,
  unreadableJson,
  unreadableRequest,
} from "./unreadable.ts";

const ADMITTED = createContextKey<AdmittedCall | undefined>(undefined);
const BODY = createContextKey<RecordedBody | undefined>(undefined);

/** Makes the handler of all RPC paths; every other path goes to `otherwise`. */
export function connectHandler(
  services: readonly GuardedService[],
  otherwise: HttpHandler,
  limits: Limits,
): HttpHandler {
  const handlers = new Map(
    routes(services, limits).map((handler) => [handler.requestPath, handler] as const),
  );
  return (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const handler = handlers.get(path);
    if (handler === undefined) otherwise(request, response);
    else void serve(handler, request, response, limits);
  };
}

function routes(services: readonly GuardedService[], limits: Limits): readonly UniversalHandler[] {
  const methods = new Map<DescMethod, GuardedMethod>();
  for (const service of services) {
    for (const guarded of service.methods) methods.set(guarded.method, guarded);
  }
  const router = createConnectRouter({
    // Brotli is left out: at the library's quality a page of 1 MiB costs seconds of CPU.
    acceptCompression: [compressionGzip],
    readMaxBytes: limits.requestBytesMax,
    maxTimeoutMs: TIMER_MS_MAX,
    jsonOptions: { ignoreUnknownFields: false },
    requestGate: (context) => admit(methods.get(context.method), context, limits),
  });
  for (const method of methods.keys()) mount(router, method);
  return router.handlers;
}

/** Runs before the body is read. What it throws is the answer. */
function admit(
  guarded: GuardedMethod | undefined,
  context: HandlerContext,
  limits: Limits,
): void | Promise<void> {
  if (context.requestMethod === "GET") context.responseHeader.set("Cache-Control", "no-store");
  if (guarded === undefined) throw new ConnectError("no such method", Code.Unimplemented);
  const { method } = guarded;
  const admitted = guarded.admit(headersOf(context.requestHeader));
  if (!(admitted instanceof Promise)) begin(admitted, context, { method, limits });
  else return admitted.then((call) => begin(call, context, { method, limits }));
}

function begin(
  call: AdmittedCall,
  context: HandlerContext,
  { method, limits }: { readonly method: DescMethod; readonly limits: Limits },
): void {
  context.values.set(ADMITTED, call);
  // The library aborts this signal with whatever went wrong, just before it writes the answer.
  const { signal, values } = context;
  const onAbort = () => settle(call, signal.reason, { method, body: values.get(BODY), limits });
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  if (call.failure !== undefined) throw call.failure;
  if (context.requestMethod === "GET" && !isBase64(new URL(context.url).searchParams)) {
    throw call.fail(unreadableRequest("The message in the URL is not valid base64."));
  }
}

/** Whether a message in a URL can be decoded. The library would answer that it cannot: INTERNAL. */
function isBase64(query: URLSearchParams): boolean {
  if (query.get("base64") !== "1") return true;
  try {
    base64Decode(query.get("message") ?? "");
    return true;
  } catch {
    return false;
  }
}

/** What the guard asks of the headers. */
function headersOf(headers: Headers): CallHeaders {
  return {
    get: (name) => headers.get(name) ?? undefined,
    get bytes() {
      let bytes = 0;
      for (const [name, value] of headers) bytes += name.length + value.length;
      return bytes;
    },
  };
}

function mount(router: ConnectRouter, method: DescMethod): void {
  switch (method.methodKind) {
    case "unary":
      router.rpc(method as DescMethodUnary, (request, context) => admitted(context).unary(request));
      break;
    case "server_streaming":
      router.rpc(method as DescMethodServerStreaming, (request, context) =>
        admitted(context).serverStream(request),
      );
      break;
    case "bidi_streaming":
      router.rpc(method as DescMethodBiDiStreaming, (requests, context) =>
        admitted(context).bidiStream(requests),
      );
      break;
    case "client_streaming":
      assert(false, `${method.name} streams requests only, which no handler can serve`);
  }
}

function admitted(context: HandlerContext): AdmittedCall {
  const call = context.values.get(ADMITTED);
  assert(call !== undefined, "the gate admits every call before its handler runs");
  return call;
}

async function serve(
  handler: UniversalHandler,
  request: HttpRequest,
  response: HttpResponse,
  limits: Limits,
): Promise<void> {
  // After a write to a full connection the library waits for "drain", which Node leaves out when
  // the connection was destroyed meanwhile: the handler's stream would then never be ended.
  response.on("close", () => response.emit("drain"));
  const values = createContextValues();
  const patience = limitTime(handler.method, limits, () => {
    if (values.get(ADMITTED)?.running !== true) response.destroy();
  });
  response.on("close", () => clearTimeout(patience));
  try {
    const received = universalRequestFromNodeRequest(request, response, undefined, values);
    const recorded = new RecordedBody(received);
    values.set(BODY, recorded);
    boundTimeout(received.header, handler.method, limits);
    const body = whileWanted(recorded.body, () => values.get(ADMITTED)?.failure);
    const answer = await handler({ ...received, body });
    const admittedCall = values.get(ADMITTED);
    if (admittedCall !== undefined) admittedCall.onStalled = () => response.destroy();
    if (isAbandoned(request)) response.setHeader("connection", "close");
    await universalResponseToNodeResponse(answer, response);
  } catch {
    // No host or a malformed one, before an answer; a reader that is gone, after it.
    if (response.headersSent) response.destroy();
    else writePlain(response, 400, "bad request\n");
  }
}

/**
 * Whether the library began to read a request and gave up: then Node reads nothing more on its
 * connection, and the next request would wait for ever.
 */
const isAbandoned = (request: HttpRequest): boolean =>
  request instanceof IncomingMessage && !request.complete && request.destroyed;

/**
 * Stops a body that is still being read when the call has failed, at a deadline that has passed:
 * the library would go on, and answer with what it thinks of the rest.
 */
function whileWanted(
  body: UniversalServerRequest["body"],
  failure: () => ConnectError | undefined,
): UniversalServerRequest["body"] {
  if (!(Symbol.asyncIterator in Object(body))) return body;
  return (async function* () {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      throwIfFailed();
      yield chunk;
    }
    throwIfFailed();
  })();

  function throwIfFailed(): void {
    const failed = failure();
    if (failed !== undefined) throw failed;
  }
}

/** A request must come within the default deadline: the library would wait for it for ever. */
function limitTime(
  method: DescMethod,
  { deadlineMsDefault }: Limits,
  giveUp: () => void,
): NodeJS.Timeout | undefined {
  if (method.methodKind === "bidi_streaming") return undefined;
  return setTimeout(giveUp, deadlineMsDefault);
}

interface Received {
  readonly method: DescMethod;
  readonly body: RecordedBody | undefined;
  readonly limits: Limits;
}

/**
 * Tells the call what ended it, and puts our words into the library's error where it blames the
 * service, or nobody, for what the caller sent.
 */
function settle(call: AdmittedCall, reason: unknown, request: Received): void {
  if (!(reason instanceof ConnectError)) {
    call.abort(callerGone());
    return;
  }
  if (call.ended) {
    if (reason.code === Code.Internal && reason.details.length === 0) {
      amend(reason, call.fail(new Error("cannot write the answer", { cause: reason })));
    }
    return;
  }
  if (call.running) {
    // How a connection broke says nothing about the call; only a deadline is worth telling apart.
    call.abort(reason.code === Code.DeadlineExceeded ? reason : callerGone());
    return;
  }
  const refusal = refusalOf(reason, request);
  if (refusal === undefined) call.abort(reason);
  else amend(reason, call.fail(refusal));
}

/** What a caller sent that the library could not read, in the contract's words. */
function refusalOf(reason: ConnectError, { method, body, limits }: Received): Refusal | undefined {
  switch (reason.code) {
    case Code.Internal:
      return unreadableBinary(method.input);
    case Code.InvalidArgument:
      return body?.isJson && reason.rawMessage.startsWith("cannot decode")
        ? unreadableJson(method.input, body.json())
        : unreadableRequest(reason.rawMessage);
    case Code.ResourceExhausted:
      return requestTooLarge(limits.requestBytesMax);
    default:
      return undefined;
  }
}

function amend(error: ConnectError, { code, rawMessage, details }: ConnectError): void {
  Object.assign(error, { code, rawMessage, details });
}
