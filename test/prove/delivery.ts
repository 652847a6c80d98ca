/**
 * Owns the delivering of operations: each in one of the many forms that the same request can have,
 * over a way of chance, again and again until its outcome is known; and what was answered.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { takeNote } from "./account.ts";
import type { Operation } from "./operation.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";
import { type Fields, type Lines, type Outcome, WAYS, type Way } from "./wire.ts";

/** Who can be called at the moment: replicas come and go during a run. */
export interface Reachable {
  /** One of the running replicas. */
  choose(random: Random): Lines | undefined;
}

/** An acknowledged operation and the answer that holds for ever. */
export interface Acked {
  readonly operation: Operation;
  readonly text: string;
}

const PAUSE_MS = 25;
/** An operation whose outcome nobody can tell after so long is a failure of its own. */
const CLEAR_MS_MAX = 600_000;
const HISTORY_LINES_MAX = 12;
/** What is never true of what is sent here. */
const WRONG_REASONS = new Set(["REQUEST_ID_REUSED", "INVALID_REQUEST"]);

export class Deliverer {
  readonly #promise: string;
  readonly #tally: Tally;
  readonly #reachable: Reachable;
  /** The numbers of operations whose outcome could not be found out. */
  readonly givenUp = new Set<number>();

  constructor(promise: string, tally: Tally, reachable: Reachable) {
    this.#promise = promise;
    this.#tally = tally;
    this.#reachable = reachable;
  }

  /** Delivers until it is acknowledged or refused; undefined when it was refused. */
  async settle(operation: Operation, seeded: Random): Promise<Acked | undefined> {
    const random = seeded.fork(`settle ${operation.number}`);
    const giveUpAt_ms = performance.now() + CLEAR_MS_MAX;
    const history: string[] = [];
    this.#tally.operations += 1;
    while (performance.now() < giveUpAt_ms) {
      const outcome = await this.once(operation, random);
      if (history.length < HISTORY_LINES_MAX) history.push(describe(operation, outcome));
      if (outcome?.kind === "acked") return this.#accept(operation, outcome);
      if (outcome?.kind === "refused") {
        this.#tally.refusals += 1;
        return undefined;
      }
      await sleep(PAUSE_MS);
    }
    this.#giveUp(operation, history);
    return undefined;
  }

  /** Delivers charges in one batch, and those without a clear outcome again until all have one. */
  async settleBundle(operations: readonly Operation[], seeded: Random): Promise<Acked[]> {
    const random = seeded.fork(`bundle ${operations[0]?.number}`);
    const giveUpAt_ms = performance.now() + CLEAR_MS_MAX;
    const accepted: Acked[] = [];
    let open = operations;
    this.#tally.operations += open.length;
    while (open.length > 0 && performance.now() < giveUpAt_ms) {
      const forms = open.map(({ request }) => disguise(request, random));
      const outcomes = await this.#reachable.choose(random)?.callBundle(forms);
      const unsettled = open.filter((operation, index) => {
        const outcome = outcomes?.[index];
        if (outcome !== undefined) this.#count(operation, "batch", outcome);
        if (outcome?.kind === "acked") accepted.push(this.#accept(operation, outcome));
        if (outcome?.kind === "refused") this.#tally.refusals += 1;
        return outcome?.kind !== "acked" && outcome?.kind !== "refused";
      });
      open = unsettled;
      if (open.length > 0) await sleep(PAUSE_MS);
    }
    for (const operation of open) this.#giveUp(operation, [describe(operation, undefined)]);
    return accepted;
  }

  #accept(operation: Operation, { answer, text }: Outcome & { readonly kind: "acked" }): Acked {
    this.#tally.acks += 1;
    if (operation.account !== null) takeNote(operation.account, answer);
    return { operation, text };
  }

  #giveUp({ number, rpc }: Operation, history: readonly string[]): void {
    this.givenUp.add(number);
    const what = `no clear outcome of ${rpc} in ${CLEAR_MS_MAX / 1_000} s`;
    this.#tally.fail({ promise: this.#promise, breach: "other", what, history });
  }

  /** Delivers once to a replica of chance, in a form of chance; undefined when none is there. */
  async once(
    operation: Operation,
    random: Random,
    signal?: AbortSignal,
  ): Promise<Outcome | undefined> {
    const lines = this.#reachable.choose(random);
    if (lines === undefined) return undefined;
    const way = chooseWay(operation, random);
    const form = disguise(operation.request, random);
    const outcome = await lines.call(operation.rpc, form, way, signal);
    this.#count(operation, way, outcome);
    return outcome;
  }

  #count(operation: Operation, way: Way, outcome: Outcome): void {
    if (outcome.kind === "unclear") this.#tally.unclear += 1;
    if (outcome.kind === "turned away") this.#tally.turnedAway += 1;
    const isWrong = outcome.kind === "refused" && WRONG_REASONS.has(outcome.reason);
    if (outcome.kind !== "internal" && !isWrong) return;
    const said = isWrong ? outcome.reason : "INTERNAL";
    const what = `${operation.rpc} over ${way} was answered ${said}`;
    const history = [describe(operation, outcome)];
    this.#tally.fail({ promise: this.#promise, breach: "other", what, history });
  }

  /** Delivers what was acknowledged once more: the answer must be the same for ever (W1). */
  async replay({ operation, text }: Acked, seeded: Random): Promise<void> {
    const random = seeded.fork(`replay ${operation.number}`);
    const giveUpAt_ms = performance.now() + CLEAR_MS_MAX;
    for (;;) {
      const outcome = await this.once(operation, random);
      if (outcome?.kind === "acked" || outcome?.kind === "refused") {
        this.compare({ operation, text }, outcome);
        return;
      }
      if (performance.now() > giveUpAt_ms) {
        const history = [describe(operation, outcome)];
        const what = `no answer to a replay in ${CLEAR_MS_MAX / 1_000} s`;
        this.#tally.fail({ promise: this.#promise, breach: "other", what, history });
        return;
      }
      await sleep(PAUSE_MS);
    }
  }

  /** An id that was acknowledged once is never refused afterwards. */
  contradict(operation: Operation, earlier: Outcome): void {
    const what = `${operation.rpc} was refused after it had been acknowledged`;
    const history = [describe(operation, earlier)];
    this.#tally.fail({ promise: this.#promise, breach: "lost", what, history });
  }

  /** Compares a later answer with the first one. */
  compare({ operation, text }: Acked, later: Outcome): void {
    this.#tally.replays += 1;
    if (later.kind === "acked" && later.text === text) return;
    if (later.kind !== "acked" && later.kind !== "refused") return;
    this.#tally.fail({
      promise: this.#promise,
      breach: "lost",
      what: `the answer to ${operation.rpc} ${operation.request.requestId} is not the first one`,
      history: [
        describe(operation, undefined),
        `first: ${text}`,
        `later: ${later.kind === "acked" ? later.text : `refused, ${later.reason}`}`,
      ],
    });
  }
}

export function describe(operation: Operation, outcome: Outcome | undefined): string {
  const asked = `${operation.rpc} ${JSON.stringify(operation.request)}`;
  if (outcome === undefined) return asked;
  const { kind } = outcome;
  if (kind === "acked") return `${asked} → ${outcome.text}`;
  return `${asked} → ${kind}: ${"reason" in outcome ? outcome.reason : outcome.why}`;
}

function chooseWay(operation: Operation, random: Random): Way {
  // The volume edge carries most of it, as it does in use.
  const way = random.chance(0.5) ? "grpc" : random.pick(WAYS);
  return way === "batch" && operation.rpc !== "createCharge" ? "grpc" : way;
}

/** The same request in another form: maps shuffled, ids in capitals, amounts with zeros behind. */
function disguise(request: Fields, random: Random): Fields {
  const fields = Object.entries(request).map(([name, value]) => {
    if (name === "metadata") {
      return [name, Object.fromEntries(random.shuffle(Object.entries(value as Fields)))];
    }
    if (name === "customerId" && random.chance(0.2)) return [name, String(value).toUpperCase()];
    if (name === "amount" && random.chance(0.2)) return [name, withZeros(String(value))];
    return [name, value];
  });
  return Object.fromEntries(random.shuffle(fields));
}

function withZeros(amount: string): string {
  const decimals = amount.split(".")[1]?.length ?? 0;
  if (decimals >= 12) return amount;
  return decimals === 0 ? `${amount}.0` : `${amount}0`;
}
