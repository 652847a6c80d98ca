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
import { assert, type Refusal } from "../errors.ts";
import { type AdmittedCall, callerGone, type GuardedMethod } from "./guard.ts";
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
  #admitted: AdmittedCall | undefined;
  #request: Buffer | undefined;
  #requests: RequestQueue | undefined;
  #written: (() => void) | undefined;
  #cancelled = false;

  constructor(call: ServerInterceptingCallInterface, guarded: GuardedMethod) {
    super(call);
    this.#guarded = guarded;
    this.#call = call;
    this.#send = call.sendStatus.bind(call);
    // The library ends calls by itself: at bad compression, a large body, a passed deadline.
    call.sendStatus = (status) => this.#endByLibrary(status);
  }

  /** The library's own handler is not listened to: what follows takes its place. */
  override start(): void {
    this.#call.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    const [authorization] = metadata.get("authorization");
    try {
      this.#admitted = this.#guarded.admit(authorization?.toString());
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#guarded.method.methodKind === "bidi_streaming") {
      this.#requests = new RequestQueue(() => this.#call.startRead());
      void this.#answer(this.#admitted);
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
    if (this.#requests !== undefined) this.#requests.end();
    else if (this.#request === undefined) this.#failProtocol("no request message");
    else if (this.#admitted !== undefined) void this.#answer(this.#admitted);
  }

  /** Also called at the end of every call that went well, where it changes nothing. */
  onCancel(): void {
    this.#cancelled = true;
    this.#admitted?.abort(callerGone());
    this.#requests?.end();
    this.#written?.();
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
    const refusal = admitted?.running ? undefined : refusalOf(code, details);
    if (refusal !== undefined) {
      this.#fail(refusal);
    } else {
      admitted?.abort(new ConnectError(details, code as number));
      this.#send(status);
    }
  }
}

/** What the library blames on itself, or on a lack of room, although the caller sent it. */
function refusalOf(code: Status, details: string): Refusal | undefined {
  if (code === Status.INTERNAL) return unreadableRequest(details);
  if (code === Status.RESOURCE_EXHAUSTED) return requestTooLarge();
  return undefined;
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
