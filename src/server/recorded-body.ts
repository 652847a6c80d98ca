/**
 * Owns a second look at a JSON body. The library reads it and, when it cannot, forgets where: to
 * name the field, the body is kept until the call has ended.
 */
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";

/** Streams and gRPC put a flag and a length before each message. */
const ENVELOPE_BYTES = 5;

export class RecordedBody {
  readonly body: UniversalServerRequest["body"];
  readonly isJson: boolean;
  readonly #enveloped: boolean;
  readonly #inUrl: string | undefined;
  readonly #chunks: Uint8Array[] = [];

  constructor(request: UniversalServerRequest) {
    const type = request.header.get("content-type") ?? "";
    const query = request.method === "GET" ? new URL(request.url).searchParams : undefined;
    this.isJson = query === undefined ? type.includes("json") : query.get("encoding") === "json";
    this.#enveloped = type.includes("+json");
    this.#inUrl = query === undefined ? undefined : textOf(query);
    const { body } = request;
    const recordable = this.isJson && query === undefined && Symbol.asyncIterator in Object(body);
    this.body = recordable ? this.#record(body as AsyncIterable<Uint8Array>) : body;
  }

  /** The text of the message. A compressed one makes no sense, and then no field is named. */
  json(): string {
    if (this.#inUrl !== undefined) return this.#inUrl;
    const bytes = Buffer.concat(this.#chunks);
    return bytes.subarray(this.#enveloped ? ENVELOPE_BYTES : 0).toString("utf8");
  }

  async *#record(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of body) {
      this.#chunks.push(chunk);
      yield chunk;
    }
  }
}

function textOf(query: URLSearchParams): string {
  const message = query.get("message") ?? "";
  return query.get("base64") === "1" ? Buffer.from(message, "base64url").toString("utf8") : message;
}
