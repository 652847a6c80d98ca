/**
 * Owns the pages of a customer's history and the cursors that lead from one to the next (H3, H4).
 * A page is read in one snapshot; between pages nothing is held.
 */
import type { EntityManager } from "typeorm";
import { type Instant, instant } from "../money/time.ts";
import type { CustomerName, CustomerReads, Head } from "./customer-reads.ts";
import { type Direction, lastSequenceAt } from "./journal-search.ts";
import type { MovedTransfer, Movement } from "./movement.ts";
import {
  type MovementAsk,
  type MovementFilter,
  type Place,
  readCursor,
} from "./movement-filter.ts";
import { describePage } from "./movement-notes.ts";
import { isOneStatement, type RowsAsk, selectMovementRows } from "./movement-rows.ts";

/** The highest that a bigint of the database takes. */
const SEQUENCE_MAX = 2n ** 63n - 1n;

export interface MovementPage {
  /** In the order that was asked for. */
  readonly movements: readonly Movement[];
  /** Null when no older movement matches, or nobody asked. */
  readonly older: Place | null;
  readonly newer: Place;
  /** Whether more lies on the side to which the page was read, and where reading on begins. */
  readonly more: boolean;
  readonly resume: Place;
  /** The last sequence of the customer that the page has seen. */
  readonly seen: bigint;
}

export interface PageAsk extends MovementAsk {
  /** Where to begin: behind a cursor or a known place, or "" for the end that the order names. */
  readonly start: Place | string;
  readonly rowsMax: number;
  /** Whether to find out if anything older matches; who only reads on does without. */
  readonly findsOlder: boolean;
}

export async function readMovementPage(
  customers: CustomerReads,
  customer: CustomerName,
  ask: PageAsk,
): Promise<MovementPage> {
  const { bookedUntil } = ask.filter;
  return customers.readAhead(customer, {
    ahead: async (manager) => rowsAhead(manager, customer, ask),
    work: (manager, head, ahead) => pageOf(manager, customer, { ...ask, ahead }, head),
    finalAt: bookedUntil === null ? null : justBefore(bookedUntil),
  });
}

/**
 * The rows of a page that goes on behind a known place, when one statement finds them. No sequence
 * is higher than the head's in the same snapshot, so the head need not be known.
 */
async function rowsAhead(
  manager: EntityManager,
  { customerId }: CustomerName,
  { filter, start, rowsMax }: PageAsk,
): Promise<readonly MovedTransfer[] | undefined> {
  const { bookedFrom, bookedUntil } = filter;
  const isKnown = typeof start !== "string" && bookedFrom === null && bookedUntil === null;
  if (!isKnown || !isOneStatement(filter)) return undefined;
  const rows = rangeBehind(start, { from: 1n, to: SEQUENCE_MAX });
  return selectMovementRows(manager, { customerId, filter, ...rows, rowsMax: rowsMax + 1 });
}

/** The sequences of a range that lie behind a place. */
function rangeBehind(
  { direction, sequence }: Place,
  { from, to }: Range,
): Range & { readonly direction: Direction } {
  return direction === "newer"
    ? { direction, from: later(from, sequence + 1n), to }
    : { direction, from, to: earlier(to, sequence - 1n) };
}

async function pageOf(
  manager: EntityManager,
  customer: CustomerName,
  ask: PageAsk & { readonly ahead: readonly MovedTransfer[] | undefined },
  head: Head,
): Promise<MovementPage> {
  const { customerId } = customer;
  const { filter, order, rowsMax } = ask;
  const place = placeOf(customer, ask, head);
  const { direction } = place;
  const range = await rangeOf(manager, customerId, filter, head);
  const behind = (from: Place) => ({ customerId, filter, ...rangeBehind(from, range) });
  const rows = { ...behind(place), rowsMax: rowsMax + 1 };
  const transfers = ask.ahead ?? (await selectMovementRows(manager, rows));
  const read = { transfers, rowsMax };
  const { rows: nearest, more } = await describePage(manager, customerId, read);

  const newestIsFirst = direction === "older";
  const newest = newestIsFirst ? nearest[0] : nearest.at(-1);
  const oldest = newestIsFirst ? nearest.at(-1) : nearest[0];
  const olderThan = oldest?.transfer.sequence ?? place.sequence + 1n;
  const fromStart = direction === "newer" && place.sequence === 0n;
  const looksBack = ask.findsOlder && direction === "newer" && !fromStart;
  const lookedBack: Place = { direction: "older", sequence: olderThan };
  const hasOlder =
    direction === "older" ? more : looksBack && (await isAny(manager, behind(lookedBack)));
  const newer: Place = {
    direction: "newer",
    sequence: newerThan(place, { newest, more, head }),
  };
  const older: Place = {
    direction: "older",
    sequence: oldest?.transfer.sequence ?? place.sequence,
  };
  return {
    movements: newestIsFirst === (order === "NEWEST_FIRST") ? nearest : nearest.toReversed(),
    older: hasOlder ? lookedBack : null,
    newer,
    more,
    resume: direction === "older" ? older : newer,
    seen: head.sequence,
  };
}

async function isAny(manager: EntityManager, ask: Omit<RowsAsk, "rowsMax">): Promise<boolean> {
  const rows = await selectMovementRows(manager, { ...ask, rowsMax: 1 });
  return rows.length > 0;
}

/**
 * Behind which sequence to look for what is newer. Where a page reached the newer end, that is the
 * customer's last sequence, so that rows which the filter does not choose are not walked again.
 */
function newerThan(
  place: Place,
  page: { readonly newest: Movement | undefined; readonly more: boolean; readonly head: Head },
): bigint {
  const { newest, more, head } = page;
  const reachedEnd = place.direction === "older" ? place.sequence > head.sequence : !more;
  if (reachedEnd) return later(head.sequence, place.direction === "newer" ? place.sequence : 0n);
  return newest?.transfer.sequence ?? place.sequence - 1n;
}

function placeOf(customer: CustomerName, ask: PageAsk, head: Head): Place {
  const { start, order } = ask;
  if (typeof start !== "string") return start;
  if (start !== "") return readCursor(customer, ask, start);
  if (order === "OLDEST_FIRST") return { direction: "newer", sequence: 0n };
  return { direction: "older", sequence: head.sequence + 1n };
}

/** Sequences, both included. */
interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/** The sequences whose rows lie in the time range (H3). */
async function rangeOf(
  manager: EntityManager,
  customerId: CustomerName["customerId"],
  { bookedFrom, bookedUntil }: MovementFilter,
  head: Head,
): Promise<Range> {
  const lastBefore = (moment: Instant) => {
    const search = { moment: justBefore(moment), newest: head.sequence };
    return lastSequenceAt(manager, customerId, search);
  };
  const from = bookedFrom === null ? 1n : (await lastBefore(bookedFrom)) + 1n;
  const to = bookedUntil === null ? head.sequence : await lastBefore(bookedUntil);
  return { from, to };
}

function justBefore(moment: Instant): Instant {
  return instant(moment - 1n);
}

function later(left: bigint, right: bigint): bigint {
  return left < right ? right : left;
}

function earlier(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}
