/** Owns the choice of credit by its grant's features (B3), for rows in SQL and lots in memory. */
import type { Parameters } from "./statement.ts";

/** Which credit is meant. Null stands for all of it, wherever a filter may be. */
export type FeatureFilter =
  | { readonly kind: "any_of"; readonly features: readonly string[] }
  | { readonly kind: "none_of"; readonly features: readonly string[] }
  | { readonly kind: "contains"; readonly parts: readonly string[] }
  | { readonly kind: "unrestricted_only" };

export function choosesFeatures(
  filter: FeatureFilter | null,
  features: readonly string[],
): boolean {
  if (filter === null) return true;
  const unrestricted = features.length === 0;
  switch (filter.kind) {
    case "any_of":
      return unrestricted || features.some((feature) => filter.features.includes(feature));
    case "none_of":
      return !unrestricted && !features.some((feature) => filter.features.includes(feature));
    case "contains":
      return (
        unrestricted ||
        features.some((feature) => filter.parts.some((part) => feature.includes(part)))
      );
    case "unrestricted_only":
      return unrestricted;
  }
}

/** The same choice as a condition on a grant's row under the given alias. */
export function featureCondition(
  filter: FeatureFilter | null,
  alias: string,
  parameters: Parameters,
): string {
  if (filter === null) return "true";
  const column = `${alias}.features`;
  const unrestricted = `cardinality(${column}) = 0`;
  switch (filter.kind) {
    case "any_of":
      return `(${unrestricted} OR ${column} && ${parameters.add(filter.features)}::text[])`;
    case "none_of":
      return `(NOT ${unrestricted} AND NOT ${column} && ${parameters.add(filter.features)}::text[])`;
    case "contains":
      return `(${unrestricted} OR EXISTS (
        SELECT FROM unnest(${column}) f, unnest(${parameters.add(filter.parts)}::text[]) p
        WHERE position(p IN f) > 0))`;
    case "unrestricted_only":
      return unrestricted;
  }
}

/** What tells filters apart in a token: those that choose the same are the same. */
export function featureBinding(filter: FeatureFilter | null): readonly string[] {
  if (filter === null) return [];
  const values =
    filter.kind === "contains" ? filter.parts : "features" in filter ? filter.features : [];
  return [filter.kind, ...new Set(values.toSorted())];
}
