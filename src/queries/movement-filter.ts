/** Owns which movements are asked for, in which order, and the cursors of that (H3, H4). */
import { assert } from "../errors.ts";
import type { MovementType } from "../ledger/chart.ts";
import type { ChargeId, GrantId } from "../ledger/ids.ts";
import type { CurrencyCode } from "../money/currency.ts";
import type { Instant } from "../money/time.ts";
import type { CustomerName } from "./customer-reads.ts";
import { type FeatureFilter, featureBinding } from "./feature-filter.ts";
import type { Direction } from "./journal-search.ts";
import { asSet, type Binding, makeToken, readToken } from "./page-token.ts";

/** Null and an empty list choose all. */
export interface MovementFilter {
  readonly currency: CurrencyCode | null;
  readonly types: readonly MovementType[];
  readonly features: FeatureFilter | null;
  readonly grantId: GrantId | null;
  readonly chargeId: ChargeId | null;
  /** The range is [from, until). */
  readonly bookedFrom: Instant | null;
  readonly bookedUntil: Instant | null;
}

export type MovementOrder = "NEWEST_FIRST" | "OLDEST_FIRST";

export interface MovementAsk {
  readonly filter: MovementFilter;
  readonly order: MovementOrder;
}

/** A place in the history and the side of it to which a cursor leads, the place left out. */
export interface Place {
  readonly direction: Direction;
  readonly sequence: bigint;
}

const SIDE_LETTERS = { older: "o", newer: "n" } as const satisfies Record<Direction, string>;
const PLACE_PATTERN = /^([on])([0-9]{1,18})$/;

const isPosition = (text: string) => PLACE_PATTERN.test(text);

/** Cursors of pages and of streams are the same, so they are bound to the same. */
export function makeCursor(customer: CustomerName, ask: MovementAsk, place: Place): string {
  const position = `${SIDE_LETTERS[place.direction]}${place.sequence}`;
  return makeToken(bindingOf(customer, ask), position);
}

/** The place of a cursor. Refuses one that belongs to something else (H4). */
export function readCursor(customer: CustomerName, ask: MovementAsk, cursor: string): Place {
  const position = readToken(bindingOf(customer, ask), cursor, { field: "cursor", isPosition });
  const [, side, digits] = PLACE_PATTERN.exec(position) ?? [];
  assert(digits !== undefined, "a position is a place");
  return { direction: side === SIDE_LETTERS.older ? "older" : "newer", sequence: BigInt(digits) };
}

function bindingOf(
  { tenantId, customerId }: CustomerName,
  { filter, order }: MovementAsk,
): Binding {
  return [
    "movements",
    tenantId,
    customerId,
    order,
    filter.currency,
    asSet(filter.types),
    featureBinding(filter.features),
    filter.grantId,
    filter.chargeId,
    filter.bookedFrom,
    filter.bookedUntil,
  ];
}
