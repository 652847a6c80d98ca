/**
 * Owns what the HTTP port answers besides RPCs: whether the process lives, whether it can serve,
 * and its metrics. None asks for a key: they tell of calls and counts, never of customers.
 */
import type { Registry } from "prom-client";
import type { HttpHandler, HttpResponse } from "./mux.ts";
import type { Readiness } from "./readiness.ts";

const TEXT = "text/plain; charset=utf-8";

export function plainHandler(readiness: Readiness, registry: Registry): HttpHandler {
  return (request, response) => {
    const path = request.url?.split("?", 1)[0];
    const isRead = request.method === "GET" || request.method === "HEAD";
    const page = isRead ? find(path, readiness, registry) : undefined;
    if (page === undefined) {
      writePlain(response, 404, "not found\n");
      return;
    }
    page().then(
      ({ status, type, body }) => write(response, status, type, body),
      () => writePlain(response, 500, "failed\n"),
    );
  };
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function find(
  path: string | undefined,
  readiness: Readiness,
  registry: Registry,
): (() => Promise<Page>) | undefined {
  switch (path) {
    case "/healthz":
      return async () => ({ status: 200, type: TEXT, body: "ok\n" });
    case "/readyz":
      return async () =>
        (await readiness.isReady())
          ? { status: 200, type: TEXT, body: "ready\n" }
          : { status: 503, type: TEXT, body: "not ready\n" };
    case "/metrics":
      return async () => ({
        status: 200,
        type: registry.contentType,
        body: await registry.metrics(),
      });
    default:
      return undefined;
  }
}

export function writePlain(response: HttpResponse, status: number, body: string): void {
  write(response, status, TEXT, body);
}

function write(response: HttpResponse, status: number, type: string, body: string): void {
  response.statusCode = status;
  response.setHeader("content-type", type);
  response.setHeader("cache-control", "no-store");
  response.end(body);
}
