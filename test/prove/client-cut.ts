/**
 * Owns the part of the promise R3 that concerns the link between client and service: it is cut at
 * every byte of a call, in both directions, over every protocol. Who then asks again gets the one
 * answer, and nothing is applied twice.
 */
import type { Account } from "./account.ts";
import { CUT_CASES, prepare } from "./cut-cases.ts";
import { Deliverer, describe } from "./delivery.ts";
import type { Fleet } from "./fleet.ts";
import { DIRECTIONS, type LinkCut, LinkProxy } from "./link-proxy.ts";
import type { Operation } from "./operation.ts";
import { HOWS } from "./proxy.ts";
import type { Run } from "./run.ts";
import { Lines, type Outcome, type Way } from "./wire.ts";

const PROTOCOLS = ["grpc", "connect-json", "connect-binary", "grpc-web"] as const;
/** Of the bytes of a call every so-manyth is cut at; the first one is of chance. */
const STRIDES = { quick: 200, small: 60, large: 1 } as const;

export interface Bench {
  readonly run: Run;
  readonly fleet: Fleet;
  readonly accounts: readonly Account[];
}

/** Cuts calls on every protocol. */
export async function cutClients(bench: Bench): Promise<void> {
  const { run, fleet } = bench;
  const replica = fleet.find(0);
  if (replica === undefined) throw new Error("the service is not running");
  const http = new LinkProxy(replica.http);
  const grpc = new LinkProxy(replica.grpc);
  const addresses = { http: await http.listen(), grpc: await grpc.listen() };
  run.scratch.defer(async () => {
    await Promise.all([http.close(), grpc.close()]);
  });
  const proxyOf = (way: Way) => (way === "grpc" ? grpc : http);
  let number = 0;
  const next = async () => {
    number += 1;
    return await makeCharge(bench, number);
  };
  const stride = STRIDES[run.size];
  const planned: { readonly way: Way; readonly cut: LinkCut }[] = [];
  for (const way of PROTOCOLS) {
    const proxy = proxyOf(way);
    proxy.arm(undefined);
    await callThrough(addresses, await next(), way);
    const first = run.random.fork(way).below(stride);
    planned.push(...listCuts(proxy.passed, stride, first).map((cut) => ({ way, cut })));
    const [call, answer] = DIRECTIONS.map((direction) => proxy.passed[direction]);
    run.say(`${way}: a call has ${call} bytes and its answer ${answer}`);
  }
  // In an order of chance, so that a run that has to end early has met all of it in part.
  for (const [index, { way, cut }] of run.random.fork("links").shuffle(planned).entries()) {
    if (run.isLate()) return;
    const operation = await next();
    const proxy = proxyOf(way);
    proxy.arm(cut);
    const outcome = await callThrough(addresses, operation, way);
    if (proxy.hasFallen) run.tally.fault("cut between client and service");
    proxy.arm(undefined);
    await settleAfter(bench, { operation, outcome, cut });
    if (index % 200 === 199) run.say(`${index + 1} of ${planned.length} cuts of clients' links`);
  }
}

async function makeCharge({ run, fleet, accounts }: Bench, number: number): Promise<Operation> {
  const [charge] = CUT_CASES;
  if (charge === undefined) throw new Error("there is nothing to cut");
  const random = run.random.fork(`client ${number}`);
  const account = random.pick(accounts);
  return await prepare(charge, { lines: fleet.any(), account, number, random }, "client");
}

/** Calls over connections of its own, so that bytes are counted from their beginning. */
async function callThrough(
  addresses: { readonly http: string; readonly grpc: string },
  { rpc, request }: Operation,
  way: Way,
): Promise<Outcome> {
  const lines = new Lines(addresses);
  try {
    return await lines.call(rpc, request, way);
  } finally {
    lines.close();
  }
}

function listCuts(passed: LinkProxy["passed"], stride: number, first: number): LinkCut[] {
  const cuts: LinkCut[] = [];
  for (const direction of DIRECTIONS) {
    for (const how of HOWS) {
      for (let bytes = first; bytes <= passed[direction]; bytes += stride) {
        cuts.push({ direction, bytes, how });
      }
    }
  }
  return cuts;
}

/** Asks again without a cut, and once more: there is one answer. */
async function settleAfter(
  { run, fleet }: Bench,
  {
    operation,
    outcome,
    cut,
  }: { readonly operation: Operation; readonly outcome: Outcome; readonly cut: LinkCut },
): Promise<void> {
  const { tally } = run;
  const deliverer = new Deliverer("cut", tally, fleet);
  const random = run.random.fork(`settle client ${operation.number}`);
  const acked = await deliverer.settle(operation, random);
  if (acked === undefined || outcome.kind === "refused") {
    const history = [describe(operation, outcome), JSON.stringify(cut)];
    const what = "a call that was cut was refused";
    tally.fail({ promise: "cut", breach: "other", what, history });
    return;
  }
  if (outcome.kind === "acked") deliverer.compare(acked, outcome);
  await deliverer.replay(acked, random);
}
