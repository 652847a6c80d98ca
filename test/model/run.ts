/**
 * Owns one run of the comparison: every call goes to the model and to the service, and what both
 * have made so far is what the `@` words of later commands stand for.
 */
import {
  type DescMethod,
  fromJson,
  type JsonObject,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { LEDGER_METHODS } from "../contract/descriptors.ts";
import { type Book, nextDue } from "./books.ts";
import { DAY } from "./figures.ts";
import { Model } from "./model.ts";
import { isObject, Names, replaceTexts } from "./names.ts";
import { timestampOf } from "./plain.ts";
import { Refused, refusalOf } from "./refusals.ts";
import type { Outcome, Subject } from "./subject.ts";

/** Nobody has this id. */
const UNKNOWN_ID = "0190a1b2-c3d4-7000-8000-00000000dead";
/** From here on a number stands for what does not exist. */
export const NOBODY = 90;
const HOUR = DAY / 24n;
const STORY_LINES_MAX = 100;

/** One call, in which `@` words stand for what the run has made so far. */
export interface Command {
  readonly rpc: string;
  readonly ask: JsonObject;
  /** How much time passes before it: microseconds as digits, or until something falls due. */
  readonly wait?: string;
}

/** A call in the model's own words. */
export interface Call {
  readonly method: DescMethod;
  readonly ask: JsonObject;
}

/** The model and the service do not agree. */
export class Disagreement extends Error {
  override readonly name = "Disagreement";
}

/** What the model answers. */
export function expectOf(model: Model, { method, ask }: Call, clock: bigint): Outcome {
  try {
    const answer = model.call(method, fromJson(method.input, ask), clock);
    return { answers: Array.isArray(answer) ? answer : [answer] };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { code, reason, metadata: facts, fieldViolations } = refusalOf(error);
    const fields = fieldViolations.map(({ field }) => field);
    return { refused: { code, reason, facts, fields } };
  }
}

export class Run {
  model = new Model();
  names = new Names();
  clock: bigint;
  calls = 0;
  readonly #story: string[] = [];
  readonly #writes: Call[] = [];
  readonly #cursors: (Call & { readonly cursor: string })[] = [];

  constructor(clock: bigint) {
    this.clock = clock;
  }

  /** Plays a command on both sides. Throws a disagreement. */
  async play(command: Command, subject: Subject): Promise<readonly [DescMethod, Outcome]> {
    await this.pass(command.wait, subject);
    const call = this.resolve(command);
    const expected = expectOf(this.model, call, this.clock);
    const found = await subject.call(call.method, this.names.translate(call.ask));
    const differences = this.names.compare(call.method, expected, found);
    this.remember(call, expected);
    if (differences.length > 0) throw this.disagreement(differences);
    return [call.method, expected];
  }

  /** Lets time pass, also backwards. */
  async pass(wait: string | undefined, subject: Subject): Promise<void> {
    this.clock = this.#after(wait ?? "0");
    await subject.setClock(this.clock);
  }

  #after(wait: string): bigint {
    const [word, offset = "0"] = wait.split(" ");
    if (word !== "due") return this.clock + BigInt(wait);
    const dues = this.model.books.flatMap((book) => nextDue(book)?.at ?? []);
    const [next = this.clock + HOUR] = dues
      .filter((at) => at > this.clock)
      .sort((left, right) => Number(left - right));
    return next + BigInt(offset);
  }

  disagreement(differences: readonly string[]): Disagreement {
    const told = [...this.#story.slice(-STORY_LINES_MAX), ...differences].join("\n");
    return new Disagreement(`the service and the model differ at the end of\n${told}`);
  }

  /** Puts what the run has made in the place of `@` words. */
  resolve({ rpc, ask }: Command): Call {
    this.calls += 1;
    const [, name = "", at = "0"] = /^@(\w+) (-?\d+)$/.exec(rpc) ?? [];
    const nothing = { method: methodOf("ListCustomers"), ask: {} };
    if (name === "replay") return pick(this.#writes, Number(at)) ?? nothing;
    if (name === "page") return this.#nextPage(Number(at), ask) ?? nothing;
    const number = /\d+/.exec(String(ask["customerId"] ?? "0"))?.[0];
    const book = pick(this.model.books, Number(number));
    const resolved = replaceTexts(ask, (text) =>
      text.startsWith("@") ? this.#word(text, book) : text,
    );
    return { method: methodOf(rpc), ask: resolved as JsonObject };
  }

  /** The call that a cursor leads to, with some arguments changed. */
  #nextPage(at: number, changes: JsonObject): Call | undefined {
    const page = pick(this.#cursors, at);
    if (page === undefined) return undefined;
    const { method, cursor } = page;
    const place = { [method.name.endsWith("Movements") ? "cursor" : "pageToken"]: cursor };
    const known = Object.entries(changes).filter(([field]) => field in method.input.field);
    return { method, ask: { ...page.ask, ...Object.fromEntries(known), ...place } };
  }

  #word(word: string, book: Book | undefined): JsonValue {
    const [name, first = "0", second = "0"] = word.slice(1).split(" ");
    const at = Number(first);
    // What the service has not shown yet has no id that one could call it by.
    const idOf = (rows: readonly { readonly id: string }[] = []) =>
      pick(
        rows.filter(({ id }) => this.names.isKnown(id)),
        at,
      )?.id ?? UNKNOWN_ID;
    if (name === "customer") return pick(this.model.books, at)?.customer.id ?? UNKNOWN_ID;
    if (name === "grant") return idOf(book?.grants);
    if (name === "charge") return idOf(book?.charges);
    if (name === "invoice") return idOf(book?.invoices);
    if (name === "request") return String(pick(this.#writes, at)?.ask["requestId"] ?? "none");
    if (name === "fresh") return `request ${this.calls}.${at}`;
    if (name === "in") return momentText(this.clock + BigInt(first));
    const { bookedAt } = pick(book?.transfers ?? [], at) ?? {};
    return momentText((bookedAt ?? this.clock) + BigInt(second));
  }

  /** Keeps what later commands may repeat or go on from. */
  remember(call: Call, outcome: Outcome): void {
    const { method, ask } = call;
    const said = JSON.stringify(outcome).slice(0, 1_000);
    this.#story.push(
      `${momentText(this.clock)} ${method.name} ${JSON.stringify(ask)}\n    ${said}`,
    );
    if ("requestId" in ask) this.#writes.push(call);
    for (const answer of "answers" in outcome ? outcome.answers : [])
      for (const [name, cursor] of Object.entries(isObject(answer) ? answer : {}))
        if (/(Cursor|PageToken)$/.test(name) && cursor !== "")
          this.#cursors.push({ ...call, cursor: String(cursor) });
  }
}

function methodOf(rpc: string): DescMethod {
  const method = LEDGER_METHODS.find(({ name }) => name === rpc);
  if (method === undefined) throw new Error(`the contract has no RPC ${rpc}`);
  return method;
}

const momentText = (moment: bigint) => String(toJson(TimestampSchema, timestampOf(moment)));

const pick = <Row>(rows: readonly Row[], at: number) =>
  rows.length === 0 || at >= NOBODY ? undefined : rows.at(at % rows.length);
