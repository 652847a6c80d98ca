/**
 * Owns a second telling of the history, written from the rules alone: all transfers of a customer
 * in memory, filtered by plain conditions. The pages of the service must agree with it.
 */
import type { Metadata } from "../../src/book/nouns.ts";
import { readTransaction } from "../../src/database/read.ts";
import { isMovement, settledSign } from "../../src/ledger/chart.ts";
import type { ChargeId, GrantId } from "../../src/ledger/ids.ts";
import type { Transfer } from "../../src/ledger/transfer.ts";
import { choosesFeatures } from "../../src/queries/feature-filter.ts";
import { TRANSFER_COLUMNS, transferOf } from "../../src/queries/journal-rows.ts";
import type { MovementFilter } from "../../src/queries/movement-filter.ts";
import type { TestLedger } from "../pipeline/ledger.ts";
import { TENANT } from "../pipeline/ledger.ts";
import type { Account } from "./account.ts";

export interface ModelMovement {
  readonly transfer: Transfer;
  readonly features: readonly string[];
  readonly description: string;
  readonly metadata: Metadata;
}

interface Described {
  readonly description: string;
  readonly metadata: Metadata;
}

/** All movements of a customer, the oldest first. */
export async function readModel(ledger: TestLedger, account: Account): Promise<ModelMovement[]> {
  const { reads } = ledger.connections;
  return readTransaction(reads, TENANT, async (manager) => {
    const rows = (text: string) => manager.query(text, [account.id]);
    const transfers: Transfer[] = (
      await rows(`SELECT ${TRANSFER_COLUMNS} FROM transfer t WHERE t.customer_id = $1 ORDER BY 1`)
    ).map(transferOf);
    const grants = new Map<GrantId, Described & { readonly features: readonly string[] }>();
    for (const row of await rows("SELECT * FROM credit_grant WHERE customer_id = $1")) {
      grants.set(row.credit_grant_id, row);
    }
    const charges = new Map<ChargeId, Described>();
    for (const row of await rows("SELECT * FROM charge WHERE customer_id = $1")) {
      charges.set(row.charge_id, row);
    }
    const notes: (Described & { readonly sequence: bigint })[] = await rows(
      "SELECT * FROM movement_note WHERE customer_id = $1 ORDER BY sequence",
    );
    return transfers
      .filter(({ event }) => isMovement(event))
      .map((transfer) => {
        const grant = grants.get(transfer.grantId);
        const described = describe(transfer, { grant, charges, notes });
        if (grant === undefined || described === undefined) throw new Error("has no description");
        const { description, metadata } = described;
        return { transfer, features: grant.features, description, metadata };
      });
  });
}

/** H2, word by word. */
function describe(
  { event, chargeId, sequence }: Transfer,
  from: {
    readonly grant: Described | undefined;
    readonly charges: ReadonlyMap<ChargeId, Described>;
    readonly notes: readonly (Described & { readonly sequence: bigint })[];
  },
): Described | undefined {
  if (event === "CONSUMED") return chargeId === null ? undefined : from.charges.get(chargeId);
  if (event === "ADJUSTED" || event === "CORRECTED") {
    return from.notes.findLast((note) => note.sequence <= sequence);
  }
  return from.grant;
}

export function choose(
  movements: readonly ModelMovement[],
  filter: MovementFilter,
): readonly ModelMovement[] {
  return movements.filter(({ transfer, features }) => {
    const { bookedFrom, bookedUntil, types } = filter;
    const wanted: readonly string[] = types;
    return (
      (filter.currency === null || transfer.currency === filter.currency) &&
      (wanted.length === 0 || wanted.includes(transfer.event)) &&
      (filter.grantId === null || transfer.grantId === filter.grantId) &&
      (filter.chargeId === null || transfer.chargeId === filter.chargeId) &&
      (bookedFrom === null || transfer.bookedAt >= bookedFrom) &&
      (bookedUntil === null || transfer.bookedAt < bookedUntil) &&
      choosesFeatures(filter.features, features)
    );
  });
}

/** The balances before and after each movement of a currency, added up anew (H1). */
export function runningBalances(movements: readonly ModelMovement[]) {
  const balances = new Map<string, bigint>();
  return movements.map(({ transfer }) => {
    const { currency, debitAccount: debit, creditAccount: credit } = transfer;
    const before = balances.get(currency) ?? 0n;
    const after = before + settledSign({ debit, credit }) * transfer.amount;
    balances.set(currency, after);
    return { before, after };
  });
}
