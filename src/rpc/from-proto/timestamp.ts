/** Owns how timestamps of the contract become moments of the ledger (M5). */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { fromTimestampParts, type Instant } from "../../money/time.ts";
import { invalidRequest } from "../validation.ts";

/**
 * The moment of a timestamp, null for one that is not set. Refuses what the declared rules cannot
 * see: nothing a caller sends is rounded, so a time finer than microseconds is no time here.
 */
export function fromProtoTimestamp(
  timestamp: Timestamp | undefined,
  field: string,
): Instant | null {
  if (timestamp === undefined) return null;
  const moment = fromTimestampParts(timestamp);
  if (moment !== undefined) return moment;
  const description = "must be a time in whole microseconds";
  throw invalidRequest(`${field}: ${description}`, [{ field, description }]);
}
