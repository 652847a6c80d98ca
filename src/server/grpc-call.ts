/**
 * Owns one call on the gRPC port, from its headers to its status: it takes the place of grpc-js's
 * own handler, reads and writes bytes, and gives every error its details.
 */
import { create, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  status as Status,
} from "@grpc/grpc-js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import type { Limits } from "../config.ts";
import { assert, type Refusal } from "../errors.ts";
import { type AdmittedCall, type CallHeaders, callerGone, type GuardedMethod } from "./guard.ts";
import { RequestQueue } from "./request-queue.ts";
import { requestTooLarge, unreadableBinary, unreadableRequest } from "./unreadable.ts";

const DETAILS_KEY = "grpc-status-details-bin";
const OK: GrpcStatus = { code: Status.OK, details: "OK", metadata: null };

type GrpcStatus = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];
type Listener = Parameters<ServerInterceptingCallInterface["start"]>[0];

export class GrpcCall extends ServerInterceptingCall implements Listener {
  readonly #guarded: GuardedMethod;
  readonly #call: ServerInterceptingCallInterface;
  readonly #send: (status: GrpcStatus) => void;
  readonly #limits: Limits;
  readonly #startedAtMs = Date.now();
  #patience: NodeJS.Timeout | undefined;
  #admitted: AdmittedCall | undefined;
  #request: Buffer | undefined;
  #requests: RequestQueue | undefined;
  #written: (() => void) | undefined;
  #cancelled = false;

  constructor(call: ServerInterceptingCallInterface, guarded: GuardedMethod, limits: Limits) {
    super(call);
    this.#guarded = guarded;
    this.#call = call;
    this.#limits = limits;
    const send = call.sendStatus.bind(call);
    this.#send = (status) => {
      clearTimeout(this.#patience);
      send(status);
    };
    // The library ends calls by itself: at bad compression, a large body, a passed deadline.
    call.sendStatus = (status) => {
      if (status.code !== Status.DEADLINE_EXCEEDED || !this.#isDeadlineGarbled) {
        this.#endByLibrary(status);
      }
    };
  }

  /** The library's own handler is not listened to: what follows takes its place. */
  override start(): void {
    this.#call.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    try {
      const admitted = this.#guarded.admit(headersOf(metadata));
      if (!(admitted instanceof Promise)) this.#begin(admitted);
      else {
        admitted.then(
          (call) => this.#begin(call),
          (error) => this.#fail(error),
        );
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Only now anything of the body is asked for. */
  #begin(admitted: AdmittedCall): void {
    this.#admitted = admitted;
    if (this.#cancelled) {
      admitted.abort(callerGone());
      return;
    }
    admitted.onStalled = () => this.#written?.();
    this.#limitTime();
    if (this.#guarded.method.methodKind === "bidi_streaming") {
      this.#requests = new RequestQueue(() => this.#call.startRead());
      void this.#answer(admitted);
    } else {
      this.#call.startRead();
    }
  }

  onReceiveMessage(bytes: Buffer): void {
    if (this.#requests !== undefined) {
      this.#requests.push(bytes);
    } else if (this.#request !== undefined) {
      this.#failProtocol("more than one request message");
    } else {
      this.#request = bytes;
      this.#call.startRead();
    }
  }

  onReceiveHalfClose(): void {
    if (this.#guarded.method.methodKind !== "unary") clearTimeout(this.#patience);
    if (this.#requests !== undefined) this.#requests.end();
    else if (this.#request === undefined) this.#failProtocol("no request message");
    else if (this.#admitted !== undefined) void this.#answer(this.#admitted);
  }

  /** Also called at the end of every call that went well, where it changes nothing. */
  onCancel(): void {
    this.#cancelled = true;
    clearTimeout(this.#patience);
    if (this.#admitted?.ended === false) this.#admitted.abort(callerGone());
    this.#requests?.end();
    this.#written?.();
    if (this.#admitted?.ended) this.#letGo();
  }

  /** Node keeps ended streams, and with each this call, until its next full collection. */
  #letGo(): void {
    this.#admitted = undefined;
    this.#request = undefined;
    this.#patience = undefined;
  }

  /** The library takes a deadline that lies more than 2^31 ms ahead for one that has passed. */
  get #isDeadlineGarbled(): boolean {
    return Number(this.#call.getDeadline()) < this.#startedAtMs;
  }

  /** Whoever sets no deadline gets one; the request of a stream must come as soon. */
  #limitTime(): void {
    const { methodKind } = this.#guarded.method;
    const { deadlineMsDefault, deadlineMsMax } = this.#limits;
    const deadlineMs = Number(this.#call.getDeadline()) - this.#startedAtMs;
    if (methodKind === "server_streaming" || (methodKind === "unary" && deadlineMs === Infinity)) {
      this.#patience = setTimeout(() => this.#endInTime(), deadlineMsDefault);
    } else if (methodKind === "unary" && (deadlineMs > deadlineMsMax || this.#isDeadlineGarbled)) {
      this.#patience = setTimeout(() => this.#endInTime(), deadlineMsMax);
    }
  }

  #endInTime(): void {
    this.#endByLibrary({ code: Status.DEADLINE_EXCEEDED, details: "the deadline has passed" });
  }

  async #answer(admitted: AdmittedCall): Promise<void> {
    try {
      if (this.#guarded.method.methodKind === "unary") {
        const response = await admitted.unary(this.#read(this.#request));
        this.#call.sendMessage(this.#serialize(response), () => this.#send(OK));
        return;
      }
      for await (const response of this.#stream(admitted)) {
        if (this.#cancelled) return;
        await this.#write(this.#serialize(response));
      }
      this.#send(OK);
    } catch (error) {
      this.#fail(error);
    }
  }

  #stream(admitted: AdmittedCall): AsyncGenerator<Message> {
    const requests = this.#requests;
    return requests === undefined
      ? admitted.serverStream(this.#read(this.#request))
      : admitted.bidiStream(requests.map((bytes) => this.#read(bytes)));
  }

  #read(bytes: Buffer | undefined): Message {
    assert(bytes !== undefined, "a call is answered when its request is there");
    const { input } = this.#guarded.method;
    try {
      return fromBinary(input, bytes);
    } catch {
      throw unreadableBinary(input);
    }
  }

  #serialize(response: Message): Buffer {
    const bytes = toBinary(this.#guarded.method.output, response);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Resolves when the reader has taken the message, or is gone: so nothing piles up here. */
  #write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.#written = resolve;
      this.#call.sendMessage(bytes, resolve);
    });
  }

  /** After an error of the guard, which has ended the call, this only adds the details. */
  #fail(thrown: unknown): void {
    const admitted = this.#admitted;
    if (thrown instanceof ConnectError) this.#send(statusOf(thrown));
    else if (admitted !== undefined) this.#send(statusOf(admitted.fail(thrown)));
    else this.#send({ code: Status.INTERNAL, details: "The service failed to answer." });
  }

  #failProtocol(problem: string): void {
    const error = new ConnectError(`The call has ${problem}.`, Code.Unimplemented);
    this.#admitted?.abort(error);
    this.#fail(error);
  }

  #endByLibrary(status: GrpcStatus): void {
    const { code = Status.UNKNOWN, details = "" } = status;
    const admitted = this.#admitted;
    const refusal = admitted?.running ? undefined : this.#refusalOf(code, details);
    if (refusal !== undefined) {
      this.#fail(refusal);
    } else {
      this.#cancelled = true;
      admitted?.abort(new ConnectError(details, code as number));
      this.#send(status);
    }
  }

  /** What the library blames on itself, or on a lack of room, although the caller sent it. */
  #refusalOf(code: Status, details: string): Refusal | undefined {
    if (code === Status.INTERNAL) return unreadableRequest(details);
    if (code === Status.RESOURCE_EXHAUSTED) return requestTooLarge(this.#limits.requestBytesMax);
    return undefined;
  }
}

/** What the guard asks of the headers. */
function headersOf(metadata: Metadata): CallHeaders {
  return {
    get: (name) => metadata.get(name)[0]?.toString(),
    get bytes() {
      let bytes = 0;
      for (const [name, values] of Object.entries(metadata.toJSON())) {
        for (const value of values) bytes += name.length + value.length;
      }
      return bytes;
    },
  };
}

function statusOf(error: ConnectError): GrpcStatus {
  const { code, rawMessage } = error;
  const metadata = new Metadata();
  const details = error.details.flatMap((detail) =>
    "desc" in detail ? [anyPack(detail.desc, create(detail.desc, detail.value))] : [],
  );
  if (details.length > 0) {
    const status = create(StatusSchema, { code, message: rawMessage, details });
    metadata.set(DETAILS_KEY, Buffer.from(toBinary(StatusSchema, status)));
  }
  return { code: code as number, details: rawMessage, metadata };
}
