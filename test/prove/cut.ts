/**
 * Owns the promise R3: an unclear commit is never guessed. The link between the service and
 * PostgreSQL is cut at every byte of a COMMIT and of its answer, by reset and by close. Whatever
 * the server had done by then, the caller is told what is so, and nothing is applied twice.
 */
import { startEmbeddedPostgres } from "../../src/database/embedded.ts";
import { checkBooks } from "./books.ts";
import { cutClients } from "./client-cut.ts";
import { checkAudit, giveCredit, makeCustomers } from "./customers.ts";
import { CUT_CASES, type CutCase, prepare } from "./cut-cases.ts";
import { type Acked, Deliverer, describe } from "./delivery.ts";
import { Fleet } from "./fleet.ts";
import type { Operation } from "./operation.ts";
import { ANSWER_BYTES, COMMIT_BYTES, type Cut, CutProxy, type Fallen, HOWS } from "./proxy.ts";
import type { Random } from "./random.ts";
import type { Run } from "./run.ts";
import type { Outcome } from "./wire.ts";

/** How many RPCs are cut at every byte, and how many cuts fall anywhere in a transaction. */
const SIZES = {
  quick: { cases: 1, anywhere: 0, unreachable: false },
  small: { cases: 1, anywhere: 100, unreachable: true },
  large: { cases: CUT_CASES.length, anywhere: 500, unreachable: true },
} as const;

const CUSTOMERS = 4;
const CREDIT = 1_000;
/** So many are made however little time there is: fewer might meet no committed transaction. */
const CUTS_MIN = 12;
const TRANSACTION_BYTES = 9_000;

export async function cut(run: Run): Promise<void> {
  const { cases, anywhere, unreachable } = SIZES[run.size];
  const { tally, random } = run;
  const { fleet, proxy, superuser } = await startBehindProxy(run);
  const accounts = await makeCustomers(fleet.any(), "cut", CUSTOMERS);
  const deliverer = new Deliverer("cut", tally, fleet);
  const bench: Bench = { run, proxy, deliverer };
  let number = 0;
  // Credit to draw from, so that what is cut moves the journal.
  await giveCredit(fleet.any(), accounts, CREDIT);
  const next = async (cutCase: CutCase, own: Random): Promise<Operation> => {
    number += 1;
    const account = own.pick(accounts);
    return await prepare(cutCase, { lines: fleet.any(), account, number, random: own }, "cut");
  };

  // All come in an order of chance: a run that has to end early leaves out others each time.
  const chosen =
    cases < CUT_CASES.length ? CUT_CASES.slice(0, cases) : random.fork("cases").shuffle(CUT_CASES);
  for (const cutCase of chosen) {
    const cuts = random.fork(cutCase.rpc).shuffle(everyByte());
    for (const [index, each] of cuts.entries()) {
      if (index >= CUTS_MIN && run.isLate()) break;
      const own = random.fork(`${cutCase.rpc} ${index}`);
      await cutOne(bench, await next(cutCase, own), each);
    }
    run.say(`${cutCase.rpc}: ${tally.cuts} cuts, ${tally.committedButErrored} had committed`);
  }
  for (let index = 0; index < anywhere && !run.isLate(); index += 1) {
    const own = random.fork(`anywhere ${index}`);
    const how = own.pick(HOWS);
    const each: Cut = { at: "anywhere", bytes: own.below(TRANSACTION_BYTES), how };
    await cutOne(bench, await next(own.pick(CUT_CASES), own), each);
    if (index % 50 === 49) run.say(`${index + 1} of ${anywhere} cuts anywhere in a transaction`);
  }
  const [charge] = CUT_CASES;
  if (unreachable && charge !== undefined) {
    await neverReachable(bench, await next(charge, random.fork("unreachable")));
  }
  if (run.size !== "quick") await cutClients({ run, fleet, accounts });
  if (tally.committedButErrored === 0) {
    tally.notShown.push("cut: no cut fell on a committed transaction, so nothing was shown");
  }
  await checkAudit("cut", fleet, tally);
  await checkBooks("cut", superuser, tally);
}

/** A PostgreSQL of the run's own, the proxy before it, and a service that knows only the proxy. */
async function startBehindProxy(run: Run) {
  const { scratch } = run;
  const dataDir = scratch.makeDir("server");
  const server = await startEmbeddedPostgres({ dataDir });
  scratch.defer(() => server.stop());
  const direct = new URL(server.appUrl);
  const proxy = new CutProxy({ host: direct.hostname, port: Number(direct.port) });
  const through = new URL(server.appUrl);
  through.port = String(await proxy.listen());
  scratch.defer(() => proxy.close());
  const environment = {
    DRAWDOWN_DATABASE_URL: through.href,
    DRAWDOWN_OWNER_DATABASE_URL: server.ownerUrl,
  };
  const fleet = new Fleet(run, { size: 1, environment });
  await fleet.start();
  return { fleet, proxy, superuser: () => server.superuserUrl };
}

function everyByte(): readonly Cut[] {
  const cuts: Cut[] = [];
  for (const how of HOWS) {
    for (let bytes = 0; bytes < COMMIT_BYTES; bytes += 1) cuts.push({ at: "commit", bytes, how });
    for (let bytes = 0; bytes <= ANSWER_BYTES; bytes += 1) cuts.push({ at: "answer", bytes, how });
  }
  return cuts;
}

interface Bench {
  readonly run: Run;
  readonly proxy: CutProxy;
  readonly deliverer: Deliverer;
}

/** Delivers one operation into a cut, then until it is clear, then once more. */
async function cutOne(
  { run: { tally, random }, proxy, deliverer }: Bench,
  operation: Operation,
  each: Cut,
): Promise<void> {
  const own = random.fork(`cut ${operation.number}`);
  proxy.arm(each);
  const outcome = await deliverer.once(operation, own);
  const fallen = proxy.disarm();
  if (fallen !== undefined) {
    tally.cuts += 1;
    tally.fault(`cut by ${each.how}`);
    if (isUnclear(fallen)) tally.committedButErrored += 1;
    checkHonest(operation, outcome, fallen, tally);
  }
  const acked = await deliverer.settle(operation, own);
  if (acked === undefined) {
    const history = [describe(operation, outcome), `cut: ${JSON.stringify(fallen)}`];
    tally.fail({ promise: "cut", breach: "other", what: "it was refused in the end", history });
    return;
  }
  if (outcome?.kind === "acked") deliverer.compare(acked, outcome);
  await deliverer.replay(acked, own);
}

/** The server had committed, and the service had not got the whole of the answer. */
const isUnclear = ({ committed, cut: { at, bytes } }: Fallen) =>
  committed && (at === "anywhere" || bytes < ANSWER_BYTES);

/** Who was told that nothing was written must not find it written. */
function checkHonest(
  operation: Operation,
  outcome: Outcome | undefined,
  fallen: Fallen,
  tally: Run["tally"],
): void {
  if (!fallen.committed || outcome?.kind === "acked" || outcome?.kind === "unclear") return;
  tally.fail({
    promise: "cut",
    breach: "other",
    what: "a committed write was answered as if nothing had been written",
    history: [describe(operation, outcome), JSON.stringify(fallen)],
  });
}

/** When no COMMIT is ever answered, the caller hears that the outcome is unknown, in time. */
async function neverReachable(
  { run, proxy, deliverer }: Bench,
  operation: Operation,
): Promise<void> {
  const { tally, random } = run;
  run.say("no COMMIT is answered until the service gives up");
  proxy.arm({ at: "answer", bytes: 0, how: "reset" }, true);
  const outcome = await deliverer.once(operation, random.fork("never"));
  proxy.disarm();
  if (outcome?.kind !== "unclear" || outcome.why !== "OUTCOME_UNKNOWN") {
    const history = [describe(operation, outcome)];
    const what = "an outcome that cannot be found out was not answered OUTCOME_UNKNOWN";
    tally.fail({ promise: "cut", breach: "other", what, history });
  }
  const acked: Acked | undefined = await deliverer.settle(operation, random.fork("after all"));
  if (acked !== undefined) await deliverer.replay(acked, random.fork("again"));
}
