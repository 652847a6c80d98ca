/**
 * Owns the shape of an implementation: what a handler is given, what it gives back, and how the
 * handlers of one service become a value that both edges mount. It knows nothing of any protocol.
 */
import type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { CustomerId, TenantId } from "../ledger/ids.ts";

/** What a handler may know of the call it answers, besides the request. */
export interface Call {
  readonly tenantId: TenantId;
  /** The only customer that the caller may know of; null for all of the tenant. */
  readonly customerId: CustomerId | null;
  /**
   * Aborted when the deadline passes, when the caller goes away and, for streams, when the service
   * drains. Its reason is what to throw.
   */
  readonly signal: AbortSignal;
  /** Tells of a bug that befell a part of the call, while the rest of it is answered. */
  readonly noteBug: (error: unknown) => void;
}

type Unary<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  call: Call,
) => Promise<MessageInitShape<O>>;

type ServerStreaming<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  call: Call,
) => AsyncIterable<MessageInitShape<O>>;

type BiDiStreaming<I extends DescMessage, O extends DescMessage> = (
  requests: AsyncIterable<MessageShape<I>>,
  call: Call,
) => AsyncIterable<MessageInitShape<O>>;

/** The handler of one RPC. Client streaming has none: the contract has no such RPC. */
export type Handler<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? Unary<I, O>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? ServerStreaming<I, O>
      : M extends DescMethodBiDiStreaming<infer I, infer O>
        ? BiDiStreaming<I, O>
        : never;

/** One handler for each RPC of the service; the compiler refuses a missing one. */
export type Handlers<S extends DescService> = {
  readonly [K in keyof S["method"]]: Handler<S["method"][K]>;
};

/** A handler whose types are known only by the descriptor that stands beside it. */
export type ErasedHandler =
  | { readonly kind: "unary"; readonly handle: Unary<DescMessage, DescMessage> }
  | {
      readonly kind: "server_streaming";
      readonly handle: ServerStreaming<DescMessage, DescMessage>;
    }
  | { readonly kind: "bidi_streaming"; readonly handle: BiDiStreaming<DescMessage, DescMessage> };

export interface ImplementedMethod {
  readonly method: DescMethod;
  readonly handler: ErasedHandler;
}

/** A service and its handlers. Services of the contract are always behind the key. */
export interface ImplementedService {
  readonly service: DescService;
  readonly access: "keyed" | "open";
  readonly methods: readonly ImplementedMethod[];
}

/** Binds handlers to a service of the contract. Callers need a key. */
export function implement<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
): ImplementedService {
  return bind(service, handlers, "keyed");
}

/** Binds handlers to a service that anyone may call, key or no key: health and reflection. */
export function implementOpen<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
): ImplementedService {
  return bind(service, handlers, "open");
}

function bind<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  access: ImplementedService["access"],
): ImplementedService {
  const byName = handlers as Readonly<Record<string, unknown>>;
  const methods = service.methods.map((method) => {
    const handle = byName[method.localName];
    if (typeof handle !== "function") {
      throw new Error(`${service.typeName}/${method.name} has no handler`);
    }
    return { method, handler: { kind: method.methodKind, handle } as ErasedHandler };
  });
  return { service, access, methods };
}
