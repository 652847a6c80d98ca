/**
 * Owns a Connect transport over the grpc-js client, so that one typed client runs every test over
 * that stack too. It turns grpc-js's errors into those that the other transports throw.
 */
import {
  create,
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type Code,
  ConnectError,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";

type HeaderInit = ConstructorParameters<typeof Headers>[0];

const pass = (bytes: Buffer) => bytes;

/** `close` ends the client's connection. */
export function createGrpcJsTransport(address: string): Transport & { close(): void } {
  const client = new Client(address, credentials.createInsecure());
  return {
    close: () => client.close(),
    unary<I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeaderInit,
      input: MessageInitShape<I>,
    ): Promise<UnaryResponse<I, O>> {
      return new Promise((resolve, reject) => {
        const call = client.makeUnaryRequest(
          pathOf(method),
          pass,
          pass,
          Buffer.from(toBinary(method.input, create(method.input, input))),
          metadataOf(header),
          deadlineOf(timeoutMs),
          (error, bytes) => {
            if (error !== null) {
              reject(fromServiceError(error));
              return;
            }
            const message = fromBinary(method.output, bytes ?? Buffer.alloc(0));
            resolve({ ...emptyResponse(method), stream: false, method, message });
          },
        );
        signal?.addEventListener("abort", () => call.cancel());
      });
    },
    async stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeaderInit,
      input: AsyncIterable<MessageInitShape<I>>,
    ): Promise<StreamResponse<I, O>> {
      const { value: request } = await input[Symbol.asyncIterator]().next();
      const call = client.makeServerStreamRequest(
        pathOf(method),
        pass,
        pass,
        Buffer.from(toBinary(method.input, create(method.input, request))),
        metadataOf(header),
        deadlineOf(timeoutMs),
      );
      signal?.addEventListener("abort", () => call.cancel());
      const message = (async function* (): AsyncGenerator<MessageShape<O>> {
        try {
          for await (const bytes of call) yield fromBinary(method.output, bytes as Buffer);
        } catch (error) {
          throw fromServiceError(error as ServiceError);
        }
      })();
      return { ...emptyResponse(method), stream: true, method, message };
    },
  };
}

function pathOf(method: DescMethodUnary | DescMethodStreaming): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function emptyResponse(method: DescMethodUnary | DescMethodStreaming) {
  return { service: method.parent, header: new Headers(), trailer: new Headers() };
}

function metadataOf(header: HeaderInit): Metadata {
  const metadata = new Metadata();
  new Headers(header).forEach((value, key) => {
    metadata.set(key, value);
  });
  return metadata;
}

function deadlineOf(timeoutMs: number | undefined) {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

/** The details have the exact message; grpc-js decodes the header's escapes only in part. */
function fromServiceError(error: ServiceError): ConnectError {
  const code = error.code as number as Code;
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!(bytes instanceof Buffer)) return new ConnectError(error.details, code);
  const { message, details } = fromBinary(StatusSchema, bytes);
  const connectError = new ConnectError(message, code);
  connectError.details = details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  return connectError;
}
