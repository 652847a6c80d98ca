/**
 * Owns the deadlines on the HTTP port: a unary call whose caller sets none gets one, and nobody a
 * longer one than is allowed; a stream may have any that a timer can hold. The library reads it
 * from the headers, so that is where it is set.
 */
import type { DescMethod } from "@bufbuild/protobuf";
import type { Limits } from "../config.ts";

/** By the gRPC protocol: hours, minutes, seconds, milli-, micro- and nanoseconds. */
const UNIT_MS = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 } as const;
const GRPC_TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const CONNECT_TIMEOUT = /^\d{1,10}$/;

/** Timers hold no more: above it a timeout would fire after 1 ms. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

export function boundTimeout(headers: Headers, method: DescMethod, limits: Limits): void {
  const isUnary = method.methodKind === "unary";
  const mostMs = isUnary ? limits.deadlineMsMax : TIMER_MS_MAX;
  const isGrpc = headers.get("content-type")?.startsWith("application/grpc") ?? false;
  const name = isGrpc ? "grpc-timeout" : "connect-timeout-ms";
  const asked = headers.get(name);
  // What is no timeout is left to the library, which refuses it.
  const askedMs = asked === null ? undefined : isGrpc ? fromGrpc(asked) : fromConnect(asked);
  if (asked === null ? !isUnary : askedMs === undefined || askedMs <= mostMs) return;
  const givenMs = asked === null ? limits.deadlineMsDefault : mostMs;
  headers.set(name, isGrpc ? toGrpc(givenMs) : String(givenMs));
}

/** A number has at most eight digits. */
function toGrpc(ms: number): string {
  return ms < 1e8 ? `${ms}m` : `${Math.floor(ms / UNIT_MS.S)}S`;
}

function fromGrpc(value: string): number | undefined {
  const [, number, unit] = GRPC_TIMEOUT.exec(value) ?? [];
  return unit === undefined ? undefined : Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

function fromConnect(value: string): number | undefined {
  return CONNECT_TIMEOUT.test(value) ? Number(value) : undefined;
}
