/** What cannot be read is the caller's fault, and says so, whatever the protocol. */
import { createConnection } from "node:net";
import { gzipSync } from "node:zlib";
import { create, fromBinary, toBinary, toJsonString } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ListMovementsRequestSchema } from "../../gen/drawdown/v1/history_service_pb.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { CUSTOMER_ID, type Edges, KEY, startEdges } from "./edges.ts";
import { envelope, h2Post } from "./h2.ts";

const UNARY = "/drawdown.v1.HistoryService/ListMovements";
const STREAM = "/drawdown.v1.HistoryService/StreamMovements";
const AUTHORIZATION = { authorization: `Bearer ${KEY}` };

/** Well formed but for its size: if it were read, another field would be blamed. */
function sized(cursorLength: number) {
  const message = create(ListMovementsRequestSchema, {
    customerId: CUSTOMER_ID,
    cursor: "x".repeat(cursorLength),
  });
  return {
    json: toJsonString(ListMovementsRequestSchema, message),
    binary: Buffer.from(toBinary(ListMovementsRequestSchema, message)),
  };
}

/** Field 1, length 16, and then nothing. */
const TRUNCATED = Buffer.from([0x0a, 0x10]);
/** Group end without a beginning. */
const UNBALANCED = Buffer.from([0x0c]);

let edges: Edges;
let handled = 0;

beforeAll(async () => {
  edges = await startEdges({
    async listMovements() {
      handled += 1;
      return {};
    },
    async *streamMovements() {
      handled += 1;
      yield {};
    },
  });
});

afterAll(() => edges.server.drain(1_000));

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly reason: string | undefined;
  readonly fields: readonly string[];
}

interface ErrorJson {
  readonly code: string;
  readonly details?: readonly { readonly type: string; readonly value: string }[];
}

function answerOf(status: number, error: ErrorJson): Answer {
  const bytesOf = (type: string) => {
    const detail = error.details?.find((each) => each.type === type);
    return detail === undefined ? undefined : Buffer.from(detail.value, "base64");
  };
  const info = bytesOf("google.rpc.ErrorInfo");
  const bad = bytesOf("google.rpc.BadRequest");
  return {
    status,
    code: error.code,
    reason: info === undefined ? undefined : fromBinary(ErrorInfoSchema, info).reason,
    fields:
      bad === undefined
        ? []
        : fromBinary(BadRequestSchema, bad).fieldViolations.map(({ field }) => field),
  };
}

type Body = string | Buffer;

async function post(path: string, type: string, body: Body, more = {}): Promise<Response> {
  return fetch(edges.http + path, {
    method: "POST",
    headers: { ...AUTHORIZATION, "content-type": type, ...more },
    body: typeof body === "string" ? body : new Uint8Array(body),
  });
}

async function connectUnary(type: string, body: Body, more = {}): Promise<Answer> {
  const response = await post(UNARY, type, body, more);
  return answerOf(response.status, (await response.json()) as ErrorJson);
}

async function connectStream(type: string, body: Body): Promise<Answer> {
  const response = await post(STREAM, type, envelope(body));
  const end = Buffer.from(await response.arrayBuffer())
    .subarray(5)
    .toString();
  return answerOf(response.status, (JSON.parse(end) as { error: ErrorJson }).error);
}

async function grpcWeb(type: string, body: Body): Promise<Answer> {
  const response = await post(UNARY, type, envelope(body));
  const text = Buffer.from(await response.arrayBuffer()).toString("latin1");
  const trailer = (name: string) =>
    new RegExp(`${name}: (.*)\r\n`).exec(text)?.[1] ?? response.headers.get(name) ?? "";
  return grpcAnswer(
    trailer("grpc-status"),
    Buffer.from(trailer("grpc-status-details-bin"), "base64"),
  );
}

function grpcAnswer(code: string, statusBytes: Buffer): Answer {
  const { details } = fromBinary(StatusSchema, statusBytes);
  return answerOf(200, {
    code,
    details: details.map(({ typeUrl, value }) => ({
      type: typeUrl.replace("type.googleapis.com/", ""),
      value: Buffer.from(value).toString("base64"),
    })),
  });
}

/** Sends any bytes as a message by grpc-js. */
function grpc(base: string, path: string, body: Body, metadata = {}): Promise<Answer> {
  const client = new Client(new URL(base).host, credentials.createInsecure(), {
    "grpc.max_send_message_length": -1,
  });
  const pass = (bytes: Buffer) => bytes;
  const headers = Metadata.fromHttp2Headers({ ...AUTHORIZATION, ...metadata });
  return new Promise<Answer>((resolve, reject) => {
    const done = (error: ServiceError | null) => {
      const [bytes] = error?.metadata.get("grpc-status-details-bin") ?? [];
      if (error === null) reject(new Error("the call did not fail"));
      else resolve(grpcAnswer(String(error.code), Buffer.from(bytes ?? "")));
    };
    client.makeUnaryRequest(path, pass, pass, Buffer.from(body), headers, done);
  }).finally(() => client.close());
}

/** Sends a message that is marked as compressed with gzip, which grpc-js's client would check. */
async function grpcCompressed(base: string, body: Buffer): Promise<Answer> {
  const headers = { ...AUTHORIZATION, "grpc-encoding": "gzip" };
  const { trailers } = await h2Post({ base, path: UNARY, headers, body: envelope(body, 1) });
  const details = Buffer.from(String(trailers["grpc-status-details-bin"] ?? ""), "base64");
  return grpcAnswer(String(trailers["grpc-status"]), details);
}

const REFUSED = { reason: "INVALID_REQUEST" };
const CONNECT = { ...REFUSED, status: 400, code: "invalid_argument" };
const GRPC = { ...REFUSED, code: "3" };

describe("bytes that are no message are INVALID_ARGUMENT, not INTERNAL", () => {
  test.each([
    ["truncated", TRUNCATED],
    ["unbalanced", UNBALANCED],
    ["not protobuf at all", Buffer.from('{"customerId":1}')],
  ])("%s", async (_what, body) => {
    const before = handled;

    expect(await connectUnary("application/proto", body)).toEqual({ ...CONNECT, fields: [""] });
    expect(await connectStream("application/connect+proto", body)).toEqual({
      ...CONNECT,
      status: 200,
      fields: [""],
    });
    const grpcRefused = { ...GRPC, status: 200, fields: [""] };
    expect(await grpcWeb("application/grpc-web+proto", body)).toEqual(grpcRefused);
    for (const base of [edges.http, edges.grpc]) {
      expect(await grpc(base, UNARY, body)).toEqual(grpcRefused);
      expect(await grpc(base, STREAM, body)).toEqual(grpcRefused);
    }
    expect(handled).toBe(before);
  });
});

describe("JSON that is not the message is INVALID_ARGUMENT with the field's path", () => {
  const filter = (json: string) => `{"customerId":"${CUSTOMER_ID}","featureFilter":${json}}`;
  const rows: readonly (readonly [string, string])[] = [
    // body                                      field
    ['{"nonsense":1}', "nonsense"],
    ['{"customer_id":"x","page_sise":1}', "page_sise"],
    [filter('{"anyOff":["a"]}'), "feature_filter.anyOff"],
    [filter('{"anyOf":["a",2]}'), "feature_filter.any_of[1]"],
    [filter('{"anyOf":"a"}'), "feature_filter.any_of"],
    [filter("[]"), "feature_filter"],
    ['{"pageSize":"many"}', "page_size"],
    ['{"pageSize":1.5}', "page_size"],
    ['{"pageSize":2147483648}', "page_size"],
    ['{"customerId":7}', "customer_id"],
    ['{"bookedFrom":"yesterday"}', "booked_from"],
    ['{"types":["MOVEMENT_TYPE_FUNDED","FUN"]}', "types[1]"],
    ['{"order":"UPWARDS"}', "order"],
    ['{"customerId":"a","customer_id":"b"}', ""],
    ['{"customerId":', ""],
    ["[]", ""],
    ["null", ""],
    ["", ""],
  ];

  test.each(rows)("%s blames %j", async (body, field) => {
    const before = handled;

    expect(await connectUnary("application/json", body)).toEqual({ ...CONNECT, fields: [field] });
    const stream = await connectStream("application/connect+json", body);
    expect(stream).toEqual({ ...CONNECT, status: 200, fields: [field] });
    const web = await grpcWeb("application/grpc-web+json", body);
    expect(web).toEqual({ ...GRPC, status: 200, fields: [field] });
    expect(handled).toBe(before);
  });

  const getOf = (query: string, headers: Readonly<Record<string, string>> = AUTHORIZATION) =>
    fetch(`${edges.http + UNARY}?${query}`, { headers });

  test("in the URL of a GET as well", async () => {
    const response = await getOf(`encoding=json&message=${encodeURIComponent('{"nonsense":1}')}`);

    const answer = answerOf(response.status, (await response.json()) as ErrorJson);
    expect(answer).toEqual({ ...CONNECT, fields: ["nonsense"] });
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  test("in the URL of a GET, as what is not even base64", async () => {
    const query = "encoding=proto&base64=1&message=!!!";
    const response = await getOf(query);

    const answer = answerOf(response.status, (await response.json()) as ErrorJson);
    expect(answer).toEqual({ ...CONNECT, fields: [""] });
    expect((await getOf(query, {})).status, "without a key").toBe(401);
  });

  test("in the URL of a GET, but not before its deadline has been seen to be over", async () => {
    const late = { ...AUTHORIZATION, "connect-timeout-ms": "0" };
    const response = await getOf("encoding=proto&base64=1&message=_w", late);

    expect(await response.json()).toMatchObject({ code: "deadline_exceeded" });
  });

  test("with an error that fits into the trailers of gRPC, however long the unknown key", async () => {
    const body = `{"${"\\ud83d\\ude00".repeat(50_000)}":1, "\\ud800":2}`;

    expect(await connectUnary("application/json", body)).toMatchObject(CONNECT);
    const [field] = (await grpcWeb("application/grpc-web+json", body)).fields;
    expect(field?.length).toBeLessThan(100);
    expect(field?.isWellFormed()).toBe(true);
  });
});

describe("what is too large or compressed in no known way", () => {
  test("a message above 4 MiB is INVALID_ARGUMENT on both ports", async () => {
    const { json, binary } = sized(4 * 1024 * 1024);

    expect(await connectUnary("application/json", json)).toEqual({ ...CONNECT, fields: [""] });
    for (const base of [edges.http, edges.grpc]) {
      expect(await grpc(base, UNARY, binary)).toEqual({ ...GRPC, status: 200, fields: [""] });
    }
  });

  test("one below it is read", async () => {
    const { json, binary } = sized(4 * 1024 * 1024 - 100);
    const fields = ["cursor"];

    expect(await connectUnary("application/json", json)).toEqual({ ...CONNECT, fields });
    for (const base of [edges.http, edges.grpc]) {
      expect(await grpc(base, UNARY, binary)).toEqual({ ...GRPC, status: 200, fields });
    }
  });

  test("a small one that would grow above it is INVALID_ARGUMENT too", async () => {
    const { json, binary } = sized(32 * 1024 * 1024);
    const encoding = { "content-encoding": "gzip" };

    const inJson = await connectUnary("application/json", gzipSync(json), encoding);
    expect(inJson).toEqual({ ...CONNECT, fields: [""] });
    for (const base of [edges.http, edges.grpc]) {
      const answer = await grpcCompressed(base, gzipSync(binary));
      expect(answer).toEqual({ ...GRPC, status: 200, fields: [""] });
    }
  });

  test("and one that claims to be compressed and is not", async () => {
    const encoding = { "content-encoding": "gzip" };

    expect(await connectUnary("application/json", "{}", encoding)).toMatchObject(CONNECT);
    for (const base of [edges.http, edges.grpc]) {
      expect(await grpcCompressed(base, Buffer.from("{}"))).toMatchObject(GRPC);
    }
  });
});

describe("headers that make no sense", () => {
  test.each(["soon", "-1", "99999999999"])("a Connect timeout of %j", async (timeout) => {
    const answer = await connectUnary("application/json", "{}", { "connect-timeout-ms": timeout });

    expect(answer).toEqual({ ...CONNECT, fields: [""] });
  });

  test("a gRPC timeout that is none, on both ports", async () => {
    for (const base of [edges.http, edges.grpc]) {
      const answer = await grpc(base, UNARY, "", { "grpc-timeout": "soon" });
      expect(answer).toEqual({ ...GRPC, status: 200, fields: [""] });
    }
  });

  test.each(["][", "a b", ""])("a Host of %j does not end the process", async (host) => {
    const { httpPort } = edges.server;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(httpPort, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
      const head = [`POST ${UNARY} HTTP/1.1`, `Host: ${host}`, "Connection: close"];
      socket.write(`${[...head, "Content-Length: 0"].join("\r\n")}\r\n\r\n`);
    });

    expect(answer).toMatch(/^HTTP\/1.1 4\d\d /);
    expect((await fetch(`${edges.http}/healthz`)).status).toBe(200);
  });
});

describe("what does not exist", () => {
  test("an unknown method is 404 over HTTP and UNIMPLEMENTED over gRPC", async () => {
    const path = "/drawdown.v1.HistoryService/Rewrite";

    expect((await post(path, "application/json", "{}")).status).toBe(404);
    const client = new Client(new URL(edges.grpc).host, credentials.createInsecure());
    const pass = (bytes: Buffer) => bytes;
    const code = await new Promise((resolve) => {
      client.makeUnaryRequest(path, pass, pass, Buffer.alloc(0), (error) => resolve(error?.code));
    });
    client.close();
    expect(code).toBe(12);
  });

  test("a content type that no protocol has is 415", async () => {
    expect((await post(UNARY, "text/html", "{}")).status).toBe(415);
  });

  test("GET is there for reads only", async () => {
    const path = "/drawdown.v1.CurrencyService/CreateCurrency";

    expect((await fetch(`${edges.http + path}?encoding=json&message={}`)).status).toBe(405);
  });
});
