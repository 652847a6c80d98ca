/** Owns the history as a stream of pages, which can follow what is being written (H5). */
import { refuse } from "../errors.ts";
import type { CustomerName, CustomerReads } from "./customer-reads.ts";
import type { CustomerWatch } from "./customer-watch.ts";
import type { Movement } from "./movement.ts";
import type { Place } from "./movement-filter.ts";
import { type PageAsk, readMovementPage } from "./movement-pages.ts";
import type { StreamTurns } from "./stream-turns.ts";

export interface StreamAsk extends Omit<PageAsk, "findsOlder"> {
  /** Stays open after the last page. */
  readonly follow: boolean;
  /** After so long without a movement a following stream sends an empty page. */
  readonly idleMs: number;
}

export interface StreamedPage {
  readonly movements: readonly Movement[];
  readonly resume: Place;
}

/**
 * Sends page after page, at least one. While one is on its way the next is read, and then nothing
 * is held but that page, so a reader may take its time. A stream that follows ends by throwing the
 * signal's reason.
 */
export async function* streamMovements(
  parts: {
    readonly customers: CustomerReads;
    readonly watch: CustomerWatch;
    readonly turns: StreamTurns;
  },
  customer: CustomerName,
  ask: StreamAsk,
  signal: AbortSignal,
): AsyncGenerator<StreamedPage, void, undefined> {
  const { follow, idleMs } = ask;
  const watcher = follow ? parts.watch.open(customer.customerId) : undefined;
  try {
    const read = (start: PageAsk["start"]) =>
      parts.turns.take(customer.tenantId, signal, () =>
        readMovementPage(parts.customers, customer, { ...ask, start, findsOlder: false }),
      );
    let next = read(ask.start);
    let sentAtMs: number | undefined;
    for (;;) {
      const page = await next;
      signal.throwIfAborted();
      if (follow && page.resume.direction === "older") {
        const message = "a stream that follows needs a cursor that leads to the newer side";
        throw refuse("CURSOR_MISMATCH", message, {}, "cursor");
      }
      if (page.more) {
        next = read(page.resume);
        // Nobody hears of its failure when the stream ends first.
        next.catch(() => undefined);
      }
      const nowMs = performance.now();
      const idle = sentAtMs === undefined || nowMs - sentAtMs >= idleMs;
      if (page.movements.length > 0 || idle) {
        sentAtMs = nowMs;
        yield { movements: page.movements, resume: page.resume };
      }
      if (page.more) continue;
      if (watcher === undefined) return;
      watcher.seen = page.seen;
      await watcher.wait(Math.max(0, (sentAtMs ?? nowMs) + idleMs - performance.now()), signal);
      next = read(page.resume);
    }
  } finally {
    watcher?.close();
  }
}
