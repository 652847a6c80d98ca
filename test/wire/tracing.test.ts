/** A trace goes from the caller through the batch to the SQL, when somebody records it. */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AUTHORIZATION, callerOver } from "./caller.ts";
import { type Running, startService, TWO_WAYS } from "./running.ts";
import { Story } from "./story.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const CALLERS_SPAN_ID = "b7ad6b7169203331";
const TRACED = { ...AUTHORIZATION, traceparent: `00-${TRACE_ID}-${CALLERS_SPAN_ID}-01` };
const GIFT = { currency: "USD", fundingMethod: "FUNDING_METHOD_PROMOTIONAL", amount: "10" };

const exporter = new InMemorySpanExporter();

/** What an SDK brings along. */
class Contexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  active = () => this.#storage.getStore() ?? ROOT_CONTEXT;
  with: ContextManager["with"] = (active, work, self, ...words) =>
    this.#storage.run(active, () => work.call(self as never, ...words));
  bind: ContextManager["bind"] = (_active, target) => target;
  enable = () => this;
  disable = () => this;
}

let running: Running;

beforeAll(async () => {
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  context.setGlobalContextManager(new Contexts());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  running = await startService();
});
afterAll(async () => {
  await running.close();
  trace.disable();
  context.disable();
  propagation.disable();
});

/** The spans from a name up to the caller's, by name. */
function wayUp(from: ReadableSpan | undefined): readonly string[] {
  const spans = exporter.getFinishedSpans();
  const names: string[] = [];
  for (let span = from; span !== undefined; ) {
    names.push(span.name);
    const parent: string | undefined = span.parentSpanContext?.spanId;
    if (parent === CALLERS_SPAN_ID) names.push("the caller");
    span = spans.find((each) => each.spanContext().spanId === parent);
  }
  return names;
}

const named = (name: string) => exporter.getFinishedSpans().filter((each) => each.name === name);

test.each(TWO_WAYS)("a trace goes from the caller to the SQL, over %s", async (name, open) => {
  const story = await Story.begin(callerOver(open(running)), `traced ${name}`);
  const traced = new Story(callerOver(open(running), TRACED), story.customer);
  exporter.reset();
  await traced.call("CreateCreditGrant", GIFT, "gift");
  await traced.call("GetBalance", {}, "balance");
  await traced.call("ListMovements", {}, "history");

  const rpc = "drawdown.v1.CreditGrantService/CreateCreditGrant";
  for (const statement of ["SQL lock_free_heads", "SQL commit"]) {
    const [span] = named(statement);
    expect(wayUp(span)).toEqual([statement, "batch of customers", rpc, "the caller"]);
  }
  for (const [statement, of] of [
    ["SQL read", "drawdown.v1.HistoryService/ListMovements"],
    ["SQL read_balances", "drawdown.v1.BalanceService/GetBalance"],
  ] as const) {
    expect(wayUp(named(statement)[0])).toEqual([statement, of, "the caller"]);
  }
  for (const span of exporter.getFinishedSpans()) {
    expect(span.spanContext().traceId).toBe(TRACE_ID);
    expect(JSON.stringify(span.attributes)).not.toContain("dda_");
  }
});

test("commands that share a batch are linked with it, both ways", async () => {
  const [, open] = TWO_WAYS[1] ?? expect.fail();
  const story = await Story.begin(callerOver(open(running), TRACED), "linked");
  exporter.reset();
  const calls = Array.from({ length: 20 }, (_, index) =>
    story.call("CreateCreditGrant", GIFT, `gift ${index}`),
  );
  await Promise.all(calls);

  const batches = named("batch of customers");
  const linked = batches.flatMap(({ links }) => links.map(({ context: to }) => to.spanId));
  expect(batches.length).toBeLessThan(20);
  expect(linked).toHaveLength(20 - batches.length);
  const back = named("drawdown.v1.CreditGrantService/CreateCreditGrant").flatMap(
    ({ links }) => links,
  );
  expect(back).toHaveLength(20 - batches.length);
});

test("a refusal is an error in the trace, with its reason", async () => {
  const [, open] = TWO_WAYS[0] ?? expect.fail();
  exporter.reset();
  const story = await Story.begin(callerOver(open(running), TRACED), "refused");
  const charge = { currency: "USD", settlementMode: "SETTLEMENT_MODE_CREDIT_ONLY", amount: "1" };
  await story.call("CreateCharge", charge, "charge").catch(() => undefined);

  const [span] = named("drawdown.v1.ChargeService/CreateCharge");
  expect(span?.attributes).toMatchObject({
    "rpc.response.status_code": "FAILED_PRECONDITION",
    "drawdown.reason": "INSUFFICIENT_CREDITS",
  });
});
