/**
 * R6: messages that break a rule, made from the rules, over every protocol: each is
 * INVALID_ARGUMENT and names the field. DRAWDOWN_TEST_INVALID asks for more than 5,000.
 */
import { type DescMethod, fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { METHODS } from "../contract/descriptors.ts";
import { AUTHORIZATION, callerOver } from "../wire/caller.ts";
import { type Running, startService, TWO_WAYS } from "../wire/running.ts";
import { Story } from "../wire/story.ts";
import { type Breach, breachesOf, breakRule } from "./broken-rules.ts";
import { PROTOCOLS, type RawCall, RawCaller, typeOf } from "./raw-caller.ts";
import { SETTING, SOUND } from "./sound-requests.ts";

const { DRAWDOWN_TEST_INVALID = 5_000 } = process.env;
const MESSAGES = Number(DRAWDOWN_TEST_INVALID);
const AT_ONCE = 32;
const MESSAGE_MS_MAX = 30;
/** How much of a long path, with a key of the caller's in it, an error shows. */
const FIELD_CHARACTERS = 80;

const BREACHES = METHODS.flatMap((method) =>
  breachesOf(method.input).map((breach) => ({ method, breach })),
);

/** Each protocol with each encoding that it has. */
const WAYS = PROTOCOLS.flatMap((protocol) =>
  (protocol === "grpc" ? (["proto"] as const) : (["proto", "json"] as const)).map(
    (encoding) => ({ protocol, encoding }) as const,
  ),
);

let running: Running;
let story: Story;

beforeAll(async () => {
  running = await startService();
  const [, open] = TWO_WAYS[1] ?? expect.fail();
  story = await Story.begin(callerOver(open(running)), "broken");
  await story.tell(SETTING);
});
afterAll(() => running.close());

function callOf(method: DescMethod, breach: Breach, way: (typeof WAYS)[number]): RawCall {
  const { protocol, encoding } = way;
  const isStream = method.methodKind !== "unary";
  const sound = story.requestOf(method.name, SOUND[method.name] ?? {}, "broken") as JsonObject;
  const request = breakRule(method.input, sound, breach);
  const bytes =
    encoding === "json"
      ? Buffer.from(JSON.stringify(request))
      : Buffer.from(toBinary(method.input, fromJson(method.input, request)));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  const isFramed = protocol !== "connect" || isStream;
  return {
    protocol,
    version: 2,
    verb: "POST",
    path: `/${method.parent.typeName}/${method.name}`,
    isStream,
    headers: { ...AUTHORIZATION, "content-type": typeOf(protocol, encoding, isStream) },
    body: isFramed ? Buffer.concat([head, bytes]) : bytes,
  };
}

describe("R6 messages that break a rule", () => {
  test("there is one for every RPC that has a rule, and many in all", () => {
    const without = METHODS.filter((each) => !BREACHES.some(({ method }) => method === each));

    expect(without.map(({ name }) => name)).toEqual(["ListCurrencies"]);
    expect(BREACHES.length).toBeGreaterThan(500);
  });

  test(
    `${MESSAGES}: each is INVALID_ARGUMENT and names the field`,
    async () => {
      const caller = new RawCaller(running);
      const wrong: unknown[] = [];
      let next = 0;
      const sendOn = async () => {
        while (next < MESSAGES) {
          const number = next++;
          const { method, breach } = BREACHES[number % BREACHES.length] ?? expect.fail();
          const way = WAYS[(number + Math.floor(number / BREACHES.length)) % WAYS.length];
          const ended = await caller.send(callOf(method, breach, way ?? expect.fail()));
          const blamed = breach.blamed.slice(0, FIELD_CHARACTERS);
          const isBlamed = ended.fields.some((field) => field.startsWith(blamed));
          if (ended.reason === "INVALID_REQUEST" && isBlamed) continue;
          wrong.push({ rpc: method.name, ...way, ...breach, ended });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, sendOn));
      caller.close();

      expect(wrong.slice(0, 10)).toEqual([]);
    },
    60_000 + MESSAGES * MESSAGE_MS_MAX,
  );
});
