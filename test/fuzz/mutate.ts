/**
 * Owns spoiling a request: bytes, JSON, frames and headers, one or several faults at a time, each
 * drawn from a seed so that a mutant that was found can be made again.
 */
import { gzipSync } from "node:zlib";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** A number from 0 up to, not including, `below`. */
export type Draw = (below: number) => number;

/** The generator mulberry32. */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export function pick<T>(draw: Draw, from: readonly T[]): T {
  const chosen = from[draw(from.length)];
  if (chosen === undefined) throw new Error("there is nothing to choose from");
  return chosen;
}

const bytesOf = (draw: Draw, count: number) =>
  Buffer.from(Array.from({ length: count }, () => draw(256)));

/** Starts of fields without an end, and ends without a start. */
const GROUPS = [Buffer.alloc(10_000, 0x0b), Buffer.alloc(50, 0x0c), Buffer.from([0x0b, 0x0c])];
const HUGE_LENGTHS = [
  Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
  Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
  Buffer.alloc(20, 0xff),
];

type Spoil = (bytes: Buffer, draw: Draw) => Buffer;

const insert: (make: (draw: Draw) => Buffer) => Spoil = (make) => (bytes, draw) => {
  const at = draw(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), make(draw), bytes.subarray(at)]);
};

const overwrite: (change: (byte: number, draw: Draw) => number) => Spoil =
  (change) => (bytes, draw) => {
    const spoiled = Buffer.from(bytes);
    const at = draw(bytes.length);
    if (bytes.length > 0) spoiled[at] = change(spoiled[at] ?? 0, draw);
    return spoiled;
  };

const BYTE_FAULTS: readonly Spoil[] = [
  overwrite((byte, draw) => byte ^ (1 << draw(8))),
  overwrite((_byte, draw) => draw(256)),
  overwrite((_byte, draw) => pick(draw, [0, 0x7f, 0x80, 0xff])),
  insert((draw) => bytesOf(draw, 1 + draw(8))),
  insert((draw) => pick(draw, GROUPS)),
  insert((draw) => pick(draw, HUGE_LENGTHS)),
  (bytes, draw) => bytes.subarray(0, draw(bytes.length + 1)),
  (bytes, draw) => bytes.subarray(draw(bytes.length + 1)),
  (bytes, draw) => {
    const at = draw(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + draw(4))]);
  },
  (bytes, draw) => {
    const at = draw(bytes.length + 1);
    return Buffer.concat([bytes, bytes.subarray(at, at + draw(40))]);
  },
  (_bytes, draw) => bytesOf(draw, draw(200)),
];

export function spoilBytes(bytes: Buffer, draw: Draw): Buffer {
  let spoiled = bytes;
  for (let faults = 1 + draw(3); faults > 0; faults--)
    spoiled = pick(draw, BYTE_FAULTS)(spoiled, draw);
  return spoiled;
}

const ODD_VALUES: readonly JsonValue[] = [
  ...[null, true, 0, -1, 1.5, 1e300, 2 ** 53, 2 ** 31, -(2 ** 63), "", "x", " ", "-", "NaN", "1e9"],
  ...["\u0000", "a\u0000b", "\ud800", "é".repeat(2_000), "x".repeat(20_000), "%s%n", "' OR 1=1"],
  ...["0190a1b2-c3d4-7000-8000-00000000dead", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"],
  ...["999999999999999999999999.999999999999", "-0.000000000001", "UNSPECIFIED", "P999Y"],
];
const ODD_SHAPES: readonly JsonValue[] = [[], {}, [null], [[]], [{}], { a: 1 }, [1, "2"]];

/** Puts something odd in place of a random part of a JSON value, or beside it. */
export function spoilJson(json: JsonValue, draw: Draw): JsonValue {
  const isLeaf = typeof json !== "object" || json === null;
  if (isLeaf || draw(4) === 0) return pick(draw, draw(3) === 0 ? ODD_SHAPES : ODD_VALUES);
  if (Array.isArray(json)) {
    if (json.length === 0 || draw(5) === 0) {
      return Array.from({ length: draw(1_010) }, () => json[0] ?? 1);
    }
    const at = draw(json.length);
    return json.map((each, index) => (index === at ? spoilJson(each, draw) : each));
  }
  return spoilObject(json, draw);
}

function spoilObject(json: JsonObject, draw: Draw): JsonObject {
  const names = Object.keys(json);
  const fault = names.length === 0 ? 0 : draw(8);
  if (fault === 0) return { ...json, [pick(draw, ["nonsense", "__proto__", "", "id"])]: 1 };
  const name = pick(draw, names);
  const { [name]: value = null, ...rest } = json;
  if (fault === 1) return rest;
  if (fault === 2) return { ...rest, [`${name}_`]: value };
  return { ...rest, [name]: spoilJson(value, draw) };
}

/** A JSON text, mostly well formed; else nested deep, cut off, or with a name twice. */
export function spoilText(json: JsonValue, draw: Draw): Buffer {
  switch (draw(10)) {
    case 0:
      return Buffer.from(`{"metadata":${"[".repeat(10_000)}${"]".repeat(10_000)}}`);
    case 1:
      return Buffer.from(`${'{"featureFilter":'.repeat(5_000)}1${"}".repeat(5_000)}`);
    case 2:
      return Buffer.from(JSON.stringify(json).replace("{", '{"requestId":"a","requestId":"b",'));
    case 3:
      return spoilBytes(Buffer.from(JSON.stringify(json)), draw);
    default:
      return Buffer.from(JSON.stringify(spoilJson(json, draw)));
  }
}

function frame(message: Buffer, flags: number, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** Puts a message into its frame, every tenth time into a wrong one. */
export function spoilFrame(message: Buffer, draw: Draw): Buffer {
  if (draw(10) > 0) return frame(message, 0);
  return pick<() => Buffer>(draw, [
    () => frame(message, 1),
    () => frame(message, draw(256)),
    () => frame(message, 0, message.length + 1 + draw(100)),
    () => frame(message, 0, draw(message.length + 1)),
    () => frame(message, 0, 0xffff_ffff),
    () => Buffer.concat([frame(message, 0), frame(message, 0)]),
    () => frame(message, 0).subarray(0, draw(6)),
    () => Buffer.alloc(0),
    () => frame(gzipSync(Buffer.alloc(5 * 1024 * 1024)), 1),
  ])();
}

const ODD_HEADERS: readonly (readonly [name: string, values: readonly string[]])[] = [
  ["content-encoding", ["gzip", "br", "nonsense", "identity"]],
  ["grpc-encoding", ["gzip", "deflate", "nonsense", "identity"]],
  ["connect-content-encoding", ["gzip", "br", "nonsense"]],
  ["grpc-timeout", ["0m", "1n", "1H", "99999999H", "soon", "-1S", "8S"]],
  ["connect-timeout-ms", ["0", "1", "9999999999", "-1", "soon"]],
  ["connect-protocol-version", ["1", "2", ""]],
  ["content-type", ["application/grpc", "application/x", "text/plain", "application/grpc+xml", ""]],
  ["accept-encoding", ["br", "nonsense", "gzip;q=0"]],
  ["x-note-bin", ["!!!", "AAAA"]],
  ["traceparent", ["00-0-0-0", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]],
];

/** One odd header, every fifth time. */
export function spoilHeaders(
  headers: Readonly<Record<string, string>>,
  draw: Draw,
): Readonly<Record<string, string>> {
  if (draw(5) > 0) return headers;
  const [name, values] = pick(draw, ODD_HEADERS);
  return { ...headers, [name]: pick(draw, values) };
}

/** A message as the query of a GET, every fifth time a wrong one. */
export function spoilQuery(message: Buffer, encoding: string, draw: Draw): string {
  const query = new URLSearchParams({
    connect: "v1",
    encoding,
    base64: "1",
    message: message.toString("base64url"),
  });
  if (draw(5) > 0) return query.toString();
  const [name, value] = pick(draw, ODD_PARAMETERS);
  if (value === undefined) query.delete(name);
  else query.set(name, value);
  // What no encoder writes.
  return draw(4) === 0 ? `${query}&${pick(draw, ["%", "%zz", "&&=", "message=%00"])}` : `${query}`;
}

const ODD_PARAMETERS: readonly (readonly [name: string, value?: string])[] = [
  ["connect"],
  ["connect", "v9"],
  ["encoding"],
  ["encoding", "xml"],
  ["base64"],
  ["base64", "0"],
  ["message"],
  ["message", ""],
  ["message", "!!!"],
  ["message", "x".repeat(30_000)],
  ["compression", "gzip"],
  ["compression", "br"],
  ["nonsense", "1"],
];
