/**
 * Owns the HTTP port's RPCs: Connect, gRPC-Web and gRPC by connect-node. It admits each call by its
 * headers before the body is read, and mends what the library does not do: say INVALID_ARGUMENT
 * for a body that cannot be read, survive a bad Host header, notice a reader that is gone.
 */
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
} from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { assert, type Refusal } from "../errors.ts";
import { type AdmittedCall, callerGone, type GuardedMethod, type GuardedService } from "./guard.ts";
import { REQUEST_BYTES_MAX } from "./limits.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "./mux.ts";
import { writePlain } from "./plain.ts";
import { RecordedBody } from "./recorded-body.ts";
import {
  requestTooLarge,
  unreadableBinary,
  unreadableJson,
  unreadableRequest,
} from "./unreadable.ts";

/** Timers hold no more: above it a timeout would fire after 1 ms. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

const ADMITTED = createContextKey<AdmittedCall | undefined>(undefined);
const BODY = createContextKey<RecordedBody | undefined>(undefined);

/** Makes the handler of all RPC paths; every other path goes to `otherwise`. */
export function connectHandler(
  services: readonly GuardedService[],
  otherwise: HttpHandler,
): HttpHandler {
  const handlers = new Map(
    routes(services).map((handler) => [handler.requestPath, handler] as const),
  );
  return (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const handler = handlers.get(path);
    if (handler === undefined) otherwise(request, response);
    else void serve(handler, request, response);
  };
}

function routes(services: readonly GuardedService[]): readonly UniversalHandler[] {
  const methods = new Map<DescMethod, GuardedMethod>();
  for (const service of services) {
    for (const guarded of service.methods) methods.set(guarded.method, guarded);
  }
  const router = createConnectRouter({
    // Brotli is left out: at the library's quality a page of 1 MiB costs seconds of CPU.
    acceptCompression: [compressionGzip],
    readMaxBytes: REQUEST_BYTES_MAX,
    maxTimeoutMs: TIMEOUT_MS_MAX,
    jsonOptions: { ignoreUnknownFields: false },
    requestGate: (context) => admit(methods.get(context.method), context),
  });
  for (const method of methods.keys()) mount(router, method);
  return router.handlers;
}

/** Runs before the body is read. What it throws is the answer. */
function admit(guarded: GuardedMethod | undefined, context: HandlerContext): void {
  if (context.requestMethod === "GET") context.responseHeader.set("Cache-Control", "no-store");
  if (guarded === undefined) throw new ConnectError("no such method", Code.Unimplemented);
  const call = guarded.admit(context.requestHeader.get("authorization") ?? undefined);
  context.values.set(ADMITTED, call);
  // The library aborts this signal with whatever went wrong, just before it writes the answer.
  const { signal, values } = context;
  const onAbort = () => settle(call, signal.reason, guarded.method, values.get(BODY));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
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
): Promise<void> {
  // After a write to a full connection the library waits for "drain", which Node leaves out when
  // the connection was destroyed meanwhile: the handler's stream would then never be ended.
  response.on("close", () => response.emit("drain"));
  try {
    const values = createContextValues();
    const received = universalRequestFromNodeRequest(request, response, undefined, values);
    const recorded = new RecordedBody(received);
    values.set(BODY, recorded);
    const answer = await handler({ ...received, body: recorded.body });
    await universalResponseToNodeResponse(answer, response);
  } catch {
    // No host or a malformed one, before an answer; a reader that is gone, after it.
    if (response.headersSent) response.destroy();
    else writePlain(response, 400, "bad request\n");
  }
}

/**
 * Tells the call what ended it, and puts our words into the library's error where it blames the
 * service, or nobody, for what the caller sent.
 */
function settle(
  call: AdmittedCall,
  reason: unknown,
  method: DescMethod,
  body: RecordedBody | undefined,
): void {
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
  const refusal = refusalOf(reason, method, body);
  if (refusal === undefined) call.abort(reason);
  else amend(reason, call.fail(refusal));
}

/** What a caller sent that the library could not read, in the contract's words. */
function refusalOf(
  reason: ConnectError,
  method: DescMethod,
  body: RecordedBody | undefined,
): Refusal | undefined {
  switch (reason.code) {
    case Code.Internal:
      return unreadableBinary(method.input);
    case Code.InvalidArgument:
      return body?.isJson && reason.rawMessage.startsWith("cannot decode")
        ? unreadableJson(method.input, body.json())
        : unreadableRequest(reason.rawMessage);
    case Code.ResourceExhausted:
      return requestTooLarge();
    default:
      return undefined;
  }
}

function amend(error: ConnectError, { code, rawMessage, details }: ConnectError): void {
  Object.assign(error, { code, rawMessage, details });
}
