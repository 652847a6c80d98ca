/** Owns the comparison of invoices with their lines (I3). */
import type { EntityManager } from "typeorm";
import type { CustomerId } from "../../ledger/ids.ts";
import { selectRows } from "../statement.ts";
import type { Audited } from "./audited.ts";
import * as statements from "./statements.ts";

interface SumRow {
  readonly customer_id: CustomerId;
  /** How many creation sequences were taken, and what they add up to. */
  readonly numbers: bigint;
  readonly sum_of_numbers: bigint;
  /** Whether an invoice for charges was voided: credit lines for it are gone without a trace. */
  readonly waived: boolean;
  readonly issued: bigint;
  readonly overage: boolean;
  /** Each says what the invoice has, and behind a semicolon what its lines come to. */
  readonly unsound: readonly string[] | null;
}

/** Returns how many invoices each customer has been issued, and who has any for charges. */
export async function checkInvoices(
  manager: EntityManager,
  audited: ReadonlyMap<CustomerId, Audited>,
): Promise<{
  readonly issued: ReadonlyMap<CustomerId, bigint>;
  readonly overdrawn: readonly CustomerId[];
}> {
  const ids = [...audited.keys()];
  const rows = await selectRows<SumRow>(manager, statements.SUM_INVOICES, [ids]);
  for (const row of rows) {
    const customer = audited.get(row.customer_id);
    customer?.comparison().number(row.sum_of_numbers, row.numbers);
    if (row.waived) customer?.comparison().linesMayBeMissing();
    for (const text of row.unsound ?? []) {
      const [found = "", expected = ""] = text.split("; ");
      customer?.findings.add("invoice_lines", expected, found);
    }
  }
  return {
    issued: new Map(rows.map((row) => [row.customer_id, row.issued])),
    overdrawn: rows.filter((row) => row.overage).map((row) => row.customer_id),
  };
}
