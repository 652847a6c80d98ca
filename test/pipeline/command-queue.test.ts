import { describe, expect, test } from "vitest";
import { Refusal } from "../../src/errors.ts";
import type { TenantId } from "../../src/ledger/ids.ts";
import {
  BATCH_COMMANDS_MAX,
  CommandQueue,
  LANE_BYTES_MAX,
  LANE_COMMANDS_MAX,
} from "../../src/pipeline/command-queue.ts";
import type { RegistryJob } from "../../src/pipeline/registry-batch.ts";
import { registryWrite } from "./registry-writes.ts";

interface Named extends RegistryJob {
  readonly name: string;
}

/** A command of a tenant; what it is rejected with is kept under its name. */
function makeJob(
  name: string,
  over: { readonly sizeBytes?: number; readonly signal?: AbortSignal } = {},
  rejected: Record<string, unknown> = {},
): Named {
  const tenantId = name.slice(0, 1) as TenantId;
  const write = { ...registryWrite([], () => "", { tenantId }), ...over };
  const reject = (error: unknown) => {
    rejected[name] = error instanceof Refusal ? error.reason : error;
  };
  return {
    name,
    write: write as unknown as RegistryJob["write"],
    resolve: () => undefined,
    reject,
    unclear: false,
  };
}

/** Words such as `a1`: the tenant and the command. */
function queueOf(words: string, mayJoin: (first: Named, job: Named) => boolean = () => true) {
  const queue = new CommandQueue<Named>(mayJoin);
  for (const word of words.split(" ")) queue.add(makeJob(word));
  return queue;
}

const namesOf = (jobs: readonly Named[]) => jobs.map(({ name }) => name).join(" ");

function takeAll(queue: CommandQueue<Named>): readonly string[] {
  const turns: string[] = [];
  for (;;) {
    const turn = queue.takeTurn();
    if (turn === null) return turns;
    turns.push(namesOf(turn.jobs));
  }
}

describe("the queue of a lane", () => {
  test("a batch is of one tenant, in order of arrival, and tenants take turns", () => {
    expect(takeAll(queueOf("a1 b1 a2 c1 b2"))).toEqual(["a1 a2", "b1 b2", "c1"]);
  });

  test("who has more than a batch waits for the others", () => {
    const many = Array.from({ length: BATCH_COMMANDS_MAX + 1 }, (_, index) => `a${index}`);
    const turns = takeAll(queueOf([...many, "b1"].join(" ")));
    expect(turns).toEqual([
      many.slice(0, BATCH_COMMANDS_MAX).join(" "),
      "b1",
      `a${BATCH_COMMANDS_MAX}`,
    ]);
  });

  test("what is put back comes first again, in its order", () => {
    const queue = queueOf("a1 a2 a3");
    const turn = queue.takeTurn();
    queue.add(makeJob("a4"));
    queue.putBack(turn?.jobs.slice(1) ?? []);
    expect(queue.depth).toBe(3);
    expect(takeAll(queue)).toEqual(["a2 a3 a4"]);
    expect(queue.depth).toBe(0);
  });

  test("who may not join the first keeps its place", () => {
    const sameEnd = (first: Named, job: Named) => first.name.at(-1) === job.name.at(-1);
    expect(takeAll(queueOf("a1 a2 a31 a42", sameEnd))).toEqual(["a1 a31", "a2 a42"]);
  });

  test("a command for which nobody waits is dropped, and its turn goes on", () => {
    const rejected: Record<string, unknown> = {};
    const queue = new CommandQueue<Named>(() => true);
    queue.add(makeJob("a1", { signal: AbortSignal.abort("gone") }, rejected));
    queue.add(makeJob("b1"));
    expect(takeAll(queue)).toEqual(["b1"]);
    expect(rejected).toEqual({ a1: "gone" });
    expect(queue.depth).toBe(0);
  });

  test("a command for which nobody waits keeps nobody else out of the batch", () => {
    const queue = new CommandQueue<Named>(() => false);
    queue.add(makeJob("a1", { signal: AbortSignal.abort("gone") }, {}));
    queue.add(makeJob("a2"));
    expect(queue.takeTurn()?.jobs.map(({ name }) => name)).toEqual(["a2"]);
  });

  test("too many commands are refused until some are taken", () => {
    const rejected: Record<string, unknown> = {};
    const queue = new CommandQueue<Named>(() => true);
    for (let count = 0; count < LANE_COMMANDS_MAX; count += 1) queue.add(makeJob("a1"));
    queue.add(makeJob("b1", {}, rejected));
    expect(rejected).toEqual({ b1: "OVERLOADED" });
    expect(queue.depth).toBe(LANE_COMMANDS_MAX);
    queue.takeTurn();
    queue.add(makeJob("b2", {}, rejected));
    expect(rejected).toEqual({ b1: "OVERLOADED" });
  });

  test("too many bytes are refused until some are taken", () => {
    const rejected: Record<string, unknown> = {};
    const queue = new CommandQueue<Named>(() => true);
    queue.add(makeJob("a1", { sizeBytes: LANE_BYTES_MAX - 1 }));
    queue.add(makeJob("a2", { sizeBytes: 1 }, rejected));
    queue.add(makeJob("a3", { sizeBytes: 1 }, rejected));
    expect(rejected).toEqual({ a3: "OVERLOADED" });
    expect(takeAll(queue)).toEqual(["a1 a2"]);
    queue.add(makeJob("a4", { sizeBytes: LANE_BYTES_MAX }, rejected));
    expect(queue.depth).toBe(1);
  });
});

test("a tenant has such commands or not", () => {
  const queue = queueOf("a1 a2 b1");
  const named = (name: string) => (job: Named) => job.name === name;
  expect(queue.has("a" as TenantId, named("a2"))).toBe(true);
  expect(queue.has("b" as TenantId, named("a2"))).toBe(false);
  expect(queue.has("c" as TenantId, () => true)).toBe(false);
});
