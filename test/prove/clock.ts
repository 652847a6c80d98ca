/**
 * Owns the promise R11: results do not depend on a replica's clock. Three replicas over one
 * PostgreSQL, one of them right, one ahead and one behind; only the database's clock may count.
 */

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { BalanceService } from "../../gen/drawdown/v1/balance_service_pb.ts";
import { FundingMethod } from "../../gen/drawdown/v1/credit_grant_pb.ts";
import type { CreateCreditGrantResponse } from "../../gen/drawdown/v1/credit_grant_service_pb.ts";
import type { Account } from "./account.ts";
import { checkBooks, withSuperuser } from "./books.ts";
import { checkAudit, makeCustomers } from "./customers.ts";
import { Fleet } from "./fleet.ts";
import { raceOn } from "./race.ts";
import type { Run } from "./run.ts";
import { skewBy } from "./skew.ts";
import { AUTHORIZED, type Lines } from "./wire.ts";

/** By how many seconds the clocks are wrong, and how much is raced under each. */
const SIZES = {
  quick: { skews: [3_600], customers: 1, width: 8 },
  small: { skews: [3_600], customers: 10, width: 8 },
  large: { skews: [1, 60, 3_600, 86_400], customers: 50, width: 16 },
} as const;

const SIDES = [0, 1, -1] as const;
/** Within the largest skew, and long enough that the test is over by then. */
const AHEAD_MS = 600_000;
const EXPIRES_AFTER_MS = 2_000;

export async function clock(run: Run): Promise<void> {
  const { skews, customers, width } = SIZES[run.size];
  const { scratch, tally } = run;
  for (const seconds of skews) {
    if (run.isLate()) return;
    const { mark } = scratch;
    const environmentOf = (index: number) => {
      const skew = (SIDES[index] ?? 0) * seconds;
      return skew === 0 ? {} : skewBy(skew).environment;
    };
    const fleet = new Fleet(run, { size: SIDES.length, environmentOf });
    await fleet.start();
    tally.fault(`clocks ${seconds} s ahead and behind`);
    run.say(`a clock that is right, one ${seconds} s ahead and one behind, by ${skewBy(1).by}`);
    const bench = { run, fleet, seconds };
    for (const index of SIDES.keys()) await checkTimes(bench, index);
    await raceOn(fleet, run, { promise: "clock", name: `clock-${seconds}`, customers, width });
    await checkAudit("clock", fleet, tally);
    await checkBooks("clock", fleet.superuser, tally);
    await scratch.endSince(mark);
  }
}

interface Bench {
  readonly run: Run;
  readonly fleet: Fleet;
  readonly seconds: number;
}

/** Asks one replica for all that depends on the time, and compares with the database's clock. */
async function checkTimes(bench: Bench, index: number): Promise<void> {
  const { fleet, run, seconds } = bench;
  const lines = fleet.lines(index);
  if (lines === undefined) throw new Error(`replica ${index} is not running`);
  const [account] = await makeCustomers(lines, `clock-${seconds}-${index}`, 1);
  if (account === undefined) throw new Error("no customer");
  const fail = (what: string, ...history: string[]) => {
    const skew = (SIDES[index] ?? 0) * seconds;
    const told = `with a clock ${skew} s off: ${what}`;
    run.tally.fail({ promise: "clock", breach: "other", what: told, history });
  };
  const before = await readClock(fleet);
  const grant = await makeGrant(lines, account, "soon", { expiresAfter: "PT2S" });
  const after = await readClock(fleet);
  if (grant === undefined) return fail("a grant that expires in two seconds was refused");
  const { createdAt, expiresAt } = grant;
  if (!(createdAt >= before && createdAt <= after)) {
    fail("a grant is not dated by the database", `${before} ≤ ${createdAt} ≤ ${after}`);
  }
  if (Math.abs(expiresAt - createdAt - EXPIRES_AFTER_MS) > 1) {
    fail("a grant does not expire when it should", `${createdAt} to ${expiresAt}`);
  }
  await watchExpiry(bench, account, expiresAt, fail);
  const later = { expiresAt: moment(after + AHEAD_MS) };
  if ((await makeGrant(lines, account, "later", later)) === undefined) {
    fail("a moment that lies ahead was refused as past");
  }
  const past = { expiresAt: moment(after - 1) };
  if ((await makeGrant(lines, account, "past", past)) !== undefined) {
    fail("a moment that has passed was taken for one ahead");
  }
  await compareAnswers(bench, account, after, fail);
}

type Fail = (what: string, ...history: string[]) => void;

async function readClock(fleet: Fleet): Promise<number> {
  const text = "SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms";
  return await withSuperuser(fleet.superuser, async (client) => {
    return Number((await client.query(text)).rows[0].ms);
  });
}

async function makeGrant(
  lines: Lines,
  { id }: Account,
  requestId: string,
  terms: Readonly<Record<string, unknown>>,
): Promise<{ readonly createdAt: number; readonly expiresAt: number } | undefined> {
  const grant = { name: "credit", currency: "USD", amount: "7" };
  const fundingMethod = FundingMethod.PROMOTIONAL;
  const request = { requestId, customerId: id, ...grant, fundingMethod, ...terms };
  const outcome = await lines.call("createCreditGrant", request, "grpc");
  if (outcome.kind !== "acked") return undefined;
  const { creditGrant } = outcome.answer as CreateCreditGrantResponse;
  return { createdAt: toMs(creditGrant?.createdAt), expiresAt: toMs(creditGrant?.expiresAt) };
}

interface Stamp {
  readonly seconds: bigint;
  readonly nanos: number;
}

const toMs = (at: Stamp | undefined): number =>
  Number(at?.seconds) * 1_000 + Number(at?.nanos) / 1e6;

const moment = (ms: number) => timestampFromMs(Math.floor(ms));

async function askBalance(lines: Lines, customerId: string, asOfMs?: number) {
  const client = createClient(BalanceService, lines.transports.grpc);
  const asOf = asOfMs === undefined ? {} : { asOf: moment(asOfMs) };
  const request = { customerId, currency: "USD", ...asOf };
  const answer = await client.getBalance(request, { headers: AUTHORIZED });
  return { settled: answer.balances[0]?.settled ?? "", asOf: toMs(answer.asOf) };
}

/** Every replica shows the credit until the moment of its expiry, and none shows it then. */
async function watchExpiry(
  { fleet }: Bench,
  { id }: Account,
  expiresAt: number,
  fail: Fail,
): Promise<void> {
  const watch = async (index: number) => {
    const lines = fleet.lines(index);
    if (lines === undefined) return;
    for (let isOver = false; !isOver; ) {
      const { settled, asOf } = await askBalance(lines, id);
      isOver = asOf >= expiresAt;
      if ((settled === "0") === isOver) continue;
      fail(`replica ${index} shows ${settled} at ${asOf}, and expiry is at ${expiresAt}`);
      return;
    }
  };
  await Promise.all([...SIDES.keys()].map(watch));
}

/** The past and the forecast are the same whoever is asked. */
async function compareAnswers(
  { fleet }: Bench,
  { id }: Account,
  at: number,
  fail: Fail,
): Promise<void> {
  for (const asOf of [at - EXPIRES_AFTER_MS, at, at + AHEAD_MS / 2, at + AHEAD_MS]) {
    const asked = [...SIDES.keys()].flatMap((index) => fleet.lines(index) ?? []);
    const answers = await Promise.all(asked.map((lines) => askBalance(lines, id, asOf)));
    const told = answers.map((each) => JSON.stringify(each));
    if (new Set(told).size > 1) fail(`the replicas differ about ${asOf}`, ...told);
  }
}
