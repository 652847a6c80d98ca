/**
 * Owns the traces, by the API of OpenTelemetry alone: whoever wants them starts the service with an
 * SDK and an exporter (docs/operations.md). Without one everything here is next to nothing.
 */
import {
  type Context,
  context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

export type { Span } from "@opentelemetry/api";

const tracer = trace.getTracer("drawdown");

/** The span of a call, and the context in which its handler runs. */
export interface CallTrace {
  readonly span: Span;
  readonly context: Context;
}

/** Begins the span of a call where somebody records it; the caller's trace goes on in it. */
export function beginCall(
  name: string,
  header: (name: string) => string | undefined,
): CallTrace | undefined {
  const callers = propagation.extract(ROOT_CONTEXT, header, {
    get: (carrier, key) => carrier(key),
    keys: () => [],
  });
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, callers);
  if (!span.isRecording()) return undefined;
  return { span, context: trace.setSpan(callers, span) };
}

/** Ends the span of a call. A code is how gRPC writes it. */
export function endCall(
  { span }: CallTrace,
  { code, reason }: { readonly code: string; readonly reason: string | undefined },
): void {
  span.setAttribute("rpc.response.status_code", code);
  if (reason !== undefined) span.setAttribute("drawdown.reason", reason);
  if (code !== "OK") span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  span.end();
}

/** Runs work in the context of a call. */
export function within<Result>(call: CallTrace | undefined, work: () => Result): Result {
  return call === undefined ? work() : context.with(call.context, work);
}

/** The span in whose context this is called, to be joined by what is done for it later. */
export function activeSpan(): Span | undefined {
  return trace.getSpan(context.active());
}

/**
 * Runs a batch in a span of its own. Its parent is the first of the calls that it is for, the
 * others are linked, and each of those is linked to it.
 */
export function inBatch<Result>(
  name: string,
  calls: readonly (Span | undefined)[],
  work: () => Promise<Result>,
): Promise<Result> {
  const [first, ...others] = calls.filter((each) => each !== undefined);
  // A lane is woken by some call, whose context is not that of all that follows.
  if (first === undefined) return context.with(ROOT_CONTEXT, work);
  const parent = trace.setSpan(ROOT_CONTEXT, first);
  const links = others.map((each): Link => ({ context: each.spanContext() }));
  const attributes = { "drawdown.batch.commands": calls.length };
  const span = tracer.startSpan(name, { links, attributes }, parent);
  for (const each of others) each.addLink({ context: span.spanContext() });
  return context.with(trace.setSpan(parent, span), () => ended(span, work()));
}

/** Runs a statement in a span where its batch or call is recorded. */
export function inStatement<Result>(
  { name, text }: { readonly name: string; readonly text: string },
  work: () => Promise<Result>,
): Promise<Result> {
  const parent = activeSpan();
  if (parent === undefined || !parent.isRecording()) return work();
  const attributes = { "db.system.name": "postgresql", "db.query.text": text };
  return ended(tracer.startSpan(`SQL ${name}`, { kind: SpanKind.CLIENT, attributes }), work());
}

async function ended<Result>(span: Span, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).name });
    throw error;
  } finally {
    span.end();
  }
}
