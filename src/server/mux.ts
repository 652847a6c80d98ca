/**
 * Owns one cleartext port that speaks HTTP/1.1 and HTTP/2 at once. Node's HTTP/2 server cannot do
 * the former, so the first bytes of a connection decide which of two servers it is handed to.
 */
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createHttp2,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { Limits } from "../config.ts";
import type { Certificates } from "./certificates.ts";
import {
  HANDSHAKE_MS_MAX,
  IDLE_HTTP1_MS_MAX,
  KEEP_ALIVE_MS,
  SESSION_MEMORY_MB_MAX,
} from "./limits.ts";

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;
export type HttpHandler = (request: HttpRequest, response: HttpResponse) => void;

/** What every HTTP/2 connection begins with (RFC 9113, 3.4). */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

const PREFACE_WAIT_MS_MAX = 10_000;
const IDLE_CHECK_INTERVAL_MS = 50;

/** What both ports ask of TLS. */
export function tlsOptions(certificates: Certificates, protocols: readonly string[]): TlsOptions {
  return {
    ...certificates.options,
    ALPNProtocols: [...protocols],
    handshakeTimeout: HANDSHAKE_MS_MAX,
    requestCert: certificates.asksClients,
    rejectUnauthorized: certificates.asksClients,
  };
}

/**
 * The HTTP/1.1 server is the one that listens, so that its own timeouts and its bookkeeping of
 * idle connections keep working.
 */
export class MuxServer {
  readonly #http1;
  readonly #http2;
  readonly #undecided = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  /** A session that was closed only ends its socket: a peer that never does would stay. */
  readonly #http2Sockets = new Set<Socket>();

  /** Without certificates the port is in cleartext. */
  constructor(handle: HttpHandler, limits: Limits, certificates: Certificates | undefined) {
    const { headerBytesMax, concurrentStreamsMax } = limits;
    const tcp = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    const http1 = { ...tcp, maxHeaderSize: headerBytesMax, keepAliveTimeout: IDLE_HTTP1_MS_MAX };
    this.#http1 =
      certificates === undefined
        ? createHttp1(http1, handle)
        : createHttps({ ...http1, ...tlsOptions(certificates, ["h2", "http/1.1"]) }, handle);
    this.#http1.maxConnections = limits.connectionsMax;
    this.#http2 = createHttp2(
      {
        settings: { maxConcurrentStreams: concurrentStreamsMax },
        maxSessionMemory: SESSION_MEMORY_MB_MAX,
      },
      handle,
    );
    this.#http2.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
    // A peer that breaks the protocol loses its session. There is nobody left to tell.
    this.#http2.on("sessionError", () => undefined);
    // A connection is there when it can be read: in cleartext at once, else after the handshake.
    const connected = certificates === undefined ? "connection" : "secureConnection";
    const [toHttp1] = this.#http1.listeners(connected);
    this.#http1.removeAllListeners(connected);
    this.#http1.on(connected, (socket: Socket) => {
      this.#decide(socket, (http1Socket) => toHttp1?.call(this.#http1, http1Socket));
    });
  }

  listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#http1.once("error", reject);
      this.#http1.listen(port, host, () => {
        this.#http1.off("error", reject);
        resolve(this.#http1.address() as AddressInfo);
      });
    });
  }

  /** From the next connection on. */
  useCertificates(options: SecureContextOptions): void {
    if ("setSecureContext" in this.#http1) this.#http1.setSecureContext(options);
  }

  /** Accepts nothing more, and resolves when every connection has ended. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      // Connections that wait for a next request become idle after this, and are closed then.
      const idle = setInterval(() => this.#http1.closeIdleConnections(), IDLE_CHECK_INTERVAL_MS);
      this.#http1.close(() => {
        clearInterval(idle);
        resolve();
      });
      for (const socket of this.#undecided) socket.destroy();
      for (const session of this.#sessions) session.close();
    });
  }

  /** Ends every connection at once, whatever is still on its way. */
  closeByForce(): void {
    for (const socket of this.#http2Sockets) socket.destroy();
    this.#http1.closeAllConnections();
  }

  /** Reads just enough to tell the protocol, and puts it back. */
  #decide(socket: Socket, toHttp1: (socket: Socket) => void): void {
    let head = Buffer.alloc(0);
    const giveUp = () => socket.destroy();
    const timer = setTimeout(giveUp, PREFACE_WAIT_MS_MAX);
    const done = () => {
      clearTimeout(timer);
      this.#undecided.delete(socket);
      socket.off("data", onData).off("end", giveUp).off("error", giveUp).off("close", done);
    };
    const onData = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const length = Math.min(head.length, PREFACE.length);
      const isHttp2 = head.compare(PREFACE, 0, length, 0, length) === 0;
      if (isHttp2 && length < PREFACE.length) return;
      socket.pause();
      done();
      socket.unshift(head);
      if (isHttp2) {
        this.#toHttp2(socket);
      } else {
        toHttp1(socket);
        socket.resume();
      }
    };
    this.#undecided.add(socket);
    socket.on("data", onData).on("end", giveUp).on("error", giveUp).on("close", done);
  }

  /** The session reads what was put back by itself: resuming the socket here would lose it. */
  #toHttp2(socket: Socket): void {
    socket.allowHalfOpen = false;
    this.#http2Sockets.add(socket);
    socket.once("close", () => this.#http2Sockets.delete(socket));
    this.#http2.emit("connection", socket);
  }
}
