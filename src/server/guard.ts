/**
 * Owns what happens around every call, on both edges alike: who is it, may it, is the request well
 * formed, run it, say what failed, measure. An edge has no other way to a handler than to have a
 * call admitted first, so none of this can be left out on one of them.
 */
import {
  create,
  type DescMessage,
  type DescMethod,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Limits } from "../config.ts";
import { assert, Refusal } from "../errors.ts";
import type { CustomerId, TenantId } from "../ledger/ids.ts";
import { failureOf, toConnectError } from "../rpc/failure.ts";
import type { Call, ImplementedMethod, ImplementedService } from "../rpc/method.ts";
import { requireValid, warmValidation } from "../rpc/validation.ts";
import { beginCall, type CallTrace, endCall, within } from "../tracing.ts";
import type { Authenticate } from "./authentication.ts";
import { type Authorization, compileAuthorization } from "./authorization.ts";
import type { Credential } from "./credential.ts";
import { type Drain, drainingRefusal } from "./drain.ts";
import type { Logger } from "./log.ts";
import { nextUnlessAborted } from "./next-message.ts";
import type { RateLimit } from "./rate-limit.ts";
import { compileLine, type WriteLine } from "./rpc-log.ts";
import type { RpcMetrics } from "./rpc-metrics.ts";
import { headersTooLarge } from "./unreadable.ts";

/** What calls are checked with and reported to. */
export interface Surroundings {
  readonly authenticate: Authenticate;
  readonly drain: Drain;
  readonly metrics: RpcMetrics;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly rateLimit: RateLimit;
  /** Whether amounts stand in the log. */
  readonly logAmounts: boolean;
}

/** The headers of a call, whatever carries them. */
export interface CallHeaders {
  /** `name` is in lower case. */
  get(name: string): string | undefined;
  /** Of all names and values together. */
  readonly bytes: number;
}

export interface GuardedService {
  readonly implemented: ImplementedService;
  readonly methods: readonly GuardedMethod[];
}

/**
 * Puts the guard around every method of the services, and compiles their validation. Throws for a
 * method of the contract that does not say who may call it.
 */
export function guard(
  services: readonly ImplementedService[],
  surroundings: Surroundings,
): readonly GuardedService[] {
  return services.map((implemented) => {
    if (implemented.access === "keyed") {
      warmValidation(implemented.methods.map(({ method }) => method.input));
    }
    const methods = implemented.methods.map(
      (each) => new GuardedMethod(each, implemented.access, surroundings),
    );
    return { implemented, methods };
  });
}

/** One RPC behind its guard. */
export class GuardedMethod {
  readonly method: DescMethod;
  readonly path: string;
  readonly #implemented: ImplementedMethod;
  /** Undefined for what anyone may call, key or no key. */
  readonly #authorization: Authorization | undefined;
  readonly #surroundings: Surroundings;
  readonly #writeLine: WriteLine;

  constructor(
    implemented: ImplementedMethod,
    access: ImplementedService["access"],
    surroundings: Surroundings,
  ) {
    const { logger, logAmounts } = surroundings;
    this.#writeLine = compileLine(implemented.method, {
      logger,
      isOpen: access === "open",
      withAmounts: logAmounts,
    });
    this.method = implemented.method;
    this.path = `/${implemented.method.parent.typeName}/${implemented.method.name}`;
    this.#implemented = implemented;
    this.#authorization = access === "open" ? undefined : compileAuthorization(this.method);
    this.#surroundings = surroundings;
  }

  /**
   * Lets a call in by its headers, before its body is read, or throws what to answer. A caller that
   * is known already is let in at once.
   */
  admit(headers: CallHeaders): AdmittedCall | Promise<AdmittedCall> {
    const rules = this.#authorization;
    const call = new AdmittedCall(this.#implemented, this.path, this.#surroundings, {
      authorization: rules,
      writeLine: this.#writeLine,
    });
    call.trace = beginCall(this.path.slice(1), (name) => headers.get(name));
    const { authenticate, drain, limits, rateLimit } = this.#surroundings;
    const letIn = (credential: Credential) => {
      const { id: key, principal } = credential;
      call.identify(credential);
      rules?.check(principal);
      rateLimit.admit({ key, tenant: principal.tenantId, nowMs: call.startedAtMs });
      if (drain.draining) throw drainingRefusal();
      return call;
    };
    const turnAway = (thrown: unknown) => {
      throw call.fail(thrown);
    };
    try {
      if (headers.bytes > limits.headerBytesMax) throw headersTooLarge(limits.headerBytesMax);
      if (rules === undefined) return call;
      const credential = authenticate(headers.get("authorization"));
      if (credential instanceof Promise) return credential.then(letIn).catch(turnAway);
      return letIn(credential);
    } catch (thrown) {
      return turnAway(thrown);
    }
  }
}

/** A call that was let in. It ends exactly once, however it ends, and is measured then. */
export class AdmittedCall implements Call {
  readonly streaming: boolean;
  /** Called when the reader of a stream has taken nothing for too long, to stop waiting for it. */
  onStalled: (() => void) | undefined;
  readonly #implemented: ImplementedMethod;
  readonly #path: string;
  readonly #surroundings: Surroundings;
  readonly #authorization: Authorization | undefined;
  readonly #writeLine: WriteLine;
  readonly startedAtMs = performance.now();
  #request: Message | undefined;
  #credential: Credential | undefined;
  #controller: AbortController | undefined;
  #abortReason: Refusal | ConnectError | undefined;
  #running = false;
  /** Undefined where nobody records traces. */
  trace: CallTrace | undefined;
  #ended = false;
  #failure: ConnectError | undefined;

  constructor(
    implemented: ImplementedMethod,
    path: string,
    surroundings: Surroundings,
    own: { readonly authorization: Authorization | undefined; readonly writeLine: WriteLine },
  ) {
    this.#authorization = own.authorization;
    this.#writeLine = own.writeLine;
    this.streaming = implemented.handler.kind !== "unary";
    this.#implemented = implemented;
    this.#path = path;
    this.#surroundings = surroundings;
    surroundings.drain.enter(this);
  }

  get tenantId(): TenantId {
    return this.#principal.tenantId;
  }

  get customerId(): CustomerId | null {
    return this.#principal.customerId;
  }

  get #principal() {
    assert(this.#credential !== undefined, "a call to an open service belongs to nobody");
    return this.#credential.principal;
  }

  /** Made when it is first asked for: most calls end without anyone having looked at it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What the caller is to be told of a call that has failed. */
  get failure(): ConnectError | undefined {
    return this.#failure;
  }

  /** Whether the handler has been given the request. */
  get running(): boolean {
    return this.#running;
  }

  /** Throws when the call has ended meanwhile. */
  identify(credential: Credential): void {
    if (this.#abortReason !== undefined) throw this.#abortReason;
    this.#credential = credential;
    if (this.streaming) credential.enter(this);
  }

  /** Tells of a caller gone, a deadline passed, a drain. The first reason counts. */
  abort(reason: Refusal | ConnectError): void {
    if (this.#ended || this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
    // A handler that runs is waited for: it may be about to commit.
    if (!this.#running) this.fail(reason);
  }

  /** Runs the handler of a unary RPC. Throws ConnectError only. */
  async unary(request: Message): Promise<Message> {
    const { method, handler } = this.#implemented;
    assert(handler.kind === "unary", `${this.#path} is not unary`);
    if (this.#abortReason !== undefined) throw this.fail(this.#abortReason);
    this.#running = true;
    try {
      this.#check(method.input, request);
      const response = create(
        method.output,
        await within(this.trace, () => handler.handle(request, this)),
      );
      this.#end({ response });
      return response;
    } catch (thrown) {
      throw this.fail(thrown);
    }
  }

  /** Runs the handler of a server stream. Throws ConnectError only. */
  serverStream(request: Message): AsyncGenerator<Message> {
    const { method, handler } = this.#implemented;
    assert(handler.kind === "server_streaming", `${this.#path} is not a server stream`);
    return this.#stream(() => {
      this.#check(method.input, request);
      return handler.handle(request, this);
    });
  }

  /** Runs the handler of a stream both ways. Throws ConnectError only. */
  bidiStream(requests: AsyncIterable<Message>): AsyncGenerator<Message> {
    const { handler } = this.#implemented;
    assert(handler.kind === "bidi_streaming", `${this.#path} is not a stream both ways`);
    return this.#stream(() => handler.handle(requests, this));
  }

  readonly noteBug = (error: unknown): void => {
    const { logger, metrics } = this.#surroundings;
    logger.error({ method: this.#path, err: error }, "part of a call failed by a bug");
    metrics.recordPart("INTERNAL");
  };

  /** Ends the call with whatever was thrown, and returns what the caller is to see. */
  fail(thrown: unknown): ConnectError {
    const failure = this.#toFailure(thrown);
    this.#failure ??= failure;
    return failure;
  }

  #toFailure(thrown: unknown): ConnectError {
    const aborted = this.#abortReason !== undefined && isAbortError(thrown);
    const cause = aborted ? this.#abortReason : thrown;
    // Cancelling, deadlines and what health and reflection say are gRPC's own and have no reason.
    if (cause instanceof ConnectError) {
      this.#end({ code: cause.code });
      return cause;
    }
    const failure = failureOf(cause);
    if (!(cause instanceof Refusal)) {
      this.#surroundings.logger.error({ method: this.#path, err: cause }, "call failed by a bug");
    }
    this.#end(failure);
    return toConnectError(failure, cause);
  }

  #check(schema: DescMessage, request: Message): void {
    this.#request = request;
    if (this.#authorization === undefined) return;
    requireValid(schema, request);
    this.#authorization.checkRequest(this.#principal, request);
  }

  async *#stream(
    open: () => AsyncIterable<MessageInitShape<DescMessage>>,
  ): AsyncGenerator<Message, void, undefined> {
    const { output } = this.#implemented.method;
    const { stalledReaderMsMax } = this.#surroundings.limits;
    this.#running = true;
    let messages: AsyncIterator<MessageInitShape<DescMessage>> | undefined;
    try {
      const source = within(this.trace, open)[Symbol.asyncIterator]();
      messages = source;
      for (;;) {
        const next = await within(this.trace, () => nextUnlessAborted(source, this.signal));
        if (next.done === true) break;
        const message = create(output, next.value);
        const patience = setTimeout(() => this.#stall(), stalledReaderMsMax);
        try {
          yield message;
        } catch (thrown) {
          throw unwritten(thrown);
        } finally {
          clearTimeout(patience);
        }
      }
      this.#end({});
    } catch (thrown) {
      throw this.fail(thrown);
    } finally {
      // Not waited for: a handler that hangs in an await would hang its reader and a drain too.
      messages?.return?.()?.catch((error: unknown) => {
        if (!isAbortError(error) && error !== this.#abortReason) {
          this.#surroundings.logger.error(
            { method: this.#path, err: error },
            "stream clean-up failed",
          );
        }
      });
      this.#end({ code: Code.Canceled });
    }
  }

  #stall(): void {
    this.abort(new ConnectError("the reader takes nothing", Code.Aborted));
    this.onStalled?.();
  }

  #end({ code, reason, response }: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    const { drain, metrics } = this.#surroundings;
    drain.leave(this);
    if (this.streaming) this.#credential?.leave(this);
    const durationMs = performance.now() - this.startedAtMs;
    const name = code === undefined ? "OK" : nameOf(code);
    metrics.record({ method: this.#path, code: name, reason, durationMs });
    if (this.trace !== undefined) endCall(this.trace, { code: name, reason });
    this.#writeLine({
      code: name,
      reason,
      durationMs,
      tenantId: this.#credential?.principal.tenantId,
      caller: this.#credential?.id,
      request: this.#request,
      response,
    });
  }
}

/** How a call ended: without a code it went well. */
interface Ending {
  readonly code?: Code;
  readonly reason?: string;
  readonly response?: Message;
}

/** Why a call is aborted whose caller hung up or cancelled. */
export function callerGone(): ConnectError {
  return new ConnectError("the caller went away", Code.Canceled);
}

/**
 * Only an edge throws into a stream: with the connection's error when its reader is gone, with one
 * of Connect's when the message itself cannot be written, which is a bug.
 */
function unwritten(thrown: unknown): Error {
  if (!(thrown instanceof ConnectError)) return callerGone();
  return new Error("cannot write the answer", { cause: thrown });
}

function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortError";
}

/** FailedPrecondition → FAILED_PRECONDITION, as gRPC writes it. */
function nameOf(code: Code): string {
  return (Code[code] ?? "UNKNOWN").replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase();
}
