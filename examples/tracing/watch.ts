/**
 * Stands in for a collector, starts a service that sends it traces, makes one grant, and prints the
 * spans of the caller's trace as a tree, down to the SQL.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const KEY = "dda_the-key-of-the-examples";
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const CALLERS_SPAN_ID = "b7ad6b7169203331";
const START_MS_MAX = 60_000;

/** Of a span, as OTLP writes it in JSON, what is printed. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

/** Takes OTLP over HTTP with JSON, as a collector does on port 4318. */
async function startCollector() {
  const spans: Span[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const { resourceSpans } = JSON.parse(body) as ExportRequest;
    for (const { scopeSpans } of resourceSpans) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    response.setHeader("content-type", "application/json").end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return { spans, endpoint: `http://127.0.0.1:${port}`, close: () => server.close() };
}

interface Service {
  readonly process: ChildProcess;
  readonly url: string;
}

function startService(dataDir: string, endpoint: string): Promise<Service> {
  const program = fileURLToPath(new URL("../../dist/src/main.js", import.meta.url));
  const switchOn = new URL("otel.mjs", import.meta.url).href;
  const service = spawn(process.execPath, ["--import", switchOn, program, "serve"], {
    env: {
      ...process.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      DRAWDOWN_DATA_DIR: dataDir,
      DRAWDOWN_HTTP_PORT: "0",
      DRAWDOWN_GRPC_PORT: "0",
      DRAWDOWN_ADMIN_KEY: KEY,
      DRAWDOWN_LOG_LEVEL: "warn",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error("the service does not start")), START_MS_MAX);
    service.once("exit", (code) => reject(new Error(`the service ended with ${code}`)));
    service.stdout.on("data", (chunk) => {
      said += chunk;
      const ready = /ready http=(\S+)/.exec(said);
      if (ready === null) return;
      clearTimeout(timer);
      resolve({ process: service, url: `http://${ready[1]}` });
    });
  });
}

async function call<Answer>(url: string, rpc: string, request: object): Promise<Answer> {
  const response = await fetch(`${url}/drawdown.v1.${rpc}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${KEY}`,
      "content-type": "application/json",
      traceparent: `00-${TRACE_ID}-${CALLERS_SPAN_ID}-01`,
    },
    body: JSON.stringify(request),
  });
  if (!response.ok) throw new Error(`${rpc}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

async function makeGrant(url: string): Promise<void> {
  const { customer } = await call<{ readonly customer: { readonly id: string } }>(
    url,
    "CustomerService/CreateCustomer",
    { requestId: "traced customer", key: "traced" },
  );
  await call(url, "CreditGrantService/CreateCreditGrant", {
    requestId: "traced grant",
    customerId: customer.id,
    currency: "USD",
    amount: "25",
    fundingMethod: "FUNDING_METHOD_PROMOTIONAL",
  });
}

function printBelow(parent: string, spans: readonly Span[], depth = 0): void {
  const below = spans
    .filter(({ traceId, parentSpanId }) => traceId === TRACE_ID && parentSpanId === parent)
    .toSorted((left, right) => Number(left.startTimeUnixNano) - Number(right.startTimeUnixNano));
  for (const { name, spanId } of below) {
    console.log(`${"  ".repeat(depth)}${name}`);
    printBelow(spanId, spans, depth + 1);
  }
}

const dataDir = mkdtempSync(join(tmpdir(), "drawdown-tracing-"));
const collector = await startCollector();
const service = await startService(dataDir, collector.endpoint);
try {
  await makeGrant(service.url);
} finally {
  // When it has drained it sends the spans that it still has.
  service.process.removeAllListeners("exit").kill("SIGTERM");
  await once(service.process, "exit");
  collector.close();
  rmSync(dataDir, { recursive: true, force: true });
}
printBelow(CALLERS_SPAN_ID, collector.spans);
