/** Owns how a feature filter of the contract becomes one of the queries (B3). */
import type { FeatureFilter as FeatureFilterMessage } from "../../../gen/drawdown/v1/feature_filter_pb.ts";
import type { FeatureFilter } from "../../queries/feature-filter.ts";

/** Validation lets at most one of the fields through; with none of them all credit is chosen. */
export function fromProtoFeatureFilter(
  message: FeatureFilterMessage | undefined,
): FeatureFilter | null {
  if (message === undefined) return null;
  const { anyOf, noneOf, contains, unrestrictedOnly } = message;
  if (anyOf.length > 0) return { kind: "any_of", features: anyOf };
  if (noneOf.length > 0) return { kind: "none_of", features: noneOf };
  if (contains.length > 0) return { kind: "contains", parts: contains };
  return unrestrictedOnly ? { kind: "unrestricted_only" } : null;
}
