/**
 * Owns the pages of a customer's history and the cursors that lead from one to the next (H3, H4).
 * A page is read in one snapshot; between pages nothing is held.
 */
import type { EntityManager } from "typeorm";
import { type Instant, instant } from "../money/time.ts";
import type { CustomerName, CustomerReads, Head } from "./customer-reads.ts";
import { type Direction, lastSequenceAt } from "./journal-search.ts";
import type { Movement } from "./movement.ts";
import {
  type MovementAsk,
  type MovementFilter,
  type Place,
  readCursor,
} from "./movement-filter.ts";
import { describePage } from "./movement-notes.ts";
import { type RowsAsk, selectMovementRows } from "./movement-rows.ts";

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
  const work = (manager: EntityManager, head: Head) => pageOf(manager, customer, ask, head);
  return customers.read(customer, work, bookedUntil === null ? null : justBefore(bookedUntil));
}

async function pageOf(
  manager: EntityManager,
  customer: CustomerName,
  ask: PageAsk,
  head: Head,
): Promise<MovementPage> {
  const { customerId } = customer;
  const { filter, order, rowsMax } = ask;
  const place = placeOf(customer, ask, head);
  const { direction } = place;
  const range = await rangeOf(manager, customerId, filter, head);
  const within = (side: Direction, sequence: bigint) => ({
    customerId,
    filter,
    direction: side,
    from: side === "newer" ? later(range.from, sequence + 1n) : range.from,
    to: side === "older" ? earlier(range.to, sequence - 1n) : range.to,
  });
  const rows = { ...within(direction, place.sequence), rowsMax: rowsMax + 1 };
  const transfers = await selectMovementRows(manager, rows);
  const read = { transfers, rowsMax };
  const { rows: nearest, more } = await describePage(manager, customerId, read);

  const newestIsFirst = direction === "older";
  const newest = newestIsFirst ? nearest[0] : nearest.at(-1);
  const oldest = newestIsFirst ? nearest.at(-1) : nearest[0];
  const olderThan = oldest?.transfer.sequence ?? place.sequence + 1n;
  const fromStart = direction === "newer" && place.sequence === 0n;
  const looksBack = ask.findsOlder && direction === "newer" && !fromStart;
  const hasOlder =
    direction === "older" ? more : looksBack && (await isAny(manager, within("older", olderThan)));
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
    older: hasOlder ? { direction: "older", sequence: olderThan } : null,
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

/** The sequences whose rows lie in the time range, both included (H3). */
async function rangeOf(
  manager: EntityManager,
  customerId: CustomerName["customerId"],
  { bookedFrom, bookedUntil }: MovementFilter,
  head: Head,
): Promise<{ readonly from: bigint; readonly to: bigint }> {
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
