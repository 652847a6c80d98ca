/**
 * Owns the comparison of charges with the transfers they account for. Both sides are summed up as
 * digests; only for a customer whose sums differ is it found out which charges are wrong.
 */
import type { EntityManager } from "typeorm";
import { type ChargeId, type CustomerId, FIRST_ID, type GrantId } from "../../ledger/ids.ts";
import { SPAN_ROWS } from "../customer-spans.ts";
import { selectRows } from "../statement.ts";
import { type Audited, pageRowsOf } from "./audited.ts";
import type { Check } from "./finding.ts";
import { checkRates } from "./rates.ts";
import * as statements from "./statements.ts";

interface SumRow {
  readonly customer_id: CustomerId;
  /** How many creation sequences were taken, and what they add up to. */
  readonly numbers: bigint;
  readonly sum_of_numbers: bigint;
  readonly last_id: string;
  readonly charges: bigint;
  readonly consumed: string;
  readonly returned: bigint;
  readonly manual: boolean;
  readonly invoiced: boolean;
  readonly rated: boolean;
  readonly unsound: readonly ChargeId[] | null;
}

/** What charges come to, and whether there are such as further rules are about. */
export interface ChargeSums {
  consumed: bigint;
  returned: bigint;
  manual: boolean;
  invoiced: boolean;
  rated: boolean;
}

const noCharges = (): ChargeSums => ({
  consumed: 0n,
  returned: 0n,
  manual: false,
  invoiced: false,
  rated: false,
});

export async function checkCharges(
  manager: EntityManager,
  audited: ReadonlyMap<CustomerId, Audited>,
  signal: AbortSignal,
): Promise<ReadonlyMap<CustomerId, ChargeSums>> {
  const sums = await sumCharges(manager, audited, signal);
  for (const each of audited.values()) {
    const { consumed, returned, rated } = sums.get(each.customerId) ?? noCharges();
    if (rated) await checkRates(manager, each, signal);
    const { replay } = each;
    if (consumed === replay.consumedDigest && returned === replay.returnedDigest) continue;
    const { findings } = each;
    const found = findings.list.length;
    await findWrongCharges(manager, each, signal);
    await findStrayTransfers(manager, each, signal);
    // The sums are what counts: that the difference cannot be named does not make it right.
    if (findings.list.length === found) findings.add("charge_draws", "what was consumed", "other");
  }
  return sums;
}

async function sumCharges(
  manager: EntityManager,
  audited: ReadonlyMap<CustomerId, Audited>,
  signal: AbortSignal,
): Promise<ReadonlyMap<CustomerId, ChargeSums>> {
  const ids = [...audited.keys()];
  const limit = pageRowsOf(ids);
  const sums = new Map<CustomerId, ChargeSums>();
  let after = FIRST_ID;
  for (;;) {
    signal.throwIfAborted();
    const values = [ids, after, limit];
    const rows = await selectRows<SumRow>(manager, statements.SUM_CHARGES, values);
    for (const row of rows) {
      const sum = sums.get(row.customer_id) ?? noCharges();
      sum.consumed += BigInt(row.consumed);
      sum.returned += row.returned;
      sum.manual ||= row.manual;
      sum.invoiced ||= row.invoiced;
      sum.rated ||= row.rated;
      sums.set(row.customer_id, sum);
      const customer = audited.get(row.customer_id);
      customer?.comparison().number(row.sum_of_numbers, row.numbers);
      for (const chargeId of row.unsound ?? []) {
        const expected = "parts and moments that fit";
        customer?.findings.add("charge_amount", expected, "others", { chargeId });
      }
    }
    const [only] = rows;
    if (only === undefined || limit === null || only.charges < limit) return sums;
    after = only.last_id;
  }
}

interface WrongRow {
  readonly charge_id: ChargeId;
  readonly check: Check | null;
  readonly expected: string;
  readonly found: string;
  readonly last_id: string;
}

async function findWrongCharges(
  manager: EntityManager,
  { customerId, findings }: Audited,
  signal: AbortSignal,
): Promise<void> {
  let after = FIRST_ID;
  for (;;) {
    signal.throwIfAborted();
    const values = [customerId, after, SPAN_ROWS];
    const rows = await selectRows<WrongRow>(manager, statements.FIND_WRONG_CHARGES, values);
    for (const { charge_id: chargeId, check, expected, found } of rows) {
      if (check !== null) findings.add(check, expected, found, { chargeId });
    }
    const [first] = rows;
    if (first === undefined) return;
    after = first.last_id;
  }
}

interface StrayRow {
  readonly sequence: bigint;
  readonly event: "CONSUMED" | "CORRECTED";
  readonly charge_id: ChargeId | null;
  readonly credit_grant_id: GrantId;
}

async function findStrayTransfers(
  manager: EntityManager,
  { customerId, findings, replay }: Audited,
  signal: AbortSignal,
): Promise<void> {
  for (let after = 0n; after < BigInt(replay.sequence); after += SPAN_ROWS) {
    signal.throwIfAborted();
    const values = [customerId, after, after + SPAN_ROWS];
    const rows = await selectRows<StrayRow>(manager, statements.FIND_STRAY_TRANSFERS, values);
    for (const { sequence, event, charge_id: chargeId, credit_grant_id: grantId } of rows) {
      const check = event === "CONSUMED" ? "charge_draws" : "charge_returns";
      findings.add(check, "an allocation of its charge", "none", { sequence, chargeId, grantId });
    }
  }
}
