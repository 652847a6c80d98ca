/**
 * Owns the gRPC port, for services at volume. grpc-js is used below its handler interface: an
 * interceptor sees the headers before the body is read, writes with back-pressure, and spares a
 * stream object per call; what the library itself answers to bad input goes through it too.
 */
import { type AddressInfo, createServer, type Server as Listener, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  Server as TlsServer,
} from "node:tls";
import type { DescMethod } from "@bufbuild/protobuf";
import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import type { Limits } from "../config.ts";
import { AssertionFailure, assert } from "../errors.ts";
import type { Certificates } from "./certificates.ts";
import { GrpcCall } from "./grpc-call.ts";
import type { GuardedMethod, GuardedService } from "./guard.ts";
import { KEEP_ALIVE_MS, SESSION_MEMORY_MB_MAX } from "./limits.ts";
import { tlsOptions } from "./mux.ts";

/**
 * The connections are accepted here and handed to the library, because its own forced shutdown
 * leaves them open (seen with 1.14.7, when channelz is off).
 */
export class GrpcPort {
  readonly #listener: Listener;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** Without certificates the port is in cleartext. */
  constructor(
    services: readonly GuardedService[],
    limits: Limits,
    certificates: Certificates | undefined,
  ) {
    this.#server = serverOf(services, limits);
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    const tcp = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    const accept = (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      injector.injectConnection(socket);
    };
    this.#listener =
      certificates === undefined
        ? createServer(tcp, accept)
        : createTlsServer({ ...tcp, ...tlsOptions(certificates, ["h2"]) }, accept);
    this.#listener.maxConnections = limits.connectionsMax;
  }

  listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#listener.once("error", reject);
      this.#listener.listen(port, host, () => {
        this.#listener.off("error", reject);
        resolve(this.#listener.address() as AddressInfo);
      });
    });
  }

  /** From the next connection on. */
  useCertificates(options: SecureContextOptions): void {
    if (this.#listener instanceof TlsServer) this.#listener.setSecureContext(options);
  }

  /** Accepts nothing more, and resolves when every connection has ended. */
  close(): Promise<void> {
    this.#server.tryShutdown(() => undefined);
    return new Promise((resolve) => this.#listener.close(() => resolve()));
  }

  /** Ends every connection at once, whatever is still on its way. */
  closeByForce(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Makes a server of all services, which listens nowhere itself. */
function serverOf(services: readonly GuardedService[], limits: Limits): Server {
  const methods = new Map<string, GuardedMethod>();
  for (const service of services) {
    for (const guarded of service.methods) methods.set(guarded.path, guarded);
  }
  const server = new Server({
    interceptors: [takeOver(methods, limits)],
    "grpc.max_receive_message_length": limits.requestBytesMax,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": limits.concurrentStreamsMax,
    "grpc.keepalive_time_ms": KEEP_ALIVE_MS,
    "grpc.enable_channelz": 0,
    "grpc-node.max_session_memory": SESSION_MEMORY_MB_MAX,
  });
  for (const { methods: guarded } of services) {
    const definitions = guarded.map(({ method, path }) => definitionOf(method, path));
    server.addService(
      Object.fromEntries(definitions) as ServiceDefinition,
      Object.fromEntries(definitions.map(([name]) => [name, unreachable])),
    );
  }
  return server;
}

type BytesMethod = MethodDefinition<Buffer, Buffer>;

/** The library passes bytes through: what cannot be read must not become its INTERNAL. */
function definitionOf(method: DescMethod, path: string): readonly [string, BytesMethod] {
  const pass = (bytes: Buffer) => bytes;
  const streamsIn = method.methodKind === "bidi_streaming";
  const definition: BytesMethod = {
    path,
    requestStream: streamsIn,
    responseStream: streamsIn || method.methodKind === "server_streaming",
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
  return [method.localName, definition];
}

function unreachable(): never {
  throw new AssertionFailure("the interceptor answers every call");
}

function takeOver(methods: ReadonlyMap<string, GuardedMethod>, limits: Limits): ServerInterceptor {
  return (definition, call) => {
    const guarded = methods.get(definition.path);
    assert(guarded !== undefined, `${definition.path} is guarded`);
    return new GrpcCall(call, guarded, limits);
  };
}
