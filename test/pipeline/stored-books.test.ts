/**
 * Owns the comparison of what is stored with what the pure core decided: random commands of several
 * customers are played in memory and through the pipeline, with every clock and every id the same.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Book, MovementNote } from "../../src/book/book.ts";
import type { Need } from "../../src/book/need.ts";
import type { Charge } from "../../src/book/nouns.ts";
import { Refusal } from "../../src/errors.ts";
import type { ChargeId, CustomerId, GrantId, InvoiceId } from "../../src/ledger/ids.ts";
import { formatInstant, type Instant, instant } from "../../src/money/time.ts";
import type { Write } from "../../src/pipeline/job.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { type JournalRow, TRANSFER_COLUMNS, transferOf } from "../../src/queries/journal-rows.ts";
import { createCurrency } from "../../src/registry/create-currency.ts";
import { createRateCard } from "../../src/registry/create-rate-card.ts";
import { type RandomCommand, randomCommands } from "../core/random-commands.ts";
import { same } from "../core/same.ts";
import { Customer, NothingOfThatName } from "../scenarios/customer.ts";
import { attempt, playQuietly } from "../scenarios/scenario.ts";
import { amountOf, momentOf, momentText } from "../scenarios/words.ts";
import { openLedger, TENANT, type TestLedger, writeOf } from "./ledger.ts";
import { registryWrite } from "./registry-writes.ts";

const HOUR_MICROSECONDS = 3_600_000_000n;
const DAY_MICROSECONDS = 24n * HOUR_MICROSECONDS;
/** So many customers share the lanes. */
const CUSTOMERS = 3;
const RUNS = 25;
/** Late enough for a clock that goes back. */
const BEGIN = momentOf("d10");
/** Every so many commands one is sent twice at once. */
const TWICE = 4;

let ledger: TestLedger;
let pipeline: Pipeline;
beforeAll(async () => {
  ledger = await openLedger();
  // Ids are told apart by their customers alone, and are those of the books in memory.
  pipeline = new Pipeline({ ...ledger.connections, random32: () => 0 });
  await pipeline.submitToRegistry(
    registryWrite([{ kind: "currency", code: "TOKENS" }], (registry) => {
      const command = { code: "TOKENS", name: "TOKENS", exponent: 0 };
      return createCurrency(registry, command).code;
    }),
  );
  await pipeline.submitToRegistry(
    registryWrite(
      [
        { kind: "rate_card", key: "api" },
        { kind: "currency", code: "USD" },
      ],
      (registry) =>
        createRateCard(registry, {
          key: "api",
          name: "api",
          featureKey: "calls",
          currency: "USD",
          settlementMode: "CREDIT_THEN_INVOICE",
          price: { model: "per_unit", unitAmount: amountOf("0.3") },
          minimumAmount: amountOf("1"),
          maximumAmount: null,
        }).key,
    ),
  );
});
afterAll(async () => {
  await pipeline.idle();
  await ledger.close();
});

/** All that can be seen of a result, at the moment at which it is made. */
const textOf = (result: unknown): string => JSON.stringify(result, spellOut) ?? "nothing";

function spellOut(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort());
}

const isSettled = (result: unknown) =>
  (result as Partial<Charge> | undefined)?.status === "SETTLED";

/** A verb that a customer's book in memory was asked to run, and what it came to. */
interface Played {
  readonly verb: (book: Book) => unknown;
  readonly keptIn: "charge" | "request";
  readonly outcome: string;
  readonly refused: boolean;
}

/** A name that was never given is an id that the database can look for. */
class CustomerWithIds extends Customer {
  override grantId(name: string): GrantId {
    return idOr(super.grantId(name), name);
  }

  override chargeId(name: string): ChargeId {
    return idOr(super.chargeId(name), name);
  }

  override invoiceId(name: string): InvoiceId {
    return idOr(super.invoiceId(name), name);
  }
}

function idOr<Id extends string>(found: Id, name: string): Id {
  const digits = Buffer.from(name).toString("hex").padStart(12, "0");
  return found === name ? (`ffffffff-ffff-7fff-bfff-${digits}` as Id) : found;
}

/** A customer in memory and in the database. */
class Twin {
  readonly inMemory = new CustomerWithIds();
  readonly customerId: CustomerId;
  #played: Played[] = [];

  constructor(customerId: CustomerId) {
    this.customerId = customerId;
    playQuietly(
      this.inMemory,
      `unit TOKENS 0
       card api 0.3 USD credit_then_invoice feature calls minimum 1`,
    );
    const { keeper } = this.inMemory;
    const run = keeper.run.bind(keeper);
    keeper.run = (verb) => {
      let isNewCharge = false;
      const tell = (outcome: string, refused: boolean) => {
        const keptIn = isNewCharge && !refused ? "charge" : "request";
        this.#played.push({ verb, keptIn, outcome, refused });
      };
      try {
        const result = run((book) => {
          const { size } = book.newCharges;
          const made = verb(book);
          isNewCharge = book.newCharges.size > size;
          return made;
        });
        isNewCharge &&= isSettled(result);
        tell(textOf(result), false);
        return result;
      } catch (error) {
        if (error instanceof Refusal) tell(textOfRefusal(error), true);
        throw error;
      }
    };
  }

  /** Plays the commands in memory on one book; answers what the book was asked. */
  play(commands: readonly RandomCommand[], clock: Instant): readonly Played[] {
    const { keeper } = this.inMemory;
    this.#played = [];
    keeper.clock = clock;
    keeper.begin();
    for (const { line } of commands) {
      const spelled = line.replace(/in(\d)/g, (_, days: string) =>
        momentText(instant(keeper.now + BigInt(days) * DAY_MICROSECONDS)),
      );
      try {
        attempt(this.inMemory, spelled);
      } catch (error) {
        if (!(error instanceof NothingOfThatName)) throw error;
      }
    }
    keeper.commit();
    return this.#played;
  }
}

const textOfRefusal = ({ reason, facts }: Refusal) => `${reason} ${textOf(facts)}`;

async function outcomeOf(write: Write<unknown, unknown>): Promise<string> {
  try {
    return String(await pipeline.submit(write));
  } catch (error) {
    if (error instanceof Refusal) return textOfRefusal(error);
    throw error;
  }
}

/** Commands that share a book, and how much time has passed since those before. */
interface Group {
  readonly hours: number;
  readonly of: readonly (readonly RandomCommand[])[];
}

/** The first customer's commands say which share a book, and when; the others' are dealt out. */
function groupsOf(lists: readonly (readonly RandomCommand[])[]): readonly Group[] {
  const [first = []] = lists;
  const starts = first.flatMap(({ joins }, index) => (index === 0 || !joins ? [index] : []));
  return starts.map((start, index) => ({
    hours: first[start]?.hours ?? 0,
    of: lists.map((list) => list.slice(start, starts[index + 1])),
  }));
}

async function play(lists: readonly (readonly RandomCommand[])[]): Promise<void> {
  const twins: Twin[] = [];
  for (const _ of lists) twins.push(new Twin(await ledger.customer()));
  let clock = BEGIN;
  const answered: { readonly write: Write<unknown, unknown>; readonly outcome: string }[] = [];
  for (const { hours, of } of groupsOf(lists)) {
    clock = instant(clock + BigInt(hours) * HOUR_MICROSECONDS);
    await setClock(clock);
    const sent: Promise<void>[] = [];
    for (const [index, twin] of twins.entries()) {
      for (const { outcome, refused, ...asked } of twin.play(of[index] ?? [], clock)) {
        const { customerId } = twin;
        const write = writeOf({ customerId, ...asked, answer: textOf });
        const compare = async () => same(await outcomeOf(write), outcome, "it came to the same");
        sent.push(compare());
        if (sent.length % TWICE === 0) sent.push(compare());
        if (!refused) answered.push({ write, outcome });
      }
      // Nothing may have been asked of it.
      sent.push(pipeline.bookDue(TENANT, twin.customerId));
    }
    await Promise.all(sent);
  }
  for (const twin of twins) await compareRows(twin);
  for (const { write, outcome } of answered) {
    same(await outcomeOf(write), outcome, "a replay answers as at first");
  }
}

function setClock(clock: Instant): Promise<unknown> {
  return ledger.superuser.query(
    `CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS $$ SELECT timestamptz '${formatInstant(clock)}' $$`,
  );
}

/** Everything that is stored of a customer is what is kept in memory. */
async function compareRows({ inMemory: { kept }, customerId }: Twin): Promise<void> {
  const needs: Need[] = [
    ...[...kept.lots.keys()].flatMap((id): Need[] => [
      { kind: "grant", id },
      { kind: "terms", id },
    ]),
    ...[...kept.charges.keys()].map((id): Need => ({ kind: "charge", id })),
    ...[...kept.invoices.keys()].map((id): Need => ({ kind: "invoice", id })),
    ...[...kept.lines.keys()].map((id): Need => ({ kind: "line", id })),
  ];
  await pipeline.look({
    tenantId: TENANT,
    customerId,
    needs,
    until: null,
    async look(book, { manager }) {
      for (const kind of ["lots", "terms", "charges", "invoices", "lines"] as const) {
        same<ReadonlyMap<unknown, unknown>>(book[kind], kept[kind], `the stored ${kind}`);
      }
      same(book.journal.balances, kept.balances, "the stored balances");
      const { objectCount, invoiceCount, nextDueAt } = book;
      const counts = [kept.objectCount, kept.invoiceCount, kept.nextDueAt];
      same([objectCount, invoiceCount, nextDueAt], counts, "the stored head");
      const owned = `WHERE customer_id = $1 ORDER BY sequence`;
      const transfers: JournalRow[] = await manager.query(
        `SELECT ${TRANSFER_COLUMNS} FROM transfer t ${owned}`,
        [customerId],
      );
      same(transfers.map(transferOf), kept.transfers, "the stored transfers");
      const notes: MovementNote[] = await manager.query(
        `SELECT sequence, description, metadata FROM movement_note ${owned}`,
        [customerId],
      );
      same(notes, [...kept.notes.values()], "the stored notes");
    },
  });
}

describe("W1 what is stored is what was decided", () => {
  test("for random commands of customers who share batches", { timeout: 120_000 }, async () => {
    const lists = fc.array(randomCommands, { minLength: CUSTOMERS, maxLength: CUSTOMERS });
    // Each try takes the database a while: what is found is shown as it is, not made shorter.
    await fc.assert(fc.asyncProperty(lists, play), { numRuns: RUNS, endOnFailure: true });
  });
});
