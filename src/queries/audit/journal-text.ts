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

/** A line as the statement that reads the journal writes it, of a transfer `t`. */
export function lineOf(digest: string): string {
  return `concat_ws(' ', t.sequence, t.event, t.debit_account, t.credit_account,
    t.credit_grant_id, coalesce(t.charge_id::text, '-'), t.currency, t.amount, t.settled_after,
    t.pending_after, t.grant_remaining_after, t.grant_held_after, ${digest},
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
    const flow = this.#words(FLOW_WORDS);
    const grantId = this.#words(1) as GrantId;
    const charge = this.#words(1);
    return {
      sequence,
      flow,
      grantId,
      chargeId: charge === "-" ? null : (charge as ChargeId),
      currency: this.#words(1),
      amount: amountFromDigits(this.#words(1)),
      settledAfter: amountFromDigits(this.#words(1)),
      pendingAfter: amountFromDigits(this.#words(1)),
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
