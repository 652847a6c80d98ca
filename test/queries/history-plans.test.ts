/**
 * Owns the promise that a page of history costs the same however long the history is: the plans of
 * its statements are run over a long and lopsided journal, and no plan may meet many rows.
 */
import type { EntityManager } from "typeorm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readTransaction } from "../../src/database/read.ts";
import type { CustomerId } from "../../src/ledger/ids.ts";
import type { MovementFilter } from "../../src/queries/movement-filter.ts";
import { selectMovementRows } from "../../src/queries/movement-rows.ts";
import { openLedger, TENANT, type TestLedger } from "../pipeline/ledger.ts";
import { chargeOf, DOLLAR_GRANTS, EURO_GRANTS, fillJournal, grantOf } from "./long-journal.ts";
import { rowsMet } from "./rows-met.ts";

const TRANSFERS = 60_000;
/** A page of 50, and the nearest row of each of a few hundred grants. */
const ROWS_MET_MAX = 500;

let ledger: TestLedger;
let customerId: CustomerId;

beforeAll(async () => {
  ledger = await openLedger();
  customerId = await ledger.customer();
  await fillJournal(ledger.superuser, customerId, TRANSFERS);
});
afterAll(() => ledger.close());

/** Runs the statements of a page and answers the rows found and the most that a plan has met. */
async function measure(filter: MovementFilter, direction: "older" | "newer") {
  let met = 0;
  const found = await readTransaction(ledger.connections.reads, TENANT, (manager) => {
    const explained = {
      async query(text: string, values: unknown[]) {
        const [row] = await manager.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
        met = Math.max(met, rowsMet(row["QUERY PLAN"][0].Plan));
        return manager.query(text, values);
      },
    } as unknown as EntityManager;
    const range = { from: 1n, to: BigInt(TRANSFERS), direction, rowsMax: 51 };
    return selectMovementRows(explained, { customerId, filter, ...range });
  });
  return { found: found.length, met };
}

const ALL: MovementFilter = {
  currency: null,
  types: [],
  features: null,
  grantId: null,
  chargeId: null,
  bookedFrom: null,
  bookedUntil: null,
};
const API = { kind: "none_of", features: ["chat"] } as const;
const FREE = { kind: "unrestricted_only" } as const;
const OLD_GRANT = grantOf(EURO_GRANTS + 1);
const BUSY_GRANT = grantOf(EURO_GRANTS + DOLLAR_GRANTS);

test.each<[what: string, part: Partial<MovementFilter>, found: number]>([
  ["everything", {}, 51],
  ["the currency of nearly all rows", { currency: "USD" }, 51],
  ["the currency of the few oldest rows", { currency: "EUR" }, 10],
  ["the type of nearly all rows", { types: ["CONSUMED"] }, 51],
  ["the type of the oldest rows", { types: ["FUNDED"] }, 51],
  ["a type that no row has", { types: ["CORRECTED"] }, 0],
  ["all types but one", { types: ["FUNDED", "EXPIRED", "VOIDED", "CORRECTED", "ADJUSTED"] }, 51],
  ["a type and a currency of few rows", { types: ["FUNDED"], currency: "EUR" }, 10],
  ["a grant that is never drawn", { grantId: OLD_GRANT }, 1],
  ["a grant that is drawn all the time", { grantId: BUSY_GRANT }, 51],
  ["one charge in the middle", { chargeId: chargeOf(TRANSFERS / 2) }, 1],
  ["features of a few old grants", { features: API }, 10],
  ["features of nearly all grants", { features: FREE }, 51],
  ["features and a currency", { features: FREE, currency: "EUR" }, 10],
  ["features and a type", { features: API, types: ["FUNDED"] }, 10],
])("a page by %s meets few rows", async (_, part, found) => {
  for (const direction of ["older", "newer"] as const) {
    const measured = await measure({ ...ALL, ...part }, direction);

    expect(measured.found).toBe(found);
    expect(measured.met).toBeLessThan(ROWS_MET_MAX);
  }
});
