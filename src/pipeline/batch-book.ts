/**
 * Owns one customer's part of a batch: the book, the commands in their order, what each came to,
 * and the request ids to keep with it.
 */
import type { Book } from "../book/book.ts";
import { type Need, NotLoaded } from "../book/need.ts";
import type { Charge } from "../book/nouns.ts";
import { AssertionFailure, assert, Refusal } from "../errors.ts";
import type { RequestKey, Write } from "./job.ts";
import type { Outcome, Pending } from "./pending.ts";
import { type FirstAnswer, RequestAnswers } from "./request-answers.ts";
import { type ChargeRow, chargeAsCreated } from "./rows.ts";
import type { StoredRequest } from "./writes.ts";

/** Pure code that asks for more in so many rounds, one after the other, does not know its wants. */
export const LOAD_ROUNDS_MAX = 64;

/** A command in a lane of customers. */
export interface Job extends Pending<Write<unknown, unknown>> {
  /** How often another process held the customer when this command's turn came. */
  misses: number;
  /** When it was first so, by a clock of this process that never goes back. */
  missedAtMs: number | null;
}

/** What is kept with a request id: an encoded answer, or the charge that it answers with. */
export type StoredAnswer = Uint8Array | ChargeRow;

export class BatchBook {
  readonly book: Book;
  readonly outcomes = new Map<Job, Outcome>();
  readonly requests: StoredRequest[] = [];
  readonly chargeRequests = new Map<Charge, RequestKey>();
  readonly #jobs: readonly Job[];
  readonly #answers = new RequestAnswers<StoredAnswer>();
  #next = 0;
  /** How often the next command has asked for more. */
  #rounds = 0;
  #broken: unknown = null;

  constructor(book: Book, jobs: readonly Job[]) {
    this.book = book;
    this.#jobs = jobs;
  }

  /** Whether a bug showed: then nothing of this book may be stored. */
  get broken(): boolean {
    return this.#broken !== null;
  }

  knowFirstAnswer(requestId: string, first: FirstAnswer<StoredAnswer>): void {
    this.#answers.know(requestId, first);
  }

  /** Runs commands in arrival order until all are done; returns what must be loaded to go on. */
  run(): readonly Need[] {
    for (; this.#next < this.#jobs.length; this.#next += 1) {
      const job = this.#jobs[this.#next];
      assert(job !== undefined, "the next command exists");
      const before = this.book.journal.posted.length;
      try {
        this.outcomes.set(job, { kind: "answered", answer: this.#runOne(job.write) });
      } catch (error) {
        const changed = this.book.journal.posted.length !== before;
        if (error instanceof NotLoaded && !changed && this.#rounds < LOAD_ROUNDS_MAX) {
          this.#rounds += 1;
          return error.needs;
        }
        if (!(error instanceof Refusal) || changed) {
          this.#break(error);
          return [];
        }
        this.outcomes.set(job, { kind: "failed", error });
      }
      this.#rounds = 0;
    }
    return [];
  }

  /** A bug answers INTERNAL to all of the customer's commands, because they share one book. */
  #break(error: unknown): void {
    this.#broken = error;
    this.#next = this.#jobs.length;
    for (const job of this.#jobs) this.outcomes.set(job, { kind: "failed", error: asBug(error) });
  }

  #runOne(write: Write<unknown, unknown>): unknown {
    const { request } = write;
    const given = this.#answers.find(request);
    if (given !== undefined) {
      return given.kind === "stored" ? replay(write, given.stored) : given.answer;
    }
    const result = write.verb(this.book);
    const answer = write.answer(result);
    this.#answers.keep(request, answer);
    if (write.keptIn === "charge") {
      this.chargeRequests.set(result as Charge, request);
    } else {
      const stored = write.encode(answer);
      this.requests.push({ request, answer: stored, createdAt: this.book.now });
    }
    return answer;
  }
}

function replay(write: Write<unknown, unknown>, stored: StoredAnswer): unknown {
  return stored instanceof Uint8Array
    ? write.decode(stored)
    : write.answer(chargeAsCreated(stored));
}

/** What was thrown that is no refusal is a bug, whatever it was. */
function asBug(error: unknown): AssertionFailure {
  if (error instanceof AssertionFailure) return error;
  return new AssertionFailure("a command failed in a way that no rule foresees", { cause: error });
}
