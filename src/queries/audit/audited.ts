/** Owns what is known of one customer while it is audited, and in which steps its rows are read. */
import type { CustomerId } from "../../ledger/ids.ts";
import { SPAN_ROWS } from "../customer-spans.ts";
import { Comparison } from "./compare.ts";
import { Findings } from "./finding.ts";
import { CustomerReplay } from "./replay.ts";

export interface Audited {
  readonly customerId: CustomerId;
  readonly findings: Findings;
  readonly replay: CustomerReplay;
  readonly comparison: () => Comparison;
}

/** Rows of a page; a group of several customers is small and is read whole. */
export function pageRowsOf(customers: readonly unknown[]): number | null {
  return customers.length === 1 ? Number(SPAN_ROWS) : null;
}

export function startAudit(customerId: CustomerId): Audited {
  const findings = new Findings(customerId);
  const replay = new CustomerReplay(findings);
  let comparison: Comparison | undefined;
  return {
    customerId,
    findings,
    replay,
    // Made when the replay is complete.
    comparison: () => {
      comparison ??= new Comparison(replay, findings);
      return comparison;
    },
  };
}
