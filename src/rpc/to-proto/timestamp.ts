/** Owns how a moment of the ledger becomes a timestamp of the contract. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type Instant, toTimestampParts } from "../../money/time.ts";

/** Microseconds survive, and a moment that there is none of stays an unset field. */
export function toProtoTimestamp(moment: Instant): Timestamp;
export function toProtoTimestamp(moment: Instant | null): Timestamp | undefined;
export function toProtoTimestamp(moment: Instant | null): Timestamp | undefined {
  if (moment === null) return undefined;
  return { $typeName: "google.protobuf.Timestamp", ...toTimestampParts(moment) };
}
