/**
 * Which commands and due customers a lane puts into its next batch, and what it does with those
 * that a batch gives back: with transactions that come to what a test says, and without a database.
 */
import pg from "pg";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Refusal } from "../../src/errors.ts";
import type { CustomerId, TenantId } from "../../src/ledger/ids.ts";
import type { BatchRequest, BatchResult } from "../../src/pipeline/batch.ts";
import type { Job } from "../../src/pipeline/batch-book.ts";
import { UnclearCommit } from "../../src/pipeline/commit.ts";
import { CommitNotices } from "../../src/pipeline/commit-notices.ts";
import { Lane } from "../../src/pipeline/lane.ts";
import type { CommittedBatch } from "../../src/pipeline/observer.ts";
import { type Entrant, LARGE_BATCH_COMMANDS_MIN, Turnstile } from "../../src/pipeline/turnstile.ts";
import { writeOf } from "./ledger.ts";

/** As the lane's own: a customer is given up, or waited for alone, after so long. */
const HELD_MS_MAX = 5_000;
const WAITED_REST_MS = 250;
const DUE_REST_MS = 50;

function sqlState(code: string): Error {
  const error = new pg.DatabaseError(code, 0, "error");
  error.code = code;
  return error;
}
const LOCK_TIMEOUT = sqlState("55P03");
const STANDBY = sqlState("25006");
const DATA = sqlState("22021");

/** What a transaction comes to: a failure, or who could not be reached or finished. */
type Step = Error | { readonly held?: string; readonly unfinished?: string };

/** `a1` is a customer of tenant `a`. */
const customer = (name: string) => name as CustomerId;
const tenantOf = (name: string) => name.slice(0, 1) as TenantId;

class Site {
  readonly lane: Lane;
  readonly turnstile = new Turnstile();
  /** Each transaction: `a1 a2 | due a3 | long`. */
  readonly seen: string[] = [];
  readonly committed: CommittedBatch[] = [];
  readonly heard: unknown[] = [];
  unclear = 0;
  /** What the next transactions come to; those after them run everything. */
  steps: Step[] = [];
  /** Called while a transaction is under way. */
  meanwhile: () => void | Promise<void> = () => undefined;

  constructor() {
    const notices = new CommitNotices();
    notices.subscribe((...notice) => this.heard.push(notice));
    this.lane = new Lane({
      transact: (batch) => this.#transact(batch),
      notices,
      turnstile: this.turnstile,
      observer: {
        batchCommitted: (batch) => this.committed.push(batch),
        commitAnswered: () => undefined,
        batchRetried: () => undefined,
        commitUnclear: () => (this.unclear += 1),
      },
    });
  }

  /** Sends a command for each customer; answers what they come to, in their order. */
  send(...names: readonly string[]): Promise<readonly string[]> {
    return Promise.all(names.map((name) => this.#sendOne(name)));
  }

  due(name: string): Promise<string> {
    return this.lane.bookDue(tenantOf(name), customer(name)).then(() => "booked", reasonOf);
  }

  #sendOne(name: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const write = writeOf<unknown>({ customerId: customer(name), verb: () => 0, answer: () => 0 });
    this.lane.submit({
      write: { ...write, tenantId: tenantOf(name) },
      resolve,
      reject,
      unclear: false,
      misses: 0,
      missedAtMs: null,
    });
    return promise.then(String, reasonOf);
  }

  async #transact(request: BatchRequest): Promise<BatchResult> {
    const step = this.steps.shift() ?? {};
    this.seen.push(tell(request));
    await this.meanwhile();
    if (step instanceof Error) throw step;
    const { jobs, dueOnly } = request;
    const of = (names = "") => new Set(names.split(" ").map(customer));
    const [held, unfinished] = [of(step.held), of(step.unfinished)];
    const isIn = (set: ReadonlySet<CustomerId>) => (job: Job) => set.has(job.write.customerId);
    const isRun = (job: Job) => !isIn(held)(job) && !isIn(unfinished)(job);
    return {
      outcomes: new Map(
        jobs.filter(isRun).map((job) => [job, { kind: "answered", answer: "done" }] as const),
      ),
      missed: jobs.filter(isIn(held)),
      waiting: jobs.filter(isIn(unfinished)),
      held,
      unfinished: new Set([...held, ...unfinished]),
      sequences: new Map([...jobs.filter(isRun)].map((job) => [job.write.customerId, 7n])),
      dueTransfers: dueOnly.length,
    };
  }
}

function tell({ jobs, dueOnly, lockWait }: BatchRequest): string {
  const parts = [jobs.map((job) => job.write.customerId).join(" ")];
  if (dueOnly.length > 0) parts.push(`due ${dueOnly.join(" ")}`);
  if (lockWait !== null) parts.push(lockWait);
  return parts.filter((part) => part !== "").join(" | ");
}

const reasonOf = (error: unknown) => (error instanceof Refusal ? error.reason : "INTERNAL");

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a lane", () => {
  test("runs what arrives together in one batch of a tenant, with what is due for it", async () => {
    const site = new Site();
    const due = [site.due("a3"), site.due("b2")];
    const answers = await site.send("a1", "a2", "b1", "a1");
    expect(answers).toEqual(["done", "done", "done", "done"]);
    expect(await Promise.all(due)).toEqual(["booked", "booked"]);
    expect(site.seen).toEqual(["a1 a2 a1 | due a3", "b1 | due b2"]);
    expect(site.committed.map(({ commands }) => commands)).toEqual([3, 1]);
    expect(site.committed.every(({ durationMs }) => durationMs >= 0 && durationMs < 1_000)).toBe(
      true,
    );
    expect(site.heard).toContainEqual(["a2", 7n]);
    await site.lane.idle();
    expect(site.lane.depth).toBe(0);
  });

  test("gives those every second turn for whom something is due and nobody else's command waits", async () => {
    const site = new Site();
    let rounds = 0;
    const sent: Promise<unknown>[] = [];
    const due: Promise<string>[] = [];
    site.meanwhile = () => {
      rounds += 1;
      if (rounds <= 4) sent.push(site.send("a1"));
      if (rounds === 1) due.push(site.due("b1"), site.due("a9"));
    };
    await site.send("a1");
    await Promise.all([...sent, ...due]);
    await site.lane.idle();
    expect(site.seen.slice(0, 3)).toContain("due b1");
    expect(site.seen).toContain("a1 | due a9");
  });
});

describe("L3 a customer that another process holds", () => {
  test("is passed over three times and then waited for, alone with its own commands", async () => {
    const site = new Site();
    site.steps = [{ held: "a1" }, { held: "a1" }, { held: "a1" }];
    const answers = await site.send("a1", "a2", "a1");
    expect(answers).toEqual(["done", "done", "done"]);
    expect(site.seen).toEqual(["a1 a2 a1", "a1 a1", "a1 a1", "a1 a1 | long"]);
  });

  test("is waited for a shorter time when others wait for it", async () => {
    const site = new Site();
    site.steps = [{ held: "a1" }, { held: "a1" }, { held: "a1" }];
    const held = site.send("a1");
    let others: Promise<unknown> | undefined;
    site.meanwhile = () => {
      if (site.seen.length === 3) others = site.send("a2", "b1");
    };
    await held;
    await others;
    expect(site.seen.slice(3)).toEqual(["a1 | short", "b1", "a2"]);
  });

  test("is tried once where it is waited for, and then others go first for a while", async () => {
    const site = new Site();
    const misses = [{ held: "a1" }, { held: "a1" }, { held: "a1" }];
    site.steps = [...misses, LOCK_TIMEOUT];
    let others: Promise<unknown> | undefined;
    let later: Promise<unknown> | undefined;
    site.meanwhile = () => {
      if (site.seen.length === 4) {
        others = site.send("a2");
        later = site.send("a1");
      }
    };
    const sentAt = performance.now();
    const answers = await site.send("a1");
    expect(answers).toEqual(["done"]);
    await Promise.all([others, later]);
    expect(site.seen.slice(3, 5)).toEqual(["a1 | long", "a2"]);
    // What came later for the customer stayed behind, and goes with it now.
    expect(site.seen.slice(5)).toEqual(["a1 a1 | long"]);
    expect(performance.now() - sentAt).toBeLessThan(2_000);
  });

  test("is waited for again at once when nobody else wants anything", async () => {
    const site = new Site();
    site.steps = [{ held: "a1" }, { held: "a1" }, { held: "a1" }, LOCK_TIMEOUT];
    const sentAt = performance.now();
    expect(await site.send("a1")).toEqual(["done"]);
    expect(performance.now() - sentAt).toBeLessThan(WAITED_REST_MS);
    expect(site.seen).toHaveLength(5);
  });

  test("has its turn again before others when the rest is over", async () => {
    const site = new Site();
    site.steps = [{ held: "a1" }, { held: "a1" }, { held: "a1" }, LOCK_TIMEOUT];
    const now = performance.now.bind(performance);
    let passed = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now() + passed);
    let others: Promise<unknown> | undefined;
    site.meanwhile = () => {
      if (site.seen.length === 4) others = site.send("a2");
      if (site.seen.length === 5) {
        passed += WAITED_REST_MS;
        others = Promise.all([others, site.send("a3")]);
      }
    };
    await site.send("a1");
    await others;
    expect(site.seen.slice(3)).toEqual(["a1 | long", "a2", "a1 | short", "a3"]);
  });

  test("is given up after five seconds: its commands are refused as not written", async () => {
    const site = new Site();
    site.steps = [{ held: "a1" }, { held: "a1" }];
    const now = performance.now.bind(performance);
    let passed = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now() + passed);
    site.meanwhile = () => {
      if (site.seen.length === 2) passed += HELD_MS_MAX;
    };
    expect(await site.send("a1")).toEqual(["DATABASE_UNAVAILABLE"]);
    expect(site.seen).toHaveLength(2);
  });

  test("makes its lane pause, alone, and nobody wait who has something to do", async () => {
    const site = new Site();
    const times = 20;
    site.steps = Array.from({ length: times }, () => ({ held: "a1" }));
    const sentAt = performance.now();
    expect(await site.due("a1")).toBe("booked");
    expect(performance.now() - sentAt).toBeGreaterThan(times * 4);

    const other = new Site();
    other.steps = [{ held: "a1" }];
    let sent: Promise<readonly string[]> | undefined;
    other.meanwhile = () => {
      if (other.seen.length === 1) sent = other.send("a2", "b1");
    };
    const due = other.due("a1");
    expect(await due).toBe("booked");
    expect(await sent).toEqual(["done", "done"]);
    // What is due rests, and then takes its turn with the commands of its tenant.
    expect(other.seen[0]).toBe("due a1");
    expect(other.seen[1]).toMatch(/^a2 \| due a1$|^b1$/);
  });

  test("for whom something is due rests a while when others have commands", async () => {
    const site = new Site();
    site.steps = [{ held: "b1" }];
    const restedFrom: number[] = [];
    const sent: Promise<unknown>[] = [];
    site.meanwhile = async () => {
      restedFrom.push(performance.now());
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (restedFrom.length < 60) sent.push(site.send("a1"));
    };
    const due = site.due("b1");
    expect(await due).toBe("booked");
    await Promise.all(sent);
    const again = site.seen.indexOf("due b1", 1);
    expect(again).toBeGreaterThan(2);
    expect((restedFrom[again] ?? 0) - (restedFrom[1] ?? 0)).toBeGreaterThan(DUE_REST_MS - 10);
  });
});

describe("W2 a transaction that fails", () => {
  test("six times because of others ends with nothing written", async () => {
    const site = new Site();
    site.steps = Array.from({ length: 6 }, () => LOCK_TIMEOUT);
    const due = site.due("a2");
    expect(await site.send("a1")).toEqual(["DATABASE_UNAVAILABLE"]);
    expect(await due).toBe("DATABASE_UNAVAILABLE");
    expect(site.seen).toEqual(Array.from({ length: 6 }, () => "a1 | due a2"));
    expect(await site.send("a1")).toEqual(["done"]);
  });

  test("because the database cannot now ends with nothing written", async () => {
    const site = new Site();
    site.steps = [STANDBY];
    const due = site.due("a2");
    expect(await site.send("a1")).toEqual(["DATABASE_UNAVAILABLE"]);
    expect(await due).toBe("DATABASE_UNAVAILABLE");
    expect(site.seen).toHaveLength(1);
    expect(site.committed).toEqual([]);
  });

  test("after an unclear COMMIT ends with nobody knowing", async () => {
    const site = new Site();
    site.steps = [new UnclearCommit("lost"), STANDBY];
    expect(await site.send("a1", "a2")).toEqual(["OUTCOME_UNKNOWN", "OUTCOME_UNKNOWN"]);
    expect(site.unclear).toBe(1);
  });

  test("for a reason of its own is divided down to what causes it", async () => {
    const site = new Site();
    site.steps = [DATA, {}, DATA, DATA, {}];
    const due = [site.due("a8"), site.due("a9")];
    expect(await site.send("a1", "a2")).toEqual(["INTERNAL", "done"]);
    expect(await Promise.all(due)).toEqual(["booked", "booked"]);
    expect(site.seen).toEqual(["a1 a2 | due a8 a9", "due a8 a9", "a1 a2", "a1", "a2"]);
  });

  test("keeps a customer's commands in order whom others hold in its first half", async () => {
    const site = new Site();
    site.steps = [DATA, { held: "a1" }, DATA];
    expect(await site.send("a1", "a2", "a3", "a1")).toEqual(["done", "done", "INTERNAL", "done"]);
    expect(site.seen).toEqual(["a1 a2 a3 a1", "a1 a2", "a3", "a1 a1"]);
  });

  test("so is what is due", async () => {
    const site = new Site();
    site.steps = [DATA, DATA, {}];
    const due = await Promise.all([site.due("a7"), site.due("a8")]);
    expect(due).toEqual(["INTERNAL", "booked"]);
    expect(site.seen).toEqual(["due a7 a8", "due a7", "due a8"]);
  });
});

describe("a lane whose next batch would be large", () => {
  test("does not wait for the other one", async () => {
    const site = new Site();
    const other: Entrant = { large: false };
    await site.turnstile.enter(other);
    const names = Array.from({ length: LARGE_BATCH_COMMANDS_MIN }, () => "a1");
    const first = site.send(...names.slice(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(site.seen).toEqual([]);
    const last = site.send("a1");
    // Long before the other one would be waited for no more.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(site.seen).toEqual([names.join(" ")]);
    await Promise.all([first, last]);
    site.turnstile.leave(other);
  });
});
