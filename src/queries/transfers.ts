/** Owns reading a customer's journal as it stands, transfer by transfer (L1, L3). */
import type { Transfer } from "../ledger/transfer.ts";
import type { CustomerName, CustomerReads } from "./customer-reads.ts";
import { type JournalRow, TRANSFER_COLUMNS, transferOf } from "./journal-rows.ts";
import { selectRows } from "./statement.ts";
import type { StreamTurns } from "./stream-turns.ts";

/** About half a mebibyte. */
const PAGE_ROWS = 1_000;

const PAGE = `SELECT ${TRANSFER_COLUMNS} FROM transfer t
  WHERE t.customer_id = $1 AND t.sequence >= $2 ORDER BY t.sequence LIMIT ${PAGE_ROWS}`;

/** Pages of transfers from a sequence on, to the last that stands when the end is reached. */
export async function* streamTransfers(
  { customers, turns }: { readonly customers: CustomerReads; readonly turns: StreamTurns },
  customer: CustomerName,
  fromSequence: bigint,
  signal: AbortSignal,
): AsyncGenerator<readonly Transfer[], void, undefined> {
  let from = fromSequence;
  for (;;) {
    const values = [customer.customerId, from];
    const rows = await turns.take(customer.tenantId, signal, () =>
      customers.read(customer, (manager) => selectRows<JournalRow>(manager, PAGE, values)),
    );
    const last = rows.at(-1);
    if (last !== undefined) yield rows.map(transferOf);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    from = last.sequence + 1n;
  }
}
