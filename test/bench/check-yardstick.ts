/**
 * Owns the proof that the yardstick is a fair one: what it writes for a charge is what the service
 * writes, row for row, and the service's own audit accepts the books that it leaves.
 */
import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import { type ChargeRows, watchCharge } from "./charge-rows.ts";
import { customerId } from "./load.ts";
import { chargeByHand } from "./sql-load.ts";

/** What is not looked at closely is audited. */
const CHARGES = 20;
/** Balances of one customer may have a digit more than those of another. */
const BYTES_APART_MAX = 16;

/** Charges the customer by hand; throws when that is not what the service `wrote`. */
export async function checkYardstick(
  site: { readonly database: pg.Client; readonly databaseUrl: string },
  customer: number,
  wrote: ChargeRows,
): Promise<void> {
  const client = new pg.Client({ connectionString: site.databaseUrl });
  await client.connect();
  try {
    const byHand = await watchCharge(site.database, customerId(customer), () =>
      chargeByHand(client, customer),
    );
    const apart = Math.abs(byHand.insertedBytes - wrote.insertedBytes);
    const { insertedBytes: _, ...rows } = byHand;
    const { insertedBytes: __, ...expected } = wrote;
    if (!isDeepStrictEqual(rows, expected) || apart > BYTES_APART_MAX) {
      throw new Error(`by hand is written ${shown(byHand)}, by the service ${shown(wrote)}`);
    }
    for (let charge = 1; charge < CHARGES; charge += 1) await chargeByHand(client, customer);
  } finally {
    await client.end();
  }
}

const shown = ({ inserted, updated, ...numbers }: ChargeRows) =>
  JSON.stringify({ inserted: [...inserted], updated: [...updated], ...numbers });
