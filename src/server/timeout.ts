/**
 * Owns the deadlines of unary calls on the HTTP port: whoever sets none gets one, and nobody a
 * longer one than is allowed. The library reads it from the headers, so that is where it is set.
 */
import type { Limits } from "../config.ts";

/** By the gRPC protocol: hours, minutes, seconds, milli-, micro- and nanoseconds. */
const UNIT_MS = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 } as const;
const GRPC_TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const CONNECT_TIMEOUT = /^\d{1,10}$/;

export function boundTimeout(headers: Headers, limits: Limits): void {
  const isGrpc = headers.get("content-type")?.startsWith("application/grpc") ?? false;
  const name = isGrpc ? "grpc-timeout" : "connect-timeout-ms";
  const asked = headers.get(name);
  // What is no timeout is left to the library, which refuses it.
  const askedMs = asked === null ? undefined : isGrpc ? fromGrpc(asked) : fromConnect(asked);
  if (asked !== null && (askedMs === undefined || askedMs <= limits.deadlineMsMax)) return;
  const givenMs = askedMs === undefined ? limits.deadlineMsDefault : limits.deadlineMsMax;
  headers.set(name, isGrpc ? `${givenMs}m` : String(givenMs));
}

function fromGrpc(value: string): number | undefined {
  const [, number, unit] = GRPC_TIMEOUT.exec(value) ?? [];
  return unit === undefined ? undefined : Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

function fromConnect(value: string): number | undefined {
  return CONNECT_TIMEOUT.test(value) ? Number(value) : undefined;
}
