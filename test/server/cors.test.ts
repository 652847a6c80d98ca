import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Edges, KEY, startEdges } from "./edges.ts";

const LISTED = "https://portal.example.com";
const PATH = "/drawdown.v1.CurrencyService/ListCurrencies";

let edges: Edges;
let handled = 0;

beforeAll(async () => {
  const listCurrencies = async () => {
    handled += 1;
    return {};
  };
  edges = await startEdges({ listCurrencies }, async () => true, {}, undefined, [LISTED]);
});
afterAll(() => edges.server.drain(500));

function preflight(origin: string, headers: string): Promise<Response> {
  return fetch(edges.http + PATH, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": headers,
    },
  });
}

function call(origin: string, key: string): Promise<Response> {
  const headers = { origin, "content-type": "application/json", authorization: `Bearer ${key}` };
  return fetch(edges.http + PATH, { method: "POST", headers, body: "{}" });
}

const allowOf = ({ headers }: Response) => headers.get("access-control-allow-origin");

describe("web pages", () => {
  test("of a listed origin may send what the protocols and a key need", async () => {
    const wanted =
      "authorization,connect-protocol-version,connect-timeout-ms,x-grpc-web,traceparent";
    const answer = await preflight(LISTED, wanted);
    const allowed = answer.headers.get("access-control-allow-headers")?.toLowerCase() ?? "";

    expect([answer.status, allowOf(answer)]).toEqual([204, LISTED]);
    expect(allowed.split(", ")).toEqual(expect.arrayContaining(wanted.split(",")));
    expect(answer.headers.get("access-control-allow-methods")).toContain("POST");
    expect(answer.headers.get("vary")).toBe("Origin");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });

  test("of a listed origin may read answers and refusals", async () => {
    for (const [key, status] of [
      [KEY, 200],
      ["dda_wrong", 401],
    ] as const) {
      const answer = await call(LISTED, key);
      expect([answer.status, allowOf(answer)]).toEqual([status, LISTED]);
      expect(answer.headers.get("access-control-expose-headers")).toContain("Grpc-Status");
    }
  });

  test.each([
    "https://evil.example.com",
    "http://portal.example.com",
    "null",
    `${LISTED}.evil.com`,
  ])("of the origin %s may neither ask nor read", async (origin) => {
    expect(allowOf(await preflight(origin, "authorization"))).toBeNull();
    expect((await preflight(origin, "authorization")).status).not.toBe(204);
    expect(allowOf(await call(origin, KEY))).toBeNull();
  });

  test("are never allowed where no origin is listed", async () => {
    const closed = await startEdges({ listCurrencies: async () => ({}) });
    const answer = await fetch(closed.http + PATH, {
      method: "OPTIONS",
      headers: { origin: LISTED },
    });

    expect(allowOf(answer)).toBeNull();
    await closed.server.drain(500);
  });

  test("a preflight reaches no handler", () => {
    expect(handled).toBe(5);
  });
});
