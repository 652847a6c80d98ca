/**
 * Owns which web pages may call: those of the origins that the operator lists. A page sends its key
 * itself, so no cookie is ever asked for or allowed.
 */
import { cors } from "@connectrpc/connect";
import type { HttpHandler, HttpRequest, HttpResponse } from "./mux.ts";

/** Browsers ask again after so long at most, whatever they are told. */
const PREFLIGHT_AGE_S = 7_200;

const METHODS = cors.allowedMethods.join(", ");
const REQUEST_HEADERS = [...cors.allowedHeaders, "Authorization", "Traceparent", "Tracestate"];
const ALLOWED_HEADERS = REQUEST_HEADERS.join(", ");
const EXPOSED_HEADERS = cors.exposedHeaders.join(", ");

/** Answers browsers' questions, and lets pages of these origins read the answers of `handle`. */
export function allowOrigins(origins: readonly string[], handle: HttpHandler): HttpHandler {
  if (origins.length === 0) return handle;
  const allowed = new Set(origins);
  return (request, response) => {
    const { origin } = request.headers;
    // What is said to one page must not be kept for another.
    response.setHeader("vary", "Origin");
    if (origin !== undefined && allowed.has(origin)) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
      if (isPreflight(request)) {
        answerPreflight(response);
        return;
      }
    }
    handle(request, response);
  };
}

function isPreflight({ method, headers }: HttpRequest): boolean {
  return method === "OPTIONS" && headers["access-control-request-method"] !== undefined;
}

function answerPreflight(response: HttpResponse): void {
  response.statusCode = 204;
  response.setHeader("access-control-allow-methods", METHODS);
  response.setHeader("access-control-allow-headers", ALLOWED_HEADERS);
  response.setHeader("access-control-max-age", String(PREFLIGHT_AGE_S));
  response.end();
}
