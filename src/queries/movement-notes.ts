/** Owns what stands beside a movement for people: whose description and metadata it shows (H2). */
import type { EntityManager } from "typeorm";
import type { Metadata } from "../book/nouns.ts";
import { assert } from "../errors.ts";
import { isMovement, type MovementType } from "../ledger/chart.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { Transfer } from "../ledger/transfer.ts";
import type { Movement } from "./movement.ts";
import { selectRows } from "./statement.ts";

type Source = "grant" | "charge" | "note";

const SOURCES = {
  FUNDED: "grant",
  EXPIRED: "grant",
  VOIDED: "grant",
  CONSUMED: "charge",
  ADJUSTED: "note",
  CORRECTED: "note",
} as const satisfies Record<MovementType, Source>;

interface NoteRow {
  /** The id of the grant or charge, or the sequence of the transfer. */
  readonly key: string | bigint;
  readonly description: string;
  readonly metadata: Metadata;
}

const STATEMENTS = {
  grant: `SELECT g.credit_grant_id AS key, g.description, g.metadata FROM credit_grant g
    WHERE g.customer_id = $1 AND g.credit_grant_id = ANY($2::uuid[])`,
  charge: `SELECT c.charge_id AS key, c.description, c.metadata FROM charge c
    WHERE c.customer_id = $1 AND c.charge_id = ANY($2::uuid[])`,
  // A note stands at the first transfer of its command, so it is the nearest one at or before.
  note: `SELECT s.sequence AS key, n.description, n.metadata FROM unnest($2::bigint[]) s(sequence)
    CROSS JOIN LATERAL (
      SELECT m.description, m.metadata FROM movement_note m
      WHERE m.customer_id = $1 AND m.sequence <= s.sequence
      ORDER BY m.sequence DESC LIMIT 1
    ) n`,
} as const satisfies Record<Source, string>;

/** Puts beside each transfer what belongs to it. */
export async function describeTransfers(
  manager: EntityManager,
  customerId: CustomerId,
  transfers: readonly Transfer[],
): Promise<Movement[]> {
  const keyed = transfers.map((transfer) => ({ transfer, ...keyOf(transfer) }));
  const notes = new Map<Source, ReadonlyMap<string | bigint, NoteRow>>();
  for (const [source, list] of Map.groupBy(keyed, (each) => each.source)) {
    const keys = [...new Set(list.map(({ key }) => key))];
    const rows = await selectRows<NoteRow>(manager, STATEMENTS[source], [customerId, keys]);
    notes.set(source, new Map(rows.map((row) => [row.key, row])));
  }
  return keyed.map(({ transfer, source, key }) => {
    const note = notes.get(source)?.get(key);
    assert(note !== undefined, "every movement has a grant, a charge or a note of its own");
    const { description, metadata } = note;
    return { transfer, description, metadata };
  });
}

function keyOf(transfer: Transfer): { readonly source: Source; readonly key: string | bigint } {
  const { event, grantId, chargeId, sequence } = transfer;
  assert(isMovement(event), "only movements are described");
  const source = SOURCES[event];
  if (source === "grant") return { source, key: grantId };
  if (source === "note") return { source, key: sequence };
  assert(chargeId !== null, "what is consumed is consumed by a charge");
  return { source, key: chargeId };
}
