/**
 * R6: mutants of sound requests, over every protocol: none is INTERNAL, none hangs, and nothing of
 * them stays in memory. They are 5,000, and 20,000 in CI; DRAWDOWN_TEST_MUTANTS asks for
 * another number, DRAWDOWN_TEST_SEED for the same again.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type DescMethod, fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { METHODS } from "../contract/descriptors.ts";
import { AUTHORIZATION, callerOver } from "../wire/caller.ts";
import { type Running, startService, TWO_WAYS } from "../wire/running.ts";
import { Story } from "../wire/story.ts";
import {
  type Draw,
  drawFrom,
  pick,
  spoilBytes,
  spoilFrame,
  spoilHeaders,
  spoilQuery,
  spoilText,
} from "./mutate.ts";
import { type Ended, PROTOCOLS, type RawCall, RawCaller, typeOf } from "./raw-caller.ts";
import { SETTING, SOUND } from "./sound-requests.ts";

const { CI, DRAWDOWN_TEST_SEED = Math.random() * 2 ** 31 } = process.env;
const { DRAWDOWN_TEST_MUTANTS = CI ? 20_000 : 5_000 } = process.env;
const MUTANTS = Number(DRAWDOWN_TEST_MUTANTS);
const SEED = Math.floor(Number(DRAWDOWN_TEST_SEED));
const AT_ONCE = 64;
const MUTANT_MS_MAX = 30;
/** No client for HTTP/2 sends more than 64 KiB of headers, of which the path is one. */
const QUERY_BYTES_MAX = 40_000;
const NOTHING = Buffer.alloc(0);
const GROWTH_BYTES_MAX = 32 * 1024 * 1024;

/** What no caller may provoke. Others are fair answers to nonsense. */
const NEVER = ["INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE", "HUNG", "HTTP 0", "HTTP 500"];
/** A slow machine may run out of connections to the database for a while, and say so. */
const isForWantOfTime = ({ reason }: Ended) => reason === "DATABASE_UNAVAILABLE";

let running: Running;
let story: Story;

beforeAll(async () => {
  running = await startService();
  const [, open] = TWO_WAYS[1] ?? expect.fail();
  story = await Story.begin(callerOver(open(running)), "fuzzed");
  await story.tell(SETTING);
});
afterAll(() => running.close());

function makeMutant(draw: Draw): RawCall {
  const method = pick<DescMethod>(draw, METHODS);
  // Half of them go to the gRPC port, where a call costs the least.
  const protocol = draw(2) === 0 ? "grpc" : pick(draw, PROTOCOLS);
  const isStream = method.methodKind !== "unary";
  // The gRPC port speaks protobuf only.
  const encoding = protocol === "grpc" || draw(2) === 0 ? "proto" : "json";
  const sound = story.requestOf(method.name, SOUND[method.name] ?? {}, `mutant ${draw(1_000)}`);
  const message =
    encoding === "json"
      ? spoilText(sound, draw)
      : spoilBytes(Buffer.from(toBinary(method.input, fromJson(method.input, sound))), draw);
  const path = `/${method.parent.typeName}/${method.name}`;
  const isOver1 = (protocol === "connect" || protocol === "grpc-web") && draw(2) === 0;
  const call = { protocol, version: isOver1 ? 1 : 2, isStream } as const;
  // Every method is asked for by GET, also those that may not be.
  const mayBeGet = protocol === "connect" && !isStream && message.length <= QUERY_BYTES_MAX;
  if (mayBeGet && draw(3) === 0) {
    const query = spoilQuery(message, encoding, draw);
    const headers = spoilHeaders(AUTHORIZATION, draw);
    return { ...call, verb: "GET", path: `${path}?${query}`, headers, body: NOTHING };
  }
  const isFramed = protocol !== "connect" || isStream;
  const type = typeOf(protocol, encoding, isStream);
  return {
    ...call,
    verb: "POST",
    path,
    headers: spoilHeaders({ ...AUTHORIZATION, "content-type": type }, draw),
    body: isFramed ? spoilFrame(message, draw) : message,
  };
}

/** Sends mutants `from` up to `until`, so many at once; each is made from its own seed. */
async function sendAll(
  caller: RawCaller,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<readonly (readonly [number, Ended])[]> {
  const ended: (readonly [number, Ended])[] = [];
  let next = from;
  const sendOn = async () => {
    while (next < until) {
      const number = next++;
      ended.push([number, await caller.send(makeMutant(drawFrom(SEED + number)))]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendOn));
  return ended;
}

/** What is in use after everything that nobody needs has been thrown away. */
async function bytesInUse(): Promise<number> {
  setFlagsFromString("--expose_gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("R6 mutants of sound requests", () => {
  test("there is a sound request for every RPC", () => {
    expect(Object.keys(SOUND).sort()).toEqual(METHODS.map(({ name }) => name).sort());
    for (const { name, input } of METHODS) {
      fromJson(input, story.requestOf(name, SOUND[name] ?? {}, "sound"));
    }
  });

  test(
    `${MUTANTS} of seed ${SEED}: none is INTERNAL, none hangs, memory returns`,
    async () => {
      const caller = new RawCaller(running);
      const warmUp = Math.ceil(MUTANTS / 5);
      const first = await sendAll(caller, { from: 0, until: warmUp });
      const before = await bytesInUse();
      const rest = await sendAll(caller, { from: warmUp, until: MUTANTS });
      const growth = (await bytesInUse()) - before;
      caller.close();

      const all = [...first, ...rest];
      const bad = all.filter(([, ended]) => NEVER.includes(ended.code) && !isForWantOfTime(ended));
      const shown = bad.slice(0, 10).map(([number, ended]) => {
        const { body, ...call } = makeMutant(drawFrom(SEED + number));
        const start = body.subarray(0, 200).toString("latin1");
        return { number, ...ended, ...call, path: call.path.slice(0, 300), start };
      });
      expect(shown).toEqual([]);
      expect(all.filter(([, ended]) => isForWantOfTime(ended)).length).toBeLessThan(MUTANTS / 50);
      expect(growth).toBeLessThan(GROWTH_BYTES_MAX);
      // Nonsense is told apart from what only looks like it: both ends are met.
      const counted = (code: string) => all.filter(([, ended]) => ended.code === code).length;
      expect(counted("INVALID_ARGUMENT")).toBeGreaterThan(MUTANTS / 4);
      expect(counted("OK")).toBeGreaterThan(MUTANTS / 100);
      for (const [, { code, reason, fields }] of all) {
        if (code !== "INVALID_ARGUMENT") continue;
        expect(reason, "an INVALID_ARGUMENT has a reason").toBeDefined();
        expect(fields.length, "and names a field").toBeGreaterThan(0);
      }
    },
    60_000 + MUTANTS * MUTANT_MS_MAX,
  );

  test("left nothing in flight, and the books add up", async () => {
    const [, open] = TWO_WAYS[1] ?? expect.fail();
    const events: JsonObject[] = [];
    for await (const event of callerOver(open(running)).stream("Audit", {})) events.push(event);

    expect(events.at(-1)).toMatchObject({
      summary: expect.not.objectContaining({ findings: "0" }),
    });
    expect(events).toHaveLength(1);
    const metrics = await (await fetch(`${running.http}/metrics`)).text();
    expect(metrics).toContain("drawdown_rpcs_in_flight 0");
  });
});
