/**
 * Owns the checker of concurrent histories of one customer. The customer's sequence is the serial
 * order that the service claims: this replays it with arrays and sums, and says where an answer, a
 * draw or a refusal does not fit it, or where it contradicts the order in real time.
 */
import type { Message } from "@bufbuild/protobuf";
import { Capture } from "../../gen/drawdown/v1/charge_pb.ts";
import type { CreateChargeResponse } from "../../gen/drawdown/v1/charge_service_pb.ts";
import type { CreateCreditGrantResponse } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import type { Movement } from "../../gen/drawdown/v1/movement_pb.ts";
import type { History, Lot, Row } from "./history.ts";
import type { Operation } from "./operation.ts";
import type { Outcome } from "./wire.ts";

/** A call as its client saw it, times in milliseconds of one clock. */
export interface Called {
  readonly operation: Operation;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly outcome: Outcome;
}

/** Says everything that does not fit; nothing when the history is explained. */
export function findContradictions(history: History, calls: readonly Called[]): string[] {
  const free = new FreeCredit(history);
  const found = replayDraws(history, free);
  found.push(...checkRealTime(history, calls));
  found.push(...checkRefusals(history, calls, free));
  found.push(...checkAmounts(history, calls));
  return found;
}

const TAKES = new Set(["HELD", "CONSUMED", "ADJUSTED"]);

/** Whether a row takes credit in draw-down order: a hold, a draw, an adjustment of all grants. */
const takes = (row: Row) => row.debit === "customer_credit" && TAKES.has(row.event);

/** What was free in each lot after each row. */
class FreeCredit {
  /** By sequence: what was free of a currency for a feature after it. */
  readonly #after: Map<string, bigint>[] = [];
  readonly #lots: ReadonlyMap<string, Lot>;

  constructor({ lots }: History) {
    this.#lots = lots;
    this.#after.push(new Map());
  }

  apply(row: Row): void {
    const lot = this.#lots.get(row.grantId);
    if (lot !== undefined) {
      if (row.credit === "customer_credit") lot.free += row.amount;
      if (row.debit === "customer_credit") lot.free -= row.amount;
    }
    this.#after.push(new Map([...this.#lots.values()].map((each) => [each.id, each.free])));
  }

  /** Lots in draw-down order (D2) that have something free now, for a feature. */
  inOrder(currency: string, feature: string | null): readonly Lot[] {
    return [...this.#lots.values()]
      .filter((lot) => lot.currency === currency && lot.free > 0n && suits(lot, feature))
      .sort(compareDrawOrder);
  }

  /** What was free after a row; `sequence` 0 is before all. */
  sumAfter(sequence: number, currency: string, feature: string | null): bigint {
    const after = this.#after[sequence] ?? new Map<string, bigint>();
    let sum = 0n;
    for (const lot of this.#lots.values()) {
      if (lot.currency === currency && suits(lot, feature)) sum += after.get(lot.id) ?? 0n;
    }
    return sum;
  }
}

const ANY_FEATURE = "*";
const suits = ({ features }: Lot, feature: string | null) =>
  feature === ANY_FEATURE || features.length === 0 || features.includes(feature ?? "");

function compareDrawOrder(one: Lot, other: Lot): number {
  if (one.priority !== other.priority) return one.priority - other.priority;
  if (one.expiresAtUs !== other.expiresAtUs) {
    if (one.expiresAtUs === null) return 1;
    if (other.expiresAtUs === null) return -1;
    return one.expiresAtUs < other.expiresAtUs ? -1 : 1;
  }
  return one.firstSequence - other.firstSequence;
}

/**
 * Every row that takes credit must take from the first lot in order that has some: whoever leaves
 * something in a lot and goes on to the next is found by the row that follows.
 */
function replayDraws(history: History, free: FreeCredit): string[] {
  const { rows } = history;
  const found: string[] = [];
  let checkedTo = 0;
  for (const row of rows) {
    if (takes(row) && row.sequence > checkedTo) {
      const draws = drawsFrom(rows, row);
      found.push(...checkDraws(history, draws, free));
      checkedTo = draws.at(-1)?.sequence ?? row.sequence;
    }
    free.apply(row);
  }
  return found;
}

/** The rows from one on with which one charge takes credit at one moment. */
function drawsFrom(rows: readonly Row[], { sequence, chargeId, bookedAtUs }: Row): Row[] {
  const own = (row: Row) => row.chargeId === chargeId && row.bookedAtUs === bookedAtUs;
  const begins = rows.findIndex((row) => row.sequence === sequence);
  if (chargeId === null) return rows.slice(begins, begins + 1);
  const ends = rows.findIndex((row, at) => at > begins && !(own(row) && TAKES.has(row.event)));
  return rows.slice(begins, ends < 0 ? rows.length : ends);
}

/** What rows that follow each other take must be what the order gives them. */
function checkDraws(
  { lots, features }: History,
  made: readonly Row[],
  free: FreeCredit,
): readonly string[] {
  const found: string[] = [];
  const draws = made.filter(takes);
  const lotOf = ({ grantId }: Row) => lots.get(grantId);
  // A charge that settles for more than it held joins the extra to its holds before all others.
  const isJoined = made.some((row) => row.debit === "customer_held");
  if (isJoined) draws.sort((one, other) => compareByLot(lotOf(one), lotOf(other)));
  const [{ chargeId, currency } = { chargeId: null, currency: "" }] = draws;
  const feature = chargeId === null ? ANY_FEATURE : (features.get(chargeId) ?? null);
  const left = free.inOrder(currency, feature).map((lot) => ({ lot, free: lot.free }));
  for (const draw of draws) {
    while (left[0]?.free === 0n) left.shift();
    const [next] = left;
    const isNext = next?.lot.id === draw.grantId && next.free >= draw.amount;
    if (isNext) next.free -= draw.amount;
    else found.push(`${draw.sequence} ${draw.event} is not the next draw in order (D2)`);
    const expiresAtUs = lotOf(draw)?.expiresAtUs ?? null;
    const isOver = expiresAtUs !== null && draw.bookedAtUs >= expiresAtUs;
    if (isOver) found.push(`${draw.sequence} ${draw.event} takes expired credit (M5)`);
  }
  return found;
}

const compareByLot = (one: Lot | undefined, other: Lot | undefined): number =>
  one === undefined || other === undefined ? 0 : compareDrawOrder(one, other);

interface Span {
  readonly first: number;
  readonly last: number;
}

/** The rows that an acknowledged operation made; undefined when it made none. */
function spanOf({ rows }: History, { operation, outcome }: Called): Span | undefined {
  if (outcome.kind !== "acked") return undefined;
  const own = ownRow(operation, outcome.answer);
  // A charge that settles for more holds the rest first, perhaps right behind the rows of its
  // creation: those are of another moment.
  const begins = rows.findIndex(own);
  const moment = rows[begins]?.bookedAtUs;
  const isOfOther = (row: Row) => !own(row) || row.bookedAtUs !== moment;
  const ends = rows.findIndex((row, index) => index > begins && isOfOther(row));
  const made = rows.slice(Math.max(0, begins), ends < 0 ? rows.length : ends).filter(own);
  const [first] = made;
  const last = made.at(-1);
  return first === undefined || last === undefined
    ? undefined
    : { first: first.sequence, last: last.sequence };
}

function ownRow({ rpc, request }: Operation, answer: Message): (row: Row) => boolean {
  const { charge } = answer as CreateChargeResponse;
  const { creditGrant } = answer as CreateCreditGrantResponse;
  const movements = (answer as unknown as { readonly movements?: readonly Movement[] }).movements;
  const sequences = new Set(movements?.map(({ sequence }) => Number(sequence)));
  switch (rpc) {
    case "createCharge": {
      const event = request.capture === Capture.MANUAL ? "HELD" : "CONSUMED";
      return (row) => row.chargeId === charge?.id && row.event === event;
    }
    case "settleCharge":
      return (row) => row.chargeId === charge?.id && row.event === "CONSUMED";
    case "correctCharge":
    case "adjustCredits":
      return (row) => sequences.has(row.sequence);
    case "createCreditGrant":
      return (row) => row.grantId === creditGrant?.id && row.event === "FUNDED";
    default:
      return () => false;
  }
}

/** What had been answered before a call began stands before it in the sequence. */
function checkRealTime(history: History, calls: readonly Called[]): string[] {
  const found: string[] = [];
  const placed = calls.flatMap((call) => {
    const span = spanOf(history, call);
    return span === undefined || !isFirstDelivery(call) ? [] : [{ call, span }];
  });
  for (const one of placed) {
    for (const other of placed) {
      const isBefore = one.call.endedAtMs < other.call.startedAtMs;
      if (isBefore && one.span.last > other.span.first) {
        const [{ operation: early }, { operation: late }] = [one.call, other.call];
        found.push(
          `${early.request.requestId} was answered before ${late.request.requestId} began`,
        );
      }
    }
  }
  return found;
}

/** A settled charge that is settled again shows the rows of the first time. */
const isFirstDelivery = ({ operation }: Called) => operation.rpc !== "settleCharge";

/** A refusal for want of credit must have been true at some moment of the call. */
function checkRefusals(history: History, calls: readonly Called[], free: FreeCredit): string[] {
  const found: string[] = [];
  const spans = new Map(calls.map((call) => [call, spanOf(history, call)]));
  for (const call of calls) {
    const { outcome, operation } = call;
    if (outcome.kind !== "refused" || outcome.reason !== "INSUFFICIENT_CREDITS") continue;
    if (operation.rpc !== "createCharge") continue;
    const { available = "", required = "", currency = "" } = outcome.facts;
    let from = 0;
    let until = history.rows.length;
    for (const [other, span] of spans) {
      if (span === undefined || !isFirstDelivery(other)) continue;
      if (other.endedAtMs < call.startedAtMs) from = Math.max(from, span.last);
      if (other.startedAtMs > call.endedAtMs) until = Math.min(until, span.first - 1);
    }
    const feature = operation.request.featureKey || null;
    const told = units(available);
    let isTrue = false;
    for (let at = from; at <= until && !isTrue; at += 1) {
      isTrue = free.sumAfter(at, currency, feature) === told;
    }
    const id = operation.request.requestId;
    if (!isTrue) found.push(`${id}: ${available} were never available from ${from} to ${until}`);
    if (units(required) <= told) found.push(`${id} was refused although ${available} covers it`);
  }
  return found;
}

/** What a charge says that it took must be what the journal took for it. */
function checkAmounts(history: History, calls: readonly Called[]): string[] {
  const { rows } = history;
  const found: string[] = [];
  for (const call of calls) {
    const { operation, outcome } = call;
    if (outcome.kind !== "acked" || operation.rpc !== "createCharge") continue;
    const { charge } = outcome.answer as CreateChargeResponse;
    if (charge === undefined) continue;
    const isHold = operation.request.capture === Capture.MANUAL;
    const span = spanOf(history, call);
    const own = span === undefined ? [] : rows.slice(span.first - 1, span.last);
    const sum = own.reduce((total, { amount }) => total + amount, 0n);
    const said = units(isHold ? charge.creditsHeld : charge.creditsApplied);
    if (said !== sum) found.push(`${operation.request.requestId} says other amounts than its rows`);
  }
  return found;
}

/** A decimal string as a number of 10^-12. */
function units(text: string): bigint {
  const [whole = "0", decimals = ""] = text.split(".");
  return BigInt(whole + decimals.padEnd(12, "0"));
}
