/**
 * Owns the form in which millions of transfers come out of the database: one long text with a line
 * for each. Taking values out of it costs a fraction of what as many columns of rows would.
 */
import type { ChargeId, GrantId } from "../../ledger/ids.ts";
import { type Amount, amountFromDigits } from "../../money/amount.ts";
import type { CurrencyCode } from "../../money/currency.ts";

/** What of a transfer is replayed. */
export interface JournalRow {
  readonly sequence: number;
  /** Event, debited and credited account, with blanks between them. */
  readonly flow: string;
  readonly grantId: GrantId;
  /** Of a usual transfer it is only known that there is one. */
  readonly chargeId: ChargeId | null;
  readonly currency: CurrencyCode;
  readonly amount: Amount;
  readonly settledAfter: Amount;
  readonly pendingAfter: Amount;
  readonly grantRemainingAfter: Amount;
  readonly grantHeldAfter: Amount;
  /** Of what was consumed or given back (statements.ts); 0 for all other events. */
  readonly digest: bigint;
  /** Below 0 when it says to be created before it was booked, above 0 when after. */
  readonly createdAfter: number;
  /** As PostgreSQL prints it: in UTC the order of these texts is that of the moments. */
  readonly bookedAt: string;
}

/** Stands for the flow of most transfers: paid credit is consumed by a charge from what is free. */
const USUAL = "*";
const USUAL_FLOW = "CONSUMED customer_credit earnings";
const IS_USUAL = `t.event = 'CONSUMED' AND t.debit_account = 'customer_credit'
      AND t.credit_account = 'earnings' AND t.charge_id IS NOT NULL`;

/**
 * A line as the statement that reads the journal writes it, of a transfer `t`. What most lines have
 * alike is short, because writing and reading its words is what an audit takes its time for: the
 * flow, no credit held, and which charge consumed, which is in the digest.
 */
export function lineOf(digest: string): string {
  return `concat_ws(' ', t.sequence,
    CASE WHEN ${IS_USUAL} THEN '${USUAL}' ELSE concat_ws(' ', t.event, t.debit_account,
      t.credit_account, coalesce(t.charge_id::text, '-')) END,
    t.credit_grant_id, t.currency, t.amount, t.settled_after,
    CASE WHEN t.pending_after = t.settled_after THEN '=' ELSE t.pending_after::text END,
    t.grant_remaining_after,
    CASE WHEN t.grant_held_after = 0 THEN '0' ELSE t.grant_held_after::text END, ${digest},
    CASE WHEN t.created_at = t.booked_at THEN 0 WHEN t.created_at > t.booked_at THEN 1 ELSE -1 END,
    t.booked_at)`;
}

/** Reads a text of lines. Nothing outlives its line but by a copy. */
export function* readLines(text: string): Generator<JournalRow, void, undefined> {
  const reader = new LineReader(text);
  while (!reader.atEnd) yield reader.row();
}

const BLANK = " ";
const LINE_END = "\n";
const FLOW_WORDS = 3;

class LineReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  row(): JournalRow {
    const sequence = Number.parseInt(this.#words(1), 10);
    const isUsual = this.#text.startsWith(USUAL, this.#at);
    const flow = this.#words(isUsual ? 1 : FLOW_WORDS);
    const charge = isUsual ? USUAL : this.#words(1);
    const grantId = this.#words(1) as GrantId;
    const currency = this.#words(1);
    const amount = amountFromDigits(this.#words(1));
    const settledAfter = amountFromDigits(this.#words(1));
    const pending = this.#words(1);
    return {
      sequence,
      flow: isUsual ? USUAL_FLOW : flow,
      grantId,
      chargeId: charge === "-" ? null : (charge as ChargeId),
      currency,
      amount,
      settledAfter,
      pendingAfter: pending === "=" ? settledAfter : amountFromDigits(pending),
      grantRemainingAfter: amountFromDigits(this.#words(1)),
      grantHeldAfter: amountFromDigits(this.#words(1)),
      digest: digestOf(this.#words(1)),
      createdAfter: Number.parseInt(this.#words(1), 10),
      bookedAt: this.#rest(),
    };
  }

  /** The next so many words, together. */
  #words(count: number): string {
    const start = this.#at;
    let end = start - 1;
    for (let left = count; left > 0; left -= 1) end = this.#text.indexOf(BLANK, end + 1);
    this.#at = end + 1;
    return this.#text.slice(start, end);
  }

  #rest(): string {
    const start = this.#at;
    const found = this.#text.indexOf(LINE_END, start);
    const end = found < 0 ? this.#text.length : found;
    this.#at = end + 1;
    return this.#text.slice(start, end);
  }
}

function digestOf(text: string): bigint {
  return text === "0" ? 0n : BigInt(text);
}

/** A string of its own: a piece of a long text would keep all of it in memory. */
export function copyOf<Text extends string>(text: Text): Text {
  return Buffer.from(text).toString() as Text;
}
