/** Owns the comparison of invoices with their lines (I3). */
import type { EntityManager } from "typeorm";
import type { CustomerId } from "../../ledger/ids.ts";
import { selectRows } from "../statement.ts";
import type { Audited } from "./audited.ts";
import * as statements from "./statements.ts";

interface SumRow {
  readonly customer_id: CustomerId;
  readonly number: bigint;
  readonly issued: bigint;
  /** Each says what the invoice has, and behind a semicolon what its lines come to. */
  readonly unsound: readonly string[] | null;
}

interface StrayLineRow {
  readonly customer_id: CustomerId;
  readonly invoice_line_id: string;
}

/** Returns how many invoices each customer has been issued. */
export async function checkInvoices(
  manager: EntityManager,
  audited: ReadonlyMap<CustomerId, Audited>,
): Promise<ReadonlyMap<CustomerId, bigint>> {
  const ids = [...audited.keys()];
  const rows = await selectRows<SumRow>(manager, statements.SUM_INVOICES, [ids]);
  for (const row of rows) {
    const customer = audited.get(row.customer_id);
    customer?.comparison().number(row.number);
    for (const text of row.unsound ?? []) {
      const [found = "", expected = ""] = text.split("; ");
      customer?.findings.add("invoice_lines", expected, found);
    }
  }
  const stray = await selectRows<StrayLineRow>(manager, statements.FIND_STRAY_LINES, [ids]);
  for (const { customer_id: customerId, invoice_line_id: id } of stray) {
    audited.get(customerId)?.findings.add("invoice_line_missing", "an invoice", `line ${id}`);
  }
  return new Map(rows.map((row) => [row.customer_id, row.issued]));
}
