/**
 * Owns the promise R7: memory stays bounded, however long a history is and however badly its
 * readers behave, and no slow reader keeps a connection to the database from the others.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { BalanceService } from "../../gen/drawdown/v1/balance_service_pb.ts";
import { SettlementMode } from "../../gen/drawdown/v1/charge_pb.ts";
import { HistoryService } from "../../gen/drawdown/v1/history_service_pb.ts";
import { MovementOrder } from "../../gen/drawdown/v1/movement_pb.ts";
import type { Account } from "./account.ts";
import { checkBooks, withSuperuser } from "./books.ts";
import { leftOpen } from "./connections.ts";
import { checkAudit, giveCredit, makeCustomers } from "./customers.ts";
import { Fleet } from "./fleet.ts";
import { residentBytes } from "./postmaster.ts";
import { HABITS, type Habit, openReader, type Reader } from "./readers.ts";
import type { Replica } from "./replica.ts";
import { inParallel, type Run } from "./run.ts";
import { AUTHORIZED, WAYS } from "./wire.ts";

const SIZES = {
  quick: { rows: 10_000, readers: 12 },
  small: { rows: 100_000, readers: 50 },
  large: { rows: 1_000_000, readers: 200 },
} as const;

const BATCH = 500;
const BATCHES_AT_ONCE = 6;
const HEAP_MEBIBYTES = 384;
/** What the process may grow by, beyond what it takes at rest: for one, and for each reader. */
const GROWTH_BYTES_MAX = 400 << 20;
const GROWTH_BYTES_A_READER = 4 << 20;
const SAMPLE_MS = 50;
/** Calls of others while the readers are there, and how long one of them may take. */
const CALLS = 200;
const CALLS_AT_ONCE = 8;
const CALL_MS_MAX = 20_000;
/** A query of a read that is older holds its connection for somebody slow. */
const QUERY_SECONDS_MAX = 5;
const GONE_MS_MAX = 30_000;
/** Nobody gets so much who is refused. */
const RECEIVED_BYTES_MIN = 4_096;

export async function memory(run: Run): Promise<void> {
  const { rows, readers } = SIZES[run.size];
  const { tally } = run;
  // With a small heap: a service that grows with what it serves would end in the middle.
  const environment = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MEBIBYTES}` };
  const fleet = new Fleet(run, { size: 1, environment });
  await fleet.start();
  const [account] = await makeCustomers(fleet.any(), "memory", 1);
  if (account === undefined) throw new Error("no customer");
  await writeHistory(fleet, run, account, rows);
  // A fresh process: what it grows by is what reading takes.
  await fleet.find(0)?.end("SIGTERM");
  const replica = await fleet.startOne(0);
  await readAll(fleet, { account, rows: Math.min(rows, 5_000), way: "grpc", run });
  const rest = residentBytes(replica.pid);
  const gauge = new Gauge(replica);
  for (const way of WAYS.filter((each) => each !== "batch")) {
    await readAll(fleet, { account, rows, way, run });
    run.say(`${rows} rows over ${way}, ${gauge.mebibytes(rest)}`);
  }
  for (const habit of HABITS)
    await meet(habit, { fleet, account, gauge, replica, rest, run, readers });
  gauge.stop();
  const growth = gauge.peak - rest;
  tally.figures.set(
    "memory at rest and at most beyond",
    `${mebibytes(rest)}, ${mebibytes(growth)}`,
  );
  const growthMax = GROWTH_BYTES_MAX + readers * GROWTH_BYTES_A_READER;
  if (growth > growthMax) {
    const what = `the service grew by ${mebibytes(growth)}, more than ${mebibytes(growthMax)}`;
    tally.fail({ promise: "memory", breach: "other", what, history: [] });
  }
  await checkAudit("memory", fleet, tally);
  await checkBooks("memory", fleet.superuser, tally);
}

/** Watches how much memory a process has in use. */
class Gauge {
  peak = 0;
  readonly #timer: NodeJS.Timeout;

  constructor({ pid }: Replica) {
    this.#timer = setInterval(() => {
      this.peak = Math.max(this.peak, residentBytes(pid));
    }, SAMPLE_MS);
  }

  mebibytes(rest: number): string {
    return `at most ${mebibytes(this.peak - rest)} beyond ${mebibytes(rest)}`;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

/** Gives one customer a history of so many movements. */
async function writeHistory(fleet: Fleet, run: Run, account: Account, rows: number): Promise<void> {
  const lines = fleet.any();
  await giveCredit(lines, [account], rows);
  const { id } = account;
  const usd = { customerId: id, currency: "USD", amount: "1" };
  const charge = { ...usd, settlementMode: SettlementMode.CREDIT_ONLY };
  await inParallel(Math.ceil((rows - 1) / BATCH), BATCHES_AT_ONCE, async (batch) => {
    const count = Math.min(BATCH, rows - 1 - batch * BATCH);
    const requests = Array.from({ length: count }, (_, index) => ({
      ...charge,
      requestId: `row ${batch * BATCH + index}`,
    }));
    const outcomes = await lines.callBundle(requests);
    const failed = outcomes.find(({ kind }) => kind !== "acked");
    if (failed !== undefined) throw new Error(`no history: ${JSON.stringify(failed)}`);
    run.tally.operations += count;
    run.tally.acks += count;
    if (batch % 100 === 99) run.say(`${(batch + 1) * BATCH} of ${rows} rows written`);
  });
}

/** Reads a history as fast as it comes, and counts that none is missing and none comes twice. */
async function readAll(
  fleet: Fleet,
  {
    account,
    rows,
    way,
    run,
  }: {
    readonly account: Account;
    readonly rows: number;
    readonly way: "grpc" | "connect-json" | "connect-binary" | "grpc-web";
    readonly run: Run;
  },
): Promise<void> {
  const client = createClient(HistoryService, fleet.any().transports[way]);
  const request = { customerId: account.id, order: MovementOrder.OLDEST_FIRST, pageSize: 1_000 };
  let next = 1n;
  for await (const { movements } of client.streamMovements(request, { headers: AUTHORIZED })) {
    for (const { sequence } of movements) {
      if (sequence !== next) {
        const what = `a history over ${way} has ${sequence} where ${next} should stand`;
        run.tally.fail({ promise: "memory", breach: "other", what, history: [] });
        return;
      }
      next += 1n;
    }
    if (next > rows) break;
  }
  if (next <= rows) {
    const what = `a history over ${way} ended after ${next - 1n} of ${rows} movements`;
    run.tally.fail({ promise: "memory", breach: "other", what, history: [] });
  }
}

interface Scene {
  readonly fleet: Fleet;
  readonly account: Account;
  readonly gauge: Gauge;
  readonly replica: Replica;
  readonly rest: number;
  readonly run: Run;
  readonly readers: number;
}

/** Lets many readers of a kind come, serves others meanwhile, and waits until all is given back. */
async function meet(habit: Habit, scene: Scene): Promise<void> {
  const { fleet, account, gauge, replica, rest, run, readers } = scene;
  const fail = (what: string) =>
    run.tally.fail({ promise: "memory", breach: "other", what, history: [] });
  const open: Reader[] = Array.from({ length: readers }, (_, number) =>
    openReader(replica, account.id, { habit, number }),
  );
  await Promise.all(open.map(({ begun }) => begun));
  run.tally.fault(`readers who ${habit}`);
  const slowestMs = await serveOthers(fleet, account, fail);
  const held = await countHeld(fleet);
  if (held > 0) fail(`${held} connections to the database are held by readers who ${habit}`);
  const unserved = open.filter((each) => each.received() < RECEIVED_BYTES_MIN).length;
  if (habit !== "vanish" && unserved > 0) fail(`${unserved} readers who ${habit} got no history`);
  for (const each of open) each.close();
  const listening = [replica.http, replica.grpc].map((each) => Number(each.split(":").at(-1)));
  const theirs = new Set(open.flatMap((each) => each.port() ?? []));
  const giveUpAt_ms = performance.now() + GONE_MS_MAX;
  while (leftOpen(listening, theirs).length > 0 && performance.now() < giveUpAt_ms)
    await sleep(SAMPLE_MS);
  const left = leftOpen(listening, theirs);
  if (left.length > 0) {
    fail(`connections of readers who ${habit} are still open: ${left.join("; ")}`);
  }
  run.say(
    `${readers} readers who ${habit}: ${gauge.mebibytes(rest)}, ` +
      `others waited ${Math.round(slowestMs)} ms at most`,
  );
}

/** Calls as others do; answers how long the slowest took. */
async function serveOthers(
  fleet: Fleet,
  { id }: Account,
  fail: (what: string) => void,
): Promise<number> {
  let slowestMs = 0;
  const { transports } = fleet.any();
  const options = { headers: AUTHORIZED };
  await inParallel(CALLS, CALLS_AT_ONCE, async (number) => {
    const startedAt_ms = performance.now();
    const transport = number % 2 === 0 ? transports.grpc : transports["connect-json"];
    const ask = async (isBalance: boolean) =>
      isBalance
        ? createClient(BalanceService, transport).getBalance({ customerId: id }, options)
        : createClient(HistoryService, transport).listMovements({ customerId: id }, options);
    // A connection that had been idle may end just then: who reads asks once more.
    await ask(number % 4 < 2)
      .catch(() => ask(number % 4 < 2))
      .catch((error: unknown) => fail(`a call of others failed twice: ${error}`));
    slowestMs = Math.max(slowestMs, performance.now() - startedAt_ms);
  });
  if (slowestMs > CALL_MS_MAX) fail(`a call of others took ${Math.round(slowestMs)} ms`);
  return slowestMs;
}

/** Sessions of the service that have not come to an end with what they do for a while. */
async function countHeld(fleet: Fleet): Promise<number> {
  return await withSuperuser(fleet.superuser, async (client) => {
    const { rows } = await client.query(
      `SELECT count(*) AS held FROM pg_stat_activity
        WHERE application_name LIKE 'drawdown %' AND state <> 'idle'
          AND clock_timestamp() - coalesce(xact_start, state_change) > $1 * interval '1 s'`,
      [QUERY_SECONDS_MAX],
    );
    return Number(rows[0].held);
  });
}
