/** Owns what stands beside a movement for people: whose description and metadata it shows (H2). */
import type { EntityManager } from "typeorm";
import type { Metadata } from "../book/nouns.ts";
import { arrayOf } from "../database/array-parameter.ts";
import { assert } from "../errors.ts";
import { isMovement, type MovementType } from "../ledger/chart.ts";
import type { CustomerId } from "../ledger/ids.ts";
import type { MovedTransfer, Movement } from "./movement.ts";
import { countFitting, type GatheredPage, ROW_BYTES } from "./page.ts";
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

type Key = string | bigint;

/** Where the words of each source stand, with their owner's id, or the sequence, as `key`. */
const WORDS = {
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

/** Most movements have no words at all; for the others it is told how long these are. */
const sizesOf = (words: string) =>
  `SELECT w.key, octet_length(w.description) + octet_length(w.metadata::text) AS bytes
    FROM (${words}) w WHERE w.description <> '' OR w.metadata <> '{}'`;

interface Keyed {
  readonly transfer: MovedTransfer;
  readonly source: Source;
  readonly key: Key;
}

/** Puts beside the transfers what belongs to them, as far as they fit a page. */
export async function describePage(
  manager: EntityManager,
  customerId: CustomerId,
  page: { readonly transfers: readonly MovedTransfer[]; readonly rowsMax: number },
): Promise<GatheredPage<Movement>> {
  const keyed = page.transfers.map((transfer) => ({ transfer, ...keyOf(transfer) }));
  const ask = async <Row extends { readonly key: Key }>(
    asked: readonly Keyed[],
    text: (words: string) => string,
  ) => {
    const found = new Map<Source, ReadonlyMap<Key, Row>>();
    for (const [source, list] of Map.groupBy(asked, (each) => each.source)) {
      const keys = [...new Set(list.map(({ key }) => key))];
      const named =
        source === "note"
          ? arrayOf("bigint", keys as readonly bigint[])
          : arrayOf("uuid", keys as readonly string[]);
      const rows = await selectRows<Row>(manager, text(WORDS[source]), [customerId, named]);
      found.set(source, new Map(rows.map((row) => [row.key, row])));
    }
    return ({ source, key }: Keyed) => found.get(source)?.get(key);
  };

  const sizeOf = await ask<{ readonly key: Key; readonly bytes: number }>(keyed, sizesOf);
  const bytes = keyed.map((each) => ROW_BYTES + (sizeOf(each)?.bytes ?? 0));
  const fitting = keyed.slice(0, countFitting(bytes, page.rowsMax));
  const worded = fitting.filter((each) => sizeOf(each) !== undefined);
  const wordsOf = await ask<Words & { readonly key: Key }>(worded, (words) => words);
  const rows = fitting.map((each) => {
    const { description, metadata } = wordsOf(each) ?? NO_WORDS;
    return { transfer: each.transfer, description, metadata };
  });
  return { rows, more: rows.length < keyed.length };
}

interface Words {
  readonly description: string;
  readonly metadata: Metadata;
}

const NO_WORDS: Words = { description: "", metadata: {} };

function keyOf(transfer: MovedTransfer): {
  readonly source: Source;
  readonly key: string | bigint;
} {
  const { event, grantId, chargeId, sequence } = transfer;
  assert(isMovement(event), "only movements are described");
  const source = SOURCES[event];
  if (source === "grant") return { source, key: grantId };
  if (source === "note") return { source, key: sequence };
  assert(chargeId !== null, "what is consumed is consumed by a charge");
  return { source, key: chargeId };
}
