/** Owns reading from an analyzed plan how many rows it has met. */
export interface Plan {
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Plan[];
}

/** How many rows the nodes of a plan have met, those included that they threw away. */
export function rowsMet(plan: Plan): number {
  const own = plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0);
  const below = (plan.Plans ?? []).map(rowsMet);
  return Math.max(own * plan["Actual Loops"], ...below);
}
