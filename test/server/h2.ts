/** Owns a bare HTTP/2 client, for what no RPC client would send or do. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";

export interface RawCall {
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
}

export interface RawRequest {
  readonly base: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null is a body that is never sent. */
  readonly body: Buffer | null;
}

/** Opens a gRPC call. Nothing is read unless the caller reads the stream. */
export function h2Open({ base, path, headers, body }: RawRequest): RawCall {
  const session = connect(base);
  session.on("error", () => undefined);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc+proto",
    te: "trailers",
    ...headers,
  });
  stream.on("error", () => undefined);
  if (body !== null) stream.end(body);
  return { session, stream };
}

/** Makes a gRPC call and reads it to the end; gives its trailers, wherever they stood. */
export async function h2Post(request: RawRequest) {
  const { session, stream } = h2Open(request);
  const trailers: Record<string, unknown> = {};
  stream.on("response", (headers) => Object.assign(trailers, headers));
  stream.on("trailers", (headers) => Object.assign(trailers, headers));
  stream.resume();
  await new Promise((resolve) => stream.once("close", resolve));
  session.destroy();
  return { trailers };
}

/** Puts the flag and the length before a message, as gRPC and Connect streams want it. */
export function envelope(message: string | Uint8Array, flags = 0): Buffer {
  const bytes = Buffer.from(message);
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
