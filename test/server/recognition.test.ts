/** Owns what happens to a call while it is still being found out who makes it. */
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { authenticateByKey } from "../../src/server/authentication.ts";
import type { Credential } from "../../src/server/credential.ts";
import { notValid } from "../../src/server/credential.ts";
import {
  AUTHORIZED,
  type Clients,
  CUSTOMER_ID,
  clientsOver,
  collect,
  type Edges,
  eventually,
  failureOf,
  KEY,
  startEdges,
  TENANT_ID,
  WAYS,
} from "./edges.ts";

/** Those who are being recognized, until a test says what becomes of them. */
let recognizing: PromiseWithResolvers<Credential>[] = [];
let handled = 0;

const known = authenticateByKey(KEY, TENANT_ID);

function letIn(): void {
  const credential = known(`Bearer ${KEY}`) as Credential;
  for (const { resolve } of recognizing) resolve(credential);
}

const startSlowly = () =>
  startEdges(
    {
      async listCurrencies() {
        handled += 1;
        return {};
      },
      async *streamMovements() {
        handled += 1;
        yield { resumeCursor: "one" };
      },
    },
    undefined,
    {},
    undefined,
    [],
    () => {
      const answer = Promise.withResolvers<Credential>();
      recognizing.push(answer);
      return answer.promise;
    },
  );

let edges: Edges;
beforeAll(async () => {
  edges = await startSlowly();
});
afterAll(() => edges.server.drain(1_000));
beforeEach(() => {
  recognizing = [];
  handled = 0;
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const isAsked = (calls: number) =>
  eventually(() => recognizing.length === calls, "the caller is being recognized");
const unary = ({ currencies }: Clients, options = AUTHORIZED) =>
  currencies.listCurrencies({}, options);
const stream = ({ history }: Clients) =>
  collect(history.streamMovements({ customerId: CUSTOMER_ID }, AUTHORIZED));

describe.each(WAYS)("a caller who has to be looked up, over %s", (_name, open) => {
  let clients: Clients;
  beforeAll(() => {
    clients = clientsOver(open(edges));
  });

  test("waits, and is then answered like any other", async () => {
    const calls = [unary(clients), stream(clients)] as const;
    await isAsked(2);
    expect(handled).toBe(0);
    letIn();
    expect((await calls[1]).map(({ resumeCursor }) => resumeCursor)).toEqual(["one"]);
    await calls[0];
    expect(handled).toBe(2);
  });

  test("is refused when nobody knows him", async () => {
    const calls = [failureOf(unary(clients)), failureOf(stream(clients))];
    await isAsked(2);
    for (const { reject } of recognizing) reject(notValid());
    for (const seen of await Promise.all(calls)) {
      expect(seen).toMatchObject({ code: Code.Unauthenticated, reason: "UNAUTHENTICATED" });
    }
    expect(handled).toBe(0);
  });

  test.each([
    ["goes away", Code.Canceled, () => ({ signal: AbortSignal.timeout(60) })],
    ["has a deadline that passes", Code.DeadlineExceeded, () => ({ timeoutMs: 60 })],
  ])("and %s meanwhile reaches no handler", async (_what, code, options) => {
    const seen = await failureOf(unary(clients, { ...AUTHORIZED, ...options() }));
    expect([code, Code.DeadlineExceeded]).toContain(seen.code);
    // The service hears of it a moment later than the caller.
    await pause(250);
    letIn();
    await pause(50);
    expect(handled).toBe(0);
  });
});

test("a drain turns away whoever is still being recognized", async () => {
  const [[, open] = expect.fail(), ...others] = WAYS;
  const [, openOther] = others.at(-1) ?? expect.fail();
  const draining = await startSlowly();
  const calls = [open, openOther].flatMap((way) => {
    const clients = clientsOver(way(draining));
    return [failureOf(unary(clients)), failureOf(stream(clients))];
  });
  await isAsked(4);
  const drained = draining.server.drain(2_000);
  letIn();
  for (const seen of await Promise.all(calls)) expect(seen.reason).toBe("DRAINING");
  await drained;
  expect(handled).toBe(0);
});
